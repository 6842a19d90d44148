// Solves the towers of Hanoi.
type Peg = "left" | "middle" | "right";

interface Move {
  disk: number;
  from: Peg;
  to: Peg;
}

function* solve(disks: number, from: Peg, to: Peg, spare: Peg): Generator<Move> {
  if (disks === 0) return;
  yield* solve(disks - 1, from, spare, to);
  yield { disk: disks, from, to };
  yield* solve(disks - 1, spare, to, from);
}

const moves = [...solve(4, "left", "right", "middle")];
for (const { disk, from, to } of moves) console.log(`disk ${disk}: ${from} -> ${to}`);
console.log(`${moves.length} moves`);
