import { describe, expect, test } from "vitest";
import { BINARIES } from "./binaries.ts";
import { bytesOf, last } from "./frames.ts";
import { execute, Sandbox } from "./sandbox.ts";

describe.each(BINARIES)("stages (%s)", (binary) => {
  test("one stage is told from ready to finished", async () => {
    const outcome = await execute({ stages: [{ command: ["echo", "hello"] }] }, { binary });
    expect(outcome.course).toBe("ready started stdout ended finished");
    expect(outcome.frames[0]).toEqual({ type: "ready", protocol: 1, version: null });
    expect(outcome.exitCode).toBe(0);
    expect(outcome.lastWords).toBe("");
    expect(last(outcome)).toMatchObject({
      stage: "run",
      exit_code: 0,
      signal: null,
      error: null,
      limit: null,
      stdout_truncated: false,
      stderr_truncated: false,
    });
    expect(last(outcome).stdout.toString()).toBe("hello\n");
  });

  test("without a cgroup CPU time is unknown, and memory is that of the largest process that was waited for", async () => {
    const command = ["bash", "-c", "python3 -c 'b = b\"x\" * (50 << 20)'; true"];
    const outcome = await execute({ stages: [{ kind: "c", command }, { command: ["true"] }] }, { binary });
    const [compile, run] = outcome.stages;
    expect(compile?.cpu_us).toBe(null);
    expect(compile?.memory_bytes).toBeGreaterThan(50 << 20);
    expect(compile?.memory_bytes).toBeLessThan(100 << 20);
    expect(run?.memory_bytes).toBeLessThan(32 << 20);
  });

  test("input that waits in the runner is not the program's memory", async () => {
    const stdin = Buffer.alloc(48 << 20, "x");
    const outcome = await execute({ stages: [{ command: ["true"], stdin }] }, { binary });
    expect(last(outcome).memory_bytes).toBeLessThan(32 << 20);
  });

  test("files, arguments and environment arrive as they were sent", async () => {
    const content = Buffer.from([0, 255, 10, 13, 128, 0]);
    const script = 'cat a/b/c.bin; printf "%s|" "$@" "$0" "$(env | sort)" "$PWD"';
    const outcome = await execute(
      {
        files: { "a/b/c.bin": content, "a/d": "", "ü\n ": "x" },
        stages: [
          {
            command: ["bash", "-c", script, "zero", "", "two words", "ünï\n"],
            environment: { EMPTY: "", TWICE: "a=b" },
          },
        ],
      },
      { binary },
    );
    const environment = [
      "EMPTY=",
      "HOME=/work",
      "PATH=/usr/bin:/bin",
      "PWD=/work",
      "SHLVL=1",
      "TWICE=a=b",
      "_=/usr/bin/env",
    ];
    const text = Buffer.from(`|two words|ünï\n|zero|${environment.join("\n").replace("SHLVL=1", "SHLVL=0")}|/work|`);
    expect(last(outcome).stdout.toString("latin1").replace("SHLVL=1", "SHLVL=0")).toBe(
      Buffer.concat([content, text]).toString("latin1"),
    );
  });

  test("files belong to the program, with ordinary modes", async () => {
    const script = "stat -c '%a %u %n' . d d/f; echo more >> d/f && rm d/f && rmdir d";
    const outcome = await execute({ files: { "d/f": "x" }, stages: [{ command: ["bash", "-c", script] }] }, { binary });
    expect(last(outcome).stdout.toString()).toBe("755 1000 .\n755 1000 d\n644 1000 d/f\n");
    expect(last(outcome).exit_code).toBe(0);
  });

  test("a run finds what its compile left in the work folder, with an environment of its own", async () => {
    const outcome = await execute(
      {
        files: { "in.txt": "source" },
        stages: [
          { kind: "c", command: ["bash", "-c", "cp in.txt out.txt; echo $A >> out.txt"], environment: { A: "one" } },
          { kind: "r", command: ["bash", "-c", "cat out.txt; echo $A"], environment: { B: "two" } },
        ],
      },
      { binary },
    );
    expect(outcome.course).toBe("ready started ended started stdout ended finished");
    expect(outcome.stages.map((stage) => stage.stage)).toEqual(["compile", "run"]);
    expect(last(outcome).stdout.toString()).toBe("sourceone\n\n");
  });

  test("a compile that fails is the end", async () => {
    const program = {
      stages: [
        { kind: "c", command: ["bash", "-c", "echo wrong >&2; exit 3"] },
        { kind: "r", command: ["echo", "never"] },
      ],
    } as const;
    const outcome = await execute(program, { binary });
    expect(outcome.course).toBe("ready started stderr ended finished");
    expect(last(outcome)).toMatchObject({ stage: "compile", exit_code: 3, limit: null });
    expect(last(outcome).stderr.toString()).toBe("wrong\n");
  });

  test.each([
    ["a limit", { command: ["yes"], limits: { outputBytes: 10 } }],
    ["a signal", { command: ["bash", "-c", "kill -9 $$"] }],
    ["a missing compiler", { command: ["no-such-compiler"] }],
  ])("a compile ended by %s is the end", async (_, compile) => {
    const outcome = await execute({ stages: [{ ...compile, kind: "c" }, { command: ["echo", "never"] }] }, { binary });
    expect(outcome.stages).toHaveLength(1);
    expect(outcome.frames.at(-1)?.type).toBe("finished");
  });

  test.each([
    ["a command in no folder of PATH", ["no-such-command"], "ENOENT"],
    ["a path that isn't there", ["./no-such-file"], "ENOENT"],
    ["an empty command", [""], "ENOENT"],
    ["a file that may not be executed", ["./data"], "EACCES"],
    ["a folder", ["/usr/bin"], "EACCES"],
    ["a path through a file", ["./data/x"], "ENOTDIR"],
    ["an argument longer than the kernel takes", ["echo", "x".repeat(200_000)], "E2BIG"],
    ["a name longer than the kernel takes", ["x".repeat(300)], "ENAMETOOLONG"],
  ])("%s is an error with a name", async (_, command, error) => {
    const outcome = await execute({ files: { data: "x" }, stages: [{ command }] }, { binary });
    expect(last(outcome)).toMatchObject({ exit_code: null, signal: null, error, limit: null });
    expect(outcome.exitCode).toBe(0);
  });

  test("an executable without a format is an error, not a shell script", async () => {
    const compile = { kind: "c", command: ["chmod", "755", "script"] } as const;
    const outcome = await execute(
      { files: { script: "echo hello" }, stages: [compile, { command: ["./script"] }] },
      { binary },
    );
    expect(last(outcome)).toMatchObject({ stage: "run", error: "ENOEXEC", exit_code: null });
  });

  test("commands are looked up in the stage's own PATH, in order", async () => {
    const program = "printf '#!/bin/sh\\necho %s' here > tool; chmod 755 tool; mkdir d; cp tool d/tool";
    const compile = { kind: "c", command: ["bash", "-c", program] } as const;
    const run = { command: ["tool"], environment: { PATH: "/no/such/folder:/work/d:/usr/bin" } };
    const found = await execute({ stages: [compile, run] }, { binary });
    expect(last(found).stdout.toString()).toBe("here\n");
    const elsewhere = await execute({ stages: [compile, { ...run, environment: { PATH: "/usr/bin" } }] }, { binary });
    expect(last(elsewhere).error).toBe("ENOENT");
  });

  test.each([
    ["SIGSEGV", "kill -SEGV $$"],
    ["SIGKILL", "kill -KILL $$"],
    ["SIGTERM", "kill -TERM $$"],
    ["SIGABRT", "kill -ABRT $$"],
    ["SIGPIPE", "kill -PIPE $$"],
    ["SIGRTMIN+3", "kill -37 $$"],
  ])("a death by %s is told by its name", async (signal, script) => {
    const outcome = await execute({ stages: [{ command: ["bash", "-c", script] }] }, { binary });
    expect(last(outcome)).toMatchObject({ exit_code: null, signal, error: null, limit: null });
  });

  test.each([0, 1, 127, 255])("exit code %i is told", async (code) => {
    const outcome = await execute({ stages: [{ command: ["bash", "-c", `exit ${code}`] }] }, { binary });
    expect(last(outcome)).toMatchObject({ exit_code: code, signal: null });
  });

  test("the program starts with usual signals, an own session, and umask 022", async () => {
    const script = "grep -E '^Sig(Blk|Ign)' /proc/self/status; umask; ps -o pid=,sid=,pgid= $$";
    const outcome = await execute({ stages: [{ command: ["bash", "-c", script] }] }, { binary });
    const [blocked, ignored, umask, ids] = last(outcome).stdout.toString().trim().split("\n");
    expect(blocked).toMatch(/\t0{16}$/);
    expect(ignored).toMatch(/\t0{16}$/);
    expect(umask).toBe("0022");
    expect(new Set(ids?.trim().split(/\s+/)).size).toBe(1);
  });

  test("wall time is what passed", async () => {
    const before = performance.now();
    const outcome = await execute({ stages: [{ command: ["sleep", "0.2"] }] }, { binary });
    const passed = performance.now() - before;
    expect(last(outcome).wall_us).toBeGreaterThanOrEqual(200_000);
    expect(last(outcome).wall_us).toBeLessThanOrEqual(passed * 1000);
  });

  test("started and output are told while the program runs", async () => {
    await using sandbox = new Sandbox({ binary });
    sandbox.send({ stages: [{ command: ["bash", "-c", "echo first; exec sleep 1000"] }] });
    await sandbox.frames.until("started");
    const output = await sandbox.frames.until("stdout");
    expect(bytesOf(output).toString()).toBe("first\n");
  });
});
