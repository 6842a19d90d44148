import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BINARIES, type BinaryName } from "./binaries.ts";
import type { Outcome } from "./frames.ts";
import {
  encode,
  file,
  frame,
  keeping,
  kept,
  limit,
  limits,
  record,
  recordsOf,
  stage,
  u16,
  u32,
  u64,
  work,
} from "./program.ts";
import { Sandbox } from "./sandbox.ts";

const EXIT_FINISHED = 0;
const EXIT_FAILED = 2;
const HEADER_BYTES = 12;
const FUZZ_RUNS = 60;
const FUZZ_MS = 240_000;

const run = stage({ command: ["true"] });
const COMPILE = stage({ kind: "c", command: ["true"] });
const program = [file("main.sh", "echo"), work(), ...run];

/** What the runner makes of bytes after which nothing comes. */
async function read(bytes: Uint8Array, binary: BinaryName): Promise<Outcome> {
  await using sandbox = new Sandbox({ binary });
  sandbox.send(bytes);
  sandbox.stdin.end();
  return await sandbox.outcome();
}

const REFUSED: [what: string, bytes: Uint8Array, message: RegExp][] = [
  ["nothing", Buffer.alloc(0), /end/],
  ["half a magic word", Buffer.from("SBXR"), /end/],
  ["another magic word", Buffer.from("SBXRUN02\0\0\0\0"), /magic word/],
  ["a payload that ends early", frame(program).subarray(0, -1), /end/],
  ["a payload that is too long", Buffer.concat([Buffer.from("SBXRUN01"), u32(0xffff_ffff)]), /longer than \d+ bytes/],
  ["no record", frame([]), /no size of the work folder/],
  ["no work folder", frame(run), /no size of the work folder/],
  ["two work folders", frame([work(), work(), ...run]), /twice/],
  ["a work folder of no size", frame([work(0), ...run]), /out of range/],
  ["a work folder of more than 2^53 bytes", frame([work(2n ** 53n + 1n), ...run]), /out of range/],
  ["no stage", frame([work()]), /no stage/],
  ["a stage of a third kind", frame([work(), record("S", "x"), ...run.slice(1)]), /neither compile nor run/],
  ["two runs", frame([work(), ...run, ...run]), /second stage/],
  ["three stages", frame([work(), ...COMPILE, ...run, ...run]), /more than 2 stages/],
  ["a stage without a command", frame([work(), record("S", "r"), ...limits()]), /no command/],
  ["a stage without limits", frame([work(), record("S", "r"), record("A", "true")]), /lacks limit/],
  ["a limit twice", frame([...program, limit("wallUs", 1)]), /twice/],
  ["an unknown limit", frame([...program, record("L", Buffer.of(99), u64(1))]), /unknown/],
  ["a limit of zero", frame([work(), record("S", "r"), limit("wallUs", 0)]), /out of range/],
  ["a limit with half a number", frame([...program, record("L", Buffer.of(4), u32(1))]), /record 'L' has 5 bytes/],
  ["two inputs", frame([...program, record("I", "a"), record("I", "b")]), /two inputs/],
  ["a NUL in an argument", frame([...program, record("A", "a\0b")]), /contains NUL/],
  ["a variable without a name", frame([...program, record("E", "=x")]), /no name/],
  ["a variable without a value", frame([...program, record("E", "x")]), /no value/],
  ["an unknown record", frame([...program, record("Z")]), /unknown tag/],
  ["an argument before its stage", frame([record("A", "x"), ...program]), /before its stage/],
  ["a file after a stage", frame([...program, file("late")]), /after a stage/],
  ["a test before the run", frame([work(), ...COMPILE, record("T")]), /before the run/],
  ["a test before any stage", frame([work(), record("T"), ...run]), /before its stage/],
  ["a test with a value", frame([...program, record("T", "x")]), /record 'T' has 1 bytes/],
  ["a test with variables", frame([...program, record("T"), record("E", "A=1")]), /environment of its own/],
  ["a stage after a test", frame([...program, record("T"), ...run]), /after a test/],
  [
    "more than 200 tests",
    frame([...program, ...Array.from({ length: 201 }, () => record("T"))]),
    /more than 200 tests/,
  ],
  ["two inputs of a test", frame([...program, record("T"), record("I"), record("I")]), /two inputs/],
  ["a limit of a test twice", frame([...program, record("T"), limit("wallUs", 1), limit("wallUs", 1)]), /twice/],
  ["a test's file beside the folder", frame([...program, record("T"), file("../x")]), /invalid name/],
  ["the network after a stage", frame([...program, record("N")]), /network comes/],
  ["the network twice", frame([record("N"), record("N"), ...program]), /network comes twice/],
  ["a network with a value", frame([record("N", "x"), ...program]), /record 'N' has 1 bytes/],
  ["a glob after a stage", frame([...program, record("G", "*")]), /glob comes after/],
  ["21 globs", frame([...Array.from({ length: 21 }, () => record("G", "*")), ...program]), /more than 20/],
  ["a glob that climbs", frame([record("G", "a/../*"), ...program]), /invalid name/],
  ["a glob from the root", frame([record("G", "/etc/*"), ...program]), /invalid name/],
  ["a kept file after a stage", frame([...program, kept("late")]), /after a stage/],
  ["a kept file without a mode", frame([record("K", "x"), ...program]), /no mode/],
  ["a kept file that is set-user-ID", frame([kept("x", "", 0o4755), ...program]), /no mode/],
  ["a kept file that is a link", frame([kept("x", "", 0o120_777), ...program]), /no mode/],
  ["a kept file without a name", frame([record("K", u16(0o644), "x"), ...program]), /no name/],
  ["a kept file beside the folder", frame([kept("../x"), ...program]), /invalid name/],
  ["keeping nothing", frame([keeping(0), work(), ...COMPILE, ...run]), /out of range/],
  ["keeping twice", frame([keeping(1), keeping(1), work(), ...COMPILE, ...run]), /twice/],
  ["keeping after a stage", frame([work(), ...COMPILE, keeping(1), ...run]), /late/],
  ["keeping what is not compiled", frame([keeping(1), ...program]), /nothing to compile/],
  ["a record that is longer than all", frame([...program, Buffer.from("A"), u32(1000)]), /longer than the program/],
  ["half a record's header", frame([...program, Buffer.from("A\0")]), /no header/],
  ["a file without a name's length", frame([record("F", "x"), ...program]), /no name/],
  ["a file's name beyond its record", frame([record("F", u16(9), "short"), ...program]), /longer than its record/],
  ...["", "/x", "a/../b", "..", ".", "a//b", "a/", "a\0b", "a".repeat(256), "../".repeat(50)].map(
    (name): [string, Uint8Array, RegExp] => [
      `the file name ${JSON.stringify(name.slice(0, 12))}`,
      frame([file(name), ...program]),
      /invalid name/,
    ],
  ),
];

