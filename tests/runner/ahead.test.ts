import { setTimeout as delay } from "node:timers/promises";

import { describe, expect, test } from "vitest";

import { BINARIES } from "./binaries.ts";
import { last } from "./frames.ts";
import { encode, encodeAhead, encodeAnew } from "./program.ts";
import type { ProgramSpec } from "./program.ts";
import { execute, Sandbox } from "./sandbox.ts";

/** A program that reads its own file, as an interpreter does, and another one of the name. */
const SHELL = ["bash", "-c", 'program=$(cat main.sh); eval "$program"'];
const COMPILED: ProgramSpec["stages"] = [{ kind: "c", command: SHELL }, { command: ["cat", "made"] }];
/** Limits that can only be lowered, as high as a program may ask for. */
const HIGHEST = { openFiles: 1024, fileBytes: 64 << 20, outputBytes: 1 };

function waiting(command: readonly string[] = SHELL): Buffer {
  return encodeAhead({ files: { "main.sh": "" }, stages: [{ command, limits: HIGHEST }] });
}

/** Bash reads the file that this variable names before its program (bash(1)). */
const PRELUDE_FILE = { name: ".prelude", environment: { BASH_ENV: "/work/.prelude" } };
const PRELUDE = "unset BASH_ENV; TOLD=first";
const BASH = ["bash", "main.sh"];

/** What waits for another file than its program's. */
function waitingForPrelude(command: readonly string[] = BASH, prelude = PRELUDE): Buffer {
  const { name, environment } = PRELUDE_FILE;
  return encodeAhead({ files: { [name]: prelude }, stages: [{ command, environment, limits: HIGHEST }] });
}

function program(text: string, more: Partial<ProgramSpec> = {}): ProgramSpec {
  return { files: { "main.sh": text }, stages: [{ command: SHELL, stdin: "in" }], ...more };
}

/** Long enough for the shell to wait, most times; what is tested holds in any case. */
const START_MS = 300;

