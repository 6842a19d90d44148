import { describe, expect, test } from "vitest";
import { BINARIES } from "./binaries.ts";
import { last } from "./frames.ts";
import { execute } from "./sandbox.ts";

const python = (code: string): string[] => ["python3", "-c", code];

describe.each(BINARIES)("limits without a cgroup (%s)", (binary) => {
  test.each([
    ["sleeps", ["sleep", "1000"]],
    [
      "ignores every signal",
      python(
        "import signal as s, time\nfor n in s.valid_signals():\n try: s.signal(n, s.SIG_IGN)\n except OSError: pass\ntime.sleep(1000)",
      ),
    ],
    ["stops itself", ["bash", "-c", "kill -STOP $$"]],
    ["spins", ["bash", "-c", "while :; do :; done"]],
  ])("a program that %s ends at its wall time", async (_, command) => {
    const outcome = await execute({ stages: [{ command, limits: { wallUs: 150_000 } }] }, { binary });
    expect(last(outcome)).toMatchObject({ limit: "wall", signal: "SIGKILL", exit_code: null });
    expect(last(outcome).wall_us).toBeGreaterThanOrEqual(150_000);
    expect(last(outcome).wall_us).toBeLessThan(2_000_000);
  });

  test("a process's own CPU time ends it a second after its limit", async () => {
    const command = ["bash", "-c", "while :; do :; done"];
    const outcome = await execute({ stages: [{ command, limits: { cpuUs: 1 } }] }, { binary });
    expect(last(outcome)).toMatchObject({ limit: "cpu", signal: "SIGXCPU" });
  });

  test("a file grows to its limit and no further", async () => {
    const command = ["bash", "-c", "head -c 100000 /dev/zero > f; code=$?; stat -c %s f; kill -XFSZ $$"];
    const outcome = await execute({ stages: [{ command, limits: { fileBytes: 5000 } }] }, { binary });
    expect(last(outcome)).toMatchObject({ limit: "file_size", signal: "SIGXFSZ" });
    expect(last(outcome).stdout.toString()).toBe("5000\n");
  });

  test("open files are bounded", async () => {
    const code =
      "import os\nfor n in range(100):\n try: last = os.open('/dev/null', 0)\n except OSError as e: print(n, e.errno); break";
    const outcome = await execute({ stages: [{ command: python(code), limits: { openFiles: 20 } }] }, { binary });
    expect(last(outcome).stdout.toString()).toBe("17 24\n");
  });

  test("processes are bounded where asked for", async () => {
    const code = `import os
n = 0
try:
    while n < 50:
        if os.fork() == 0: os.read(0, 1); os.pause() if hasattr(os, "pause") else __import__("signal").pause()
        n += 1
except BlockingIOError: pass
print(n)`;
    const outcome = await execute({ stages: [{ command: python(code), limits: { processes: 10 } }] }, { binary });
    // The program's first process is one of the ten; the runner is not.
    expect(last(outcome).stdout.toString()).toBe("9\n");
  });

  test.each(["/work", "/tmp", "/dev/shm"])("%s has the size and the inodes that were asked for", async (folder) => {
    const code = `import os
folder = ${JSON.stringify(folder)}
size = 0
try:
    with open(folder + "/big", "wb", 0) as f:
        while True: size += f.write(bytes(4096))
except OSError as e: print(size, e.errno)
os.unlink(folder + "/big")
n = 0
try:
    while True: open(f"{folder}/{n}", "x").close(); n += 1
except OSError as e: print(n, e.errno)
print([line.split()[3] for line in open("/proc/self/mounts") if line.split()[1] == folder][0])`;
    const outcome = await execute(
      { workBytes: 1 << 20, workInodes: 50, stages: [{ command: python(code) }] },
      { binary },
    );
    const [bytes, inodes, mount] = last(outcome).stdout.toString().split("\n");
    expect(bytes).toBe(`${1 << 20} 28`);
    expect(inodes).toBe("49 28"); // the folder itself is the fiftieth
    expect(mount).toMatch(/nosuid,nodev.*size=1024k,nr_inodes=50/);
  });

  test("the folders' modes are usual", async () => {
    const outcome = await execute(
      { stages: [{ command: ["stat", "-c", "%a %u", "/work", "/tmp", "/dev/shm"] }] },
      { binary },
    );
    expect(last(outcome).stdout.toString()).toBe("755 1000\n1777 1000\n1777 1000\n");
  });

  test("no core, no locked memory, no message queues, a stack of 64 MiB, free address space", async () => {
    const code = `import resource as r
print([r.getrlimit(x) for x in (r.RLIMIT_CORE, r.RLIMIT_MEMLOCK, r.RLIMIT_MSGQUEUE, r.RLIMIT_STACK, r.RLIMIT_AS, r.RLIMIT_CPU)])`;
    const outcome = await execute({ stages: [{ command: python(code), limits: { cpuUs: 2_500_000 } }] }, { binary });
    const stack = 64 << 20;
    expect(last(outcome).stdout.toString().trim()).toBe(
      `[(0, 0), (0, 0), (0, 0), (${stack}, ${stack}), (-1, -1), (4, 5)]`,
    );
  });
});
