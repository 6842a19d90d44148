// Counts the words of the input.
import { stdin } from "node:process";
import { createInterface } from "node:readline";

const counts = new Map();
for await (const line of createInterface({ input: stdin })) {
  for (const word of line.toLowerCase().match(/\p{Letter}+/gu) ?? []) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
}

if (counts.size === 0) console.error("the input has no words: write some into the field below the program");
for (const [word, count] of [...counts].toSorted((a, b) => b[1] - a[1])) {
  console.log(`${String(count).padStart(4)}  ${word}`);
}
