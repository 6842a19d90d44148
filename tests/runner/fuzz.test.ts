import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BINARIES, type BinaryName } from "./binaries.ts";
import type { Outcome } from "./frames.ts";
import { encode, pack, recordsOf, variablesOf } from "./program.ts";
import { execute, Sandbox } from "./sandbox.ts";

const PROGRAM = {
  files: { "a/b.txt": "content", c: "" },
  keepBytes: 10_000,
  stages: [
    { kind: "c", command: ["true"], environment: { A: "1" } },
    { kind: "r", command: ["cat"], stdin: "input", limits: { wallUs: 2_000_000 } },
  ],
  tests: [{ stdin: "other", files: { own: "x" } }, { command: ["cat", "own"] }],
} as const;
const PAYLOAD = Buffer.concat(recordsOf(PROGRAM));

const edit = fc.record({ place: fc.nat(), remove: fc.nat(5), insert: fc.uint8Array({ maxLength: 5 }) });
const edits = fc.array(edit, { minLength: 1, maxLength: 3 });

function edited(bytes: Buffer, list: readonly { place: number; remove: number; insert: Uint8Array }[]): Buffer {
  let changed = bytes;
  for (const { place, remove, insert } of list) {
    const at = place % (changed.length + 1);
    changed = Buffer.concat([changed.subarray(0, at), insert, changed.subarray(at + remove)]);
  }
  return changed;
}

/** Runs what the environment holds; NUL ends a variable and cannot be in it. */
async function executeText(text: string, partLength: number, binary: BinaryName): Promise<Outcome> {
  const environment = variablesOf(text.replaceAll("\0", ""), partLength);
  await using sandbox = new Sandbox({ binary, environment, options: ["--mounts", "--program-in-environment"] });
  return await sandbox.outcome();
}

/** Whatever came, the runner read all of it and ended as it says, or refused it in words; a sanitizer speaks on fd 2. */
function expectAnEnding(outcome: Outcome): void {
  if (outcome.failed === null) {
    expect(outcome.frames.at(-1)?.type).toBe("finished");
    expect(outcome).toMatchObject({ exitCode: 0, lastWords: "" });
  } else {
    expect(outcome).toMatchObject({ exitCode: 2, lastWords: `runner: ${outcome.failed}\n` });
  }
}

describe.each(BINARIES)("input that is almost a program (%s)", (binary) => {
  const runs = { numRuns: 60 };

  test("from fd 0 is refused or executed", async () => {
    await fc.assert(
      fc.asyncProperty(edits, async (list) => {
        const bytes = edited(encode(PROGRAM), list);
        // As many bytes as the header announces: fewer would be waited for.
        const length = Math.min(bytes.readUInt32LE(8), 1 << 20);
        const whole = Buffer.concat([
          bytes.subarray(0, 12 + length),
          Buffer.alloc(Math.max(0, length + 12 - bytes.length)),
        ]);
        await using sandbox = new Sandbox({ binary });
        sandbox.send(whole);
        sandbox.stdin.end();
        expectAnEnding(await sandbox.outcome());
      }),
      runs,
    );
  });

  test("from fd 0 with other records is refused or executed", async () => {
    await fc.assert(
      fc.asyncProperty(edits, async (list) => {
        const payload = edited(PAYLOAD, list);
        const bytes = pack(payload).subarray(0, 12);
        expectAnEnding(await execute(Buffer.concat([bytes, payload]), { binary }));
      }),
      runs,
    );
  });

  test("from the environment as text is refused or executed", async () => {
    const text = pack(PAYLOAD).toString("base64");
    await fc.assert(
      fc.asyncProperty(edits, fc.integer({ min: 7, max: 300 }), async (list, partLength) => {
        const changed = edited(Buffer.from(text, "latin1"), list).toString("latin1");
        expectAnEnding(await executeText(changed, partLength, binary));
      }),
      runs,
    );
  });

  test("from the environment as bytes is refused or executed", async () => {
    await fc.assert(
      fc.asyncProperty(edits, async (list) => {
        expectAnEnding(await executeText(edited(pack(PAYLOAD), list).toString("base64"), 1000, binary));
      }),
      runs,
    );
  });

  test("from the environment as a packed payload is refused or executed", async () => {
    await fc.assert(
      fc.asyncProperty(edits, async (list) => {
        expectAnEnding(await executeText(pack(edited(PAYLOAD, list)).toString("base64"), 1000, binary));
      }),
      runs,
    );
  });
});
