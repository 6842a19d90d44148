import { describe, expect, test } from "vitest";
import { BINARIES } from "./binaries.ts";
import { Cgroup } from "./cgroup.ts";
import { last } from "./frames.ts";
import { executeInPod, THREADS } from "./pod.ts";
import type { StageSpec } from "./program.ts";

const python = (code: string): string[] => ["python3", "-c", code];

describe.each(BINARIES)("the limit of processes in a pod (%s)", (binary) => {
  async function run(command: readonly string[], processes: number, limits: StageSpec["limits"] = {}) {
    await using cgroup = new Cgroup([]);
    return last(await executeInPod({ stages: [{ command, limits: { processes, ...limits } }] }, cgroup, { binary }));
  }

  test("counts threads, and the main one with them", async () => {
    const stage = await run(python(THREADS), 16);
    expect(stage.stdout.toString()).toBe("15\n");
    expect(stage).toMatchObject({ limit: "processes", exit_code: 0 });
  });

  test("isn't met by a program that has just as many", async () => {
    const command = ["bash", "-c", "for i in {1..9}; do sleep 0.2 & done; wait; echo done"];
    const stage = await run(command, 10);
    expect(stage.stdout.toString()).toBe("done\n");
    expect(stage).toMatchObject({ limit: null, exit_code: 0 });
  });

  test("holds fork bombs", async () => {
    const bombs = [
      python("import os\nwhile True:\n try: os.fork()\n except OSError: pass"),
      ["bash", "-c", ":(){ :|:& };:; while :; do :; done"],
      ["bash", "-c", "trap '' TERM HUP INT; f() { f | f & }; f; while :; do f; done"],
    ];
    for (const command of bombs) {
      const stage = await run(command, 32, { wallUs: 1_000_000 });
      expect(stage).toMatchObject({ limit: "processes" });
      expect(stage.wall_us).toBeLessThan(4_000_000);
    }
  });

  test("refuses every way to a process with EAGAIN", async () => {
    const calls = process.arch === "x64" ? "[libc.syscall(57), libc.syscall(58)]" : "[]";
    const code = `import ctypes, os, threading
libc = ctypes.CDLL(None, use_errno=True)
def refused(way):
    try: way()
    except OSError as error: return error.errno
    except RuntimeError: return 11
print(refused(os.fork), refused(lambda: os.posix_spawn("/bin/true", ["true"], {})),
      refused(threading.Thread(target=int).start), ${calls}, ctypes.get_errno() in (0, 11))`;
    const stage = await run(python(code), 1);
    expect(stage.stdout.toString()).toBe(`11 11 11 ${process.arch === "x64" ? "[-1, -1]" : "[]"} True\n`);
    expect(stage).toMatchObject({ limit: "processes", exit_code: 0 });
  });

  test("lets thousands follow each other", async () => {
    const stage = await run(["bash", "-c", "for i in {1..2000}; do (:); done; echo done"], 2);
    expect(stage.stdout.toString()).toBe("done\n");
    expect(stage).toMatchObject({ limit: null, exit_code: 0 });
  });

  test("bears that who asks is killed meanwhile", async () => {
    const code = `import os, signal, time
for n in range(100):
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        while True:
            if os.fork() == 0: os._exit(0)
            os.wait()
    time.sleep(n % 10 / 1000)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
print("done")`;
    const stage = await run(python(code), 64);
    expect(stage.stdout.toString()).toBe("done\n");
    expect(stage).toMatchObject({ limit: null, exit_code: 0 });
  });

  test("is each stage's own", async () => {
    await using cgroup = new Cgroup([]);
    const stages = [5, 8].map((processes, index) => ({
      kind: index === 0 ? ("c" as const) : ("r" as const),
      command: python(THREADS),
      limits: { processes },
    }));
    const [compile, none] = (await executeInPod({ stages }, cgroup, { binary })).stages;
    expect(compile?.stdout.toString()).toBe("4\n");
    expect(compile?.limit).toBe("processes");
    expect(none).toBe(undefined);
    const quiet = { kind: "c", command: ["true"], limits: { processes: 5 } } as const;
    const both = await executeInPod({ stages: [quiet, { ...stages[1]!, kind: "r" }] }, cgroup, { binary });
    expect(last(both).stdout.toString()).toBe("7\n");
    expect(last(both).limit).toBe("processes");
  });

  test("is held without a cgroup too, though nobody can tell that it was met", async () => {
    const limits = { processes: 16 };
    const outcome = await executeInPod({ stages: [{ command: python(THREADS), limits }] }, undefined, { binary });
    expect(last(outcome).stdout.toString()).toBe("15\n");
    expect(last(outcome)).toMatchObject({ limit: null, exit_code: 0 });
  });

  test("gives the program no descriptor", async () => {
    const stage = await run(python("import os; print(os.listdir('/proc/self/fd'))"), 8);
    expect(stage.stdout.toString()).toBe("['0', '1', '2', '3']\n"); // the last is the folder itself
  });
});
