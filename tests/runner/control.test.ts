import { describe, expect, test } from "vitest";
import { within } from "../support/time.ts";
import { BINARIES } from "./binaries.ts";
import type { ProgramSpec } from "./program.ts";
import { RuntimeFilter } from "./runtime-filter.ts";
import { execute, Sandbox } from "./sandbox.ts";

const EXIT_FAILED = 2;
const EXIT_STOPPED = 3;
const END_MS = 20_000;
/** The number of rt_sigqueueinfo. */
const SIGQUEUEINFO = process.arch === "arm64" ? 138 : 129;

const bash = (code: string): ProgramSpec => ({ stages: [{ command: ["bash", "-c", code] }] });

describe.each(BINARIES)("a runner's end (%s)", (binary) => {
  test.each([
    ["while it waits for a program", undefined],
    ["while a program runs", bash("trap '' TERM; echo on; while :; do sleep 1; done")],
  ])("a SIGTERM from outside ends it at once %s", async (_, program) => {
    await using sandbox = new Sandbox({ binary });
    await sandbox.frames.until("ready");
    if (program !== undefined) {
      sandbox.send(program);
      await sandbox.frames.until("stdout");
    }
    process.kill(sandbox.runnerPid(), "SIGTERM");
    expect(await within(END_MS, "the end", sandbox.exit)).toBe(EXIT_STOPPED);
  });

  test("no signal from inside ends it", async () => {
    const signals = "for i in $(seq 1 64); do kill -$i 1; done; kill -TERM 1; echo lives";
    const outcome = await execute(bash(signals), { binary });
    expect(outcome.course).toMatch(/finished$/);
    expect(outcome.stages.at(-1)?.stdout.toString()).toBe("lives\n");
  });

  test("signals at it are refused, without Landlock too, and so is what has the kernel send them", async () => {
    using filter = new RuntimeFilter("old");
    const code = `import errno, fcntl, os, signal, struct
def attempt(call):
    try: call()
    except OSError as error: return errno.errorcode[error.errno]
    return "allowed"
end, _ = os.pipe()
FIOSETOWN, F_SETOWN_EX = 0x8901, 15
runner = struct.pack("ii", 1, 1)
print(
    *(attempt(lambda: os.kill(1, number)) for number in (0, signal.SIGTERM, signal.SIGKILL)),
    *(attempt(lambda: fcntl.fcntl(end, fcntl.F_SETOWN, owner)) for owner in (1, -1)),
    attempt(lambda: fcntl.fcntl(end, F_SETOWN_EX, runner)),
    attempt(lambda: fcntl.ioctl(end, FIOSETOWN, runner)),
    attempt(lambda: os.kill(os.getpid(), 0)),
    attempt(lambda: fcntl.fcntl(end, fcntl.F_SETOWN, os.getpid())),
)`;
    const outcome = await execute({ stages: [{ command: ["python3", "-c", code] }] }, { binary, ...filter.options });
    expect(outcome.stages.at(-1)?.stdout.toString()).toBe(`${"EPERM ".repeat(7)}allowed allowed\n`);
  });

  test("no signal of which the kernel forgot the sender ends it, without Landlock", async () => {
    using filter = new RuntimeFilter("old");
    const code = `import ctypes, os, signal, struct, time
libc = ctypes.CDLL(None)
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
queued = 0
while queued < 200000 and libc.sigqueue(os.getpid(), 40, None) == 0: queued += 1
forged = ctypes.create_string_buffer(struct.pack("iii", signal.SIGTERM, 0, -1), 128)
for _ in range(100):
    libc.syscall(${SIGQUEUEINFO}, 1, signal.SIGTERM, forged)
    try: os.kill(1, signal.SIGTERM)
    except PermissionError: pass
time.sleep(0.2)
print("lives", queued < 200000)`;
    const outcome = await execute({ stages: [{ command: ["python3", "-c", code] }] }, { binary, ...filter.options });
    expect(outcome.course).toMatch(/finished$/);
    expect(outcome.stages.at(-1)?.stdout.toString()).toBe("lives True\n");
  });

  test("the end of its input ends it where that was asked for, and only there", async () => {
    const program = bash("echo on; sleep 1; echo done");
    for (const [options, exitCode] of [
      [["--mounts", "--exit-on-hangup"], EXIT_STOPPED],
      [["--mounts"], 0],
    ] as const) {
      await using sandbox = new Sandbox({ binary, options });
      sandbox.send(program);
      await sandbox.frames.until("stdout");
      sandbox.stdin.end();
      expect(await within(END_MS, "the end", sandbox.exit)).toBe(exitCode);
    }
  });

  test("a reader that goes away ends it", async () => {
    await using sandbox = new Sandbox({ binary });
    sandbox.send(bash("echo on; sleep 1000"));
    await sandbox.frames.until("stdout");
    sandbox.child.stdout?.destroy();
    expect(await within(END_MS, "the end", sandbox.exit)).toBe(EXIT_STOPPED);
  });

  test("a daemon that holds the output open, or ignores every signal, ends with its stage", async () => {
    const daemons = "for i in 1 2 3; do setsid bash -c 'trap \"\" TERM HUP INT; sleep 1000' & done; echo done";
    const outcome = await execute(bash(daemons), { binary });
    expect(outcome.stages.at(-1)).toMatchObject({ exit_code: 0, limit: null });
    expect(outcome.stages.at(-1)?.stdout.toString()).toBe("done\n");
    expect(outcome.stages.at(-1)?.wall_us).toBeLessThan(END_MS * 1000);
  });

  test.each([
    [["--unknown"], /unknown option --unknown/],
    [["--cgroup"], /--cgroup needs a value/],
    [["--cgroup", "3"], /--cgroup needs a whole number from 1 to 2/],
    [["--cpu-usage-fd", "3"], /--cpu-usage-fd comes after --cgroup/],
    [["--cgroup", "1", "--cpu-usage-fd", "2"], /--cpu-usage-fd needs a whole number from 3/],
    [["--cgroup", "1", "--cpu-usage-fd", "9"], /descriptor 9 is not open/],
  ])("the options %j are refused", async (options, message) => {
    await using sandbox = new Sandbox({ binary, options });
    const { course, failed, exitCode } = await sandbox.outcome();
    expect({ course, exitCode }).toEqual({ course: "failed", exitCode: EXIT_FAILED });
    expect(failed).toMatch(message);
  });
});
