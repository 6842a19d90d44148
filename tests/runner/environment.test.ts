import { createHash, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { BINARIES, type BinaryName } from "./binaries.ts";
import { last, type Outcome } from "./frames.ts";
import { environmentOf, pack, recordsOf, variablesOf } from "./program.ts";
import { Sandbox } from "./sandbox.ts";

const OPTIONS = ["--mounts", "--program-in-environment"];
const ECHO = { stages: [{ command: ["echo", "hello"] }] };
const PAYLOAD = Buffer.concat(recordsOf(ECHO));
const TEXT = pack(PAYLOAD).toString("base64");

/** Starts a runner with nothing but this environment; its stdin stays open and silent. */
async function outcomeOf(environment: Record<string, string>, binary: BinaryName): Promise<Outcome> {
  await using sandbox = new Sandbox({ binary, environment, options: OPTIONS });
  return await sandbox.outcome();
}

describe.each(BINARIES)("a program in the environment (%s)", (binary) => {
  test("is executed as one from fd 0 is", async () => {
    const outcome = await outcomeOf(environmentOf(ECHO), binary);
    expect(outcome.course).toBe("ready started stdout ended finished");
    expect(last(outcome).stdout.toString()).toBe("hello\n");
    expect(outcome.lastWords).toBe("");
  });

  test.each([1, 2, 3, 7, 64].map((parts) => Math.ceil(TEXT.length / parts)))(
    "may be cut anywhere: parts of %i characters",
    async (partLength) => {
      const outcome = await outcomeOf(variablesOf(TEXT, partLength), binary);
      expect(last(outcome).stdout.toString()).toBe("hello\n");
    },
  );

  test("of 64 parts in any order arrives exactly, however large it is unpacked", async () => {
    // Random bytes pack to their own length, zeros to nothing: 0.6 MB of text, 33 MB of payload.
    const stdin = Buffer.concat([randomBytes(400_000), Buffer.alloc(32 << 20)]);
    const program = { stages: [{ command: ["sha256sum"], stdin }] };
    const variables = Object.entries(environmentOf(program, 10_000)).toReversed();
    expect(variables.length).toBeGreaterThan(50);
    const outcome = await outcomeOf(Object.fromEntries(variables), binary);
    const digest = createHash("sha256").update(stdin).digest("hex");
    expect(last(outcome).stdout.toString()).toBe(`${digest}  -\n`);
  });

  test("of every length around a group of base64 arrives", async () => {
    for (const extra of ["", "a", "ab", "abc"]) {
      const command = ["echo", extra, randomBytes(30).toString("hex")];
      const outcome = await outcomeOf(environmentOf({ stages: [{ command }] }), binary);
      expect(last(outcome).stdout.toString()).toBe(`${command.slice(1).join(" ")}\n`);
    }
  });

  test("is all of the environment that reaches it, and it cannot read its runner's", async () => {
    const script = "env; cat /proc/1/environ /proc/1/mem; ls /proc/1/fd; cat; exit 5";
    const program = { stages: [{ command: ["bash", "-c", script], environment: { OWN: "1" } }] };
    const outcome = await outcomeOf({ ...environmentOf(program), SECRET: "secret" }, binary);
    const names = last(outcome).stdout.toString().trim().split("\n");
    expect(new Set(names.map((line) => line.split("=")[0]))).toEqual(
      new Set(["HOME", "OWN", "PATH", "PWD", "SHLVL", "_"]),
    );
    expect(
      last(outcome)
        .stderr.toString()
        .match(/Permission denied/g),
    ).toHaveLength(3);
    expect(last(outcome).exit_code).toBe(5);
  });

  const ZLIB = pack(PAYLOAD).subarray(12);
  const header = pack(PAYLOAD).subarray(0, 12);
  const base64 = (...parts: Uint8Array[]): Record<string, string> =>
    variablesOf(Buffer.concat(parts).toString("base64"));
  const flipped = (index: number): Buffer => {
    const bytes = Buffer.from(ZLIB);
    bytes[index]! ^= 0x10;
    return bytes;
  };
  test.each<[string, Record<string, string>, RegExp]>([
    ["no variable", {}, /SANDBOX_PROGRAM_0 is missing/],
    ["an empty variable", { SANDBOX_PROGRAM_0: "" }, /ended early/],
    ["the first one missing", { SANDBOX_PROGRAM_1: TEXT }, /SANDBOX_PROGRAM_0 is missing/],
    ["one in the middle missing", { SANDBOX_PROGRAM_0: TEXT, SANDBOX_PROGRAM_2: "" }, /SANDBOX_PROGRAM_1 is missing/],
    ["the last one missing", variablesOf(TEXT.slice(0, 80), 40), /ended early/],
    ["a number written otherwise", { SANDBOX_PROGRAM_00: TEXT }, /numbers from 0 to 63/],
    ["too large a number", { SANDBOX_PROGRAM_0: TEXT, SANDBOX_PROGRAM_64: "" }, /numbers from 0 to 63/],
    ["no number", { SANDBOX_PROGRAM_0: TEXT, SANDBOX_PROGRAM_: "" }, /numbers from 0 to 63/],
    ["a variable that is too long", { SANDBOX_PROGRAM_0: "A".repeat((100 << 10) + 1) }, /longer than 102400 bytes/],
    ["a character outside of the alphabet", { SANDBOX_PROGRAM_0: TEXT.replace("U", "-") }, /not base64/],
    ["a line break", { SANDBOX_PROGRAM_0: `${TEXT}\n` }, /not base64/],
    ["padding in the middle", { SANDBOX_PROGRAM_0: `U0I=${TEXT}` }, /not base64|magic/],
    ["padding of three", { SANDBOX_PROGRAM_0: `${base64(header).SANDBOX_PROGRAM_0}A===` }, /not base64/],
    ["missing padding", { SANDBOX_PROGRAM_0: Buffer.alloc(7).toString("base64url") }, /not base64/],
    ["bits left over in the last digit", { SANDBOX_PROGRAM_0: "QUJDRR==" }, /not base64/],
    ["half a header", base64(header.subarray(0, 7)), /ended early/],
    ["another magic word", base64(Buffer.from("SBXRUN02"), header.subarray(8), ZLIB), /magic word/],
    ["no stream", base64(header), /ended early/],
    ["a stream cut short", base64(header, ZLIB.subarray(0, -1)), /ended early/],
    ["a damaged stream", base64(header, flipped(10)), /damaged|longer|shorter/],
    ["a wrong check sum", base64(header, flipped(ZLIB.length - 1)), /damaged/],
    ["something else than zlib", base64(header, PAYLOAD), /damaged/],
    ["a preset dictionary", base64(header, Buffer.of(0x78, 0xbb, 1, 2, 3, 4, 5)), /damaged/],
    ["bytes behind the stream", base64(header, ZLIB, Buffer.of(0)), /bytes follow/],
    ["a longer payload than said", base64(pack(PAYLOAD, PAYLOAD.length - 1)), /longer than its header/],
    ["a shorter payload than said", base64(pack(PAYLOAD, PAYLOAD.length + 1)), /shorter than its header/],
    ["an announced payload that is too long", base64(pack(PAYLOAD, (64 << 20) + 1)), /longer than 67108864/],
    ["a bomb", base64(pack(Buffer.alloc(32 << 20), 1000)), /longer than its header/],
    ["no records", base64(pack(Buffer.alloc(0))), /it has no size of the work folder/],
  ])("with %s ends the runner", async (_, environment, message) => {
    const outcome = await outcomeOf(environment, binary);
    expect(outcome.course).toBe("ready failed");
    expect(outcome.failed).toMatch(message);
    expect(outcome.exitCode).toBe(2);
    expect(outcome.lastWords).toBe(`runner: ${outcome.failed}\n`);
  });

  test("is not combined with the peer of fd 0", async () => {
    await using sandbox = new Sandbox({ binary, options: [...OPTIONS, "--exit-on-hangup"] });
    expect((await sandbox.outcome()).failed).toMatch(/--exit-on-hangup needs/);
  });

  test("goes on when fd 0 ends", async () => {
    const program = { stages: [{ command: ["bash", "-c", "sleep 0.2; echo late"] }] };
    await using sandbox = new Sandbox({ binary, environment: environmentOf(program), options: OPTIONS });
    sandbox.stdin.end();
    expect(last(await sandbox.outcome()).stdout.toString()).toBe("late\n");
  });

  test("is ended by SIGTERM from outside", async () => {
    const program = { stages: [{ command: ["bash", "-c", "echo; exec sleep 1000"] }] };
    await using sandbox = new Sandbox({ binary, environment: environmentOf(program), options: OPTIONS });
    await sandbox.frames.until("stdout");
    process.kill(sandbox.runnerPid(), "SIGTERM");
    expect(await sandbox.exit).toBe(3);
  });
});