/** Bytes of a program in which a few were changed, with the right length before them or the one they had. */
const damaged = fc
  .record({
    changes: fc.array(fc.record({ at: fc.nat(), byte: fc.nat(255), how: fc.constantFrom("set", "insert", "remove") }), {
      minLength: 1,
      maxLength: 6,
    }),
    honest: fc.boolean(),
  })
  .map(({ changes, honest }) => {
    const whole = encode({
      files: { "main.sh": "cat; echo $1 $2 >&2", "lib/data": "x".repeat(100) },
      stages: [
        { kind: "c", command: ["cp", "main.sh", "made.sh"] },
        { command: ["sh", "made.sh", "one", "two"], stdin: "input", limits: { processes: 20 } },
      ],
      tests: [
        { stdin: "other", files: { "lib/own": "x" } },
        { command: ["cat", "made.sh"], limits: { outputBytes: 9 } },
      ],
    });
    const bytes = [...(honest ? whole.subarray(HEADER_BYTES) : whole)];
    for (const { at, byte, how } of changes) {
      bytes.splice(at % (bytes.length + 1), how === "insert" ? 0 : 1, ...(how === "remove" ? [] : [byte]));
    }
    return honest ? frame([Buffer.from(bytes)]) : Buffer.from(bytes);
  });

/** Records of every kind in any order, with any content, that are whole, among those that a program needs. */
const shuffled = fc
  .array(
    fc
      .tuple(fc.constantFrom(..."FWSAEILTG"), fc.uint8Array({ maxLength: 40 }))
      .map(([tag, value]) => record(tag, value)),
    { maxLength: 6 },
  )
  .chain((strange) => fc.shuffledSubarray([...recordsOf({ stages: [{ command: ["true"] }] }), ...strange]))
  .map((records) => frame(records));

describe.each(BINARIES)("what is not a program (%s)", (binary) => {
  test.each(REFUSED)("%s is refused by name", async (_, bytes, message) => {
    const { course, failed, exitCode, lastWords } = await read(bytes, binary);
    expect({ course, exitCode }).toEqual({ course: "ready failed", exitCode: EXIT_FAILED });
    expect(failed).toMatch(message);
    expect(lastWords).toBe(`runner: ${failed}\n`);
  });

  test("whatever comes, the runner either executes it or says why not", { timeout: FUZZ_MS }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(damaged, shuffled, fc.uint8Array({ maxLength: 200 })), async (bytes) => {
        const { course, exitCode, lastWords } = await read(bytes, binary);
        expect(lastWords).not.toMatch(/Sanitizer|runtime error/);
        expect([EXIT_FINISHED, EXIT_FAILED]).toContain(exitCode);
        expect(course).toMatch(exitCode === EXIT_FAILED ? / failed$/ : / finished$/);
      }),
      { numRuns: FUZZ_RUNS },
    );
  });
});