describe.each(BINARIES)("a process that was started ahead (%s)", (binary) => {
  test.each([0, START_MS])("reads its program when that comes, %i ms later", async (pauseMs) => {
    await using sandbox = new Sandbox({ binary });
    sandbox.send(waiting());
    await delay(pauseMs);
    sandbox.send(program("echo one; cat; cat main.sh; ls; ulimit -n; exit 3"));
    const outcome = await sandbox.outcome();
    expect(outcome.course).toBe("ready started stdout ended finished");
    expect(last(outcome).stdout.toString()).toBe(
      "one\ninecho one; cat; cat main.sh; ls; ulimit -n; exit 3main.sh\n256\n",
    );
    expect(last(outcome)).toMatchObject({ exit_code: 3, limit: null });
  });

  test("finds the program's other files, and the work folders in its sizes", async () => {
    const text = 'cat ".new-0" a/b; stat -f -c "%b %S %c" /work /tmp /dev/shm; head -c 3000000 /dev/zero >big; echo $?';
    const outcome = await executeAhead(binary, {
      files: { "main.sh": text, ".new-0": "zero,", "a/b": "b\n" },
      workBytes: 1 << 20,
      workInodes: 50,
      stages: [{ command: SHELL }],
    });
    expect(last(outcome).stdout.toString()).toBe(`zero,b\n${"256 4096 50\n".repeat(3)}1\n`);
  });

  test("is under the program's limits, not those that it waited under", async () => {
    const limits = { openFiles: 20, fileBytes: 1000, wallUs: 400_000 };
    const text = "ulimit -n; ulimit -f; sleep 100";
    const outcome = await executeAhead(binary, program(text, { stages: [{ command: SHELL, limits }] }));
    expect(last(outcome).stdout.toString()).toBe("20\n0\n");
    expect(last(outcome)).toMatchObject({ limit: "wall" });
    expect(last(outcome).wall_us).toBeGreaterThanOrEqual(400_000);
  });

  test("has no capability, and neither has the runner once the program is there", async () => {
    const text =
      "grep -hE 'Cap(Amb|Eff|Inh|Prm)' /proc/self/status /proc/1/status | sort -u; cat /proc/self/status | grep NoNewPrivs";
    const outcome = await executeAhead(binary, program(text));
    const none = ["Amb", "Eff", "Inh", "Prm"].map((name) => `Cap${name}:\t0000000000000000\n`).join("");
    expect(last(outcome).stdout.toString()).toBe(`${none}NoNewPrivs:\t1\n`);
  });

  test("that has ended before the program comes is started again with it, and nothing of it is told", async () => {
    const ended = ["bash", "-c", "[ -p main.sh ] && { echo early; exit 9; }; . ./main.sh"];
    await using sandbox = new Sandbox({ binary });
    sandbox.send(waiting(ended));
    await delay(START_MS);
    sandbox.send(program("echo late", { stages: [{ command: ended }] }));
    const outcome = await sandbox.outcome();
    expect(outcome.course).toBe("ready started stdout ended finished");
    expect(last(outcome).stdout.toString()).toBe("late\n");
    expect(last(outcome)).toMatchObject({ exit_code: 0 });
  });

  test("may be the compiler's, and what is run then is started with the program", async () => {
    for (const more of [{}, { keepBytes: 10_000 }, { tests: [{}, {}] }]) {
      await using sandbox = new Sandbox({ binary });
      sandbox.send(encodeAhead({ files: { "main.sh": "" }, stages: [{ kind: "c", command: SHELL, limits: HIGHEST }] }));
      await delay(START_MS);
      sandbox.send(program("echo compiled >made; ls", { stages: COMPILED, ...more }));
      const { stages, failed, frames } = await sandbox.outcome();
      expect(failed).toBe(null);
      expect(stages[0]?.stdout.toString()).toBe("made\nmain.sh\n");
      for (const { stdout } of stages.slice(1)) expect(stdout.toString()).toBe("compiled\n");
      expect(stages).toHaveLength("tests" in more ? 3 : 2);
      const kept = frames.filter(({ type }) => type === "kept_ended");
      expect(kept).toMatchObject("keepBytes" in more ? [{ whole: true }] : []);
    }
  });

  test("makes way for a program that it can't execute, which finds everything as in a fresh sandbox", async () => {
    const text = `echo $1; find /work /tmp /dev/shm -mindepth 1; set -- /proc/[0-9]*; echo $#; stat -f -c "%b %S %c" /work; grep -h CapEff /proc/self/status; exit 3`;
    const command = ["bash", "other.sh", "argument"];
    const spec = { files: { "other.sh": text }, workBytes: 1 << 20, workInodes: 50, stages: [{ command }] };
    const cold = await execute(encode(spec), { binary });
    await using sandbox = new Sandbox({ binary });
    const busy = "touch left /tmp/left /dev/shm/left; sleep 100 & echo early; cat main.sh";
    sandbox.send(waiting(["bash", "-c", busy]));
    await delay(START_MS);
    sandbox.send(encodeAnew(spec));
    const outcome = await sandbox.outcome();
    expect(outcome.course).toBe("ready started stdout ended finished");
    expect(last(outcome).stdout.toString()).toBe(last(cold).stdout.toString());
    // The runner and the shell.
    expect(last(outcome).stdout.toString()).toMatch(/^argument\n\/work\/other.sh\n2\n256 4096 50\n/);
    expect(last(outcome)).toMatchObject({ exit_code: 3, limit: null });
  });

  test("of which the program never comes ends with its input", async () => {
    await using sandbox = new Sandbox({ binary, options: ["--mounts", "--exit-on-hangup"] });
    sandbox.send(waiting());
    await delay(START_MS);
    sandbox.stdin.end();
    expect((await sandbox.outcome()).course).toBe("ready");
  });

  test("may wait for a prelude, and finds its program in a file, however long that is", async () => {
    const text = `echo $TOLD \${BASH_ENV-none}; cat; ls -A; [ -f main.sh ] && wc -c <main.sh; exit 3\n#${"x".repeat(100_000)}`;
    await using sandbox = new Sandbox({ binary });
    sandbox.send(waitingForPrelude());
    await delay(START_MS);
    sandbox.send(program(text, { stages: [{ command: BASH, stdin: "in\n" }] }));
    const outcome = await sandbox.outcome();
    expect(outcome.course).toBe("ready started stdout ended finished");
    expect(last(outcome).stdout.toString()).toBe(`first none\nin\nmain.sh\n${text.length}\n`);
    expect(last(outcome)).toMatchObject({ exit_code: 3, limit: null });
  });

  test.each([
    ["has not opened its prelude yet", "sleep 100", 0],
    ["never opens its prelude", "echo early; sleep 100", START_MS],
    ["has ended without its prelude", "echo early; exit 9", START_MS],
    ["has closed its prelude", "exec 3<.prelude 3<&-; echo early; sleep 100", START_MS],
  ])("that %s is started again with its program", async (_, early, pauseMs) => {
    const command = ["sh", "-c", `[ -p .prelude ] && { ${early}; }; . ./main.sh`];
    await using sandbox = new Sandbox({ binary });
    sandbox.send(waitingForPrelude(command));
    await delay(pauseMs);
    sandbox.send(program("echo late; ls -A; echo ${BASH_ENV-none}", { stages: [{ command }] }));
    const outcome = await sandbox.outcome();
    expect(outcome.course).toBe("ready started stdout ended finished");
    expect(last(outcome).stdout.toString()).toBe("late\nmain.sh\nnone\n");
    expect(last(outcome)).toMatchObject({ exit_code: 0 });
  });

  test("makes way with its prelude for a program that it can't execute", async () => {
    await using sandbox = new Sandbox({ binary });
    sandbox.send(waitingForPrelude());
    await delay(START_MS);
    sandbox.send(encodeAnew(program("echo $1 ${TOLD-none}; ls -A", { stages: [{ command: [...BASH, "argument"] }] })));
    const outcome = await sandbox.outcome();
    expect(outcome.course).toBe("ready started stdout ended finished");
    expect(last(outcome).stdout.toString()).toBe("argument none\nmain.sh\n");
  });

  test.each([
    ["no file", { files: {}, stages: [{ command: ["true"] }] }, /one stage and one file/],
    [
      "a prelude that is too long",
      { files: { a: "x".repeat(257) }, stages: [{ command: ["true"] }] },
      /a prelude of at most 256 bytes/,
    ],
    [
      "two stages",
      { files: { a: "" }, stages: [{ kind: "c", command: ["true"] }, { command: ["true"] }] },
      /one stage/,
    ],
    ["a folder", { files: { "a/b": "" }, stages: [{ command: ["true"] }] }, /make a FIFO/],
  ] as const)("is refused with %s", async (_, spec, reason) => {
    const outcome = await execute(encodeAhead(spec), { binary });
    expect(outcome.failed).toMatch(reason);
  });

  test("is no program by itself, twice is no program either, and none that is too long or has two stages follows it", async () => {
    const wrong: [Uint8Array, RegExp][] = [
      [waiting(), /to be started ahead/],
      [encode(program("#".repeat(70_000))), /none that was waited for/],
      [encode(program("", { stages: COMPILED })), /none that was waited for/],
      [encode(program("", { tests: [{}] })), /none that was waited for/],
      [encodeAnew(program("", { network: true })), /network/],
    ];
    for (const [second, reason] of wrong) {
      const outcome = await execute(Buffer.concat([waiting(), second]), { binary });
      expect(outcome.failed).toMatch(reason);
    }
    const alone = await execute(encodeAnew(program("")), { binary });
    expect(alone.failed).toMatch(/nothing whose place/);
    const unmounted = await execute(waiting(), { binary, pod: true });
    expect(unmounted.failed).toMatch(/to be started ahead/);
  });
});

async function executeAhead(binary: (typeof BINARIES)[number], spec: ProgramSpec) {
  await using sandbox = new Sandbox({ binary });
  sandbox.send(waiting());
  await delay(START_MS);
  sandbox.send(spec);
  return await sandbox.outcome();
}
