import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { BINARIES, reachableFolder } from "./binaries.ts";
import { Cgroup } from "./cgroup.ts";
import { last } from "./frames.ts";
import { executeInPod, podOptions, THREADS } from "./pod.ts";
import { RuntimeFilter, WITH_LISTENER } from "./runtime-filter.ts";
import { POD_USER, Sandbox, type SandboxOptions } from "./sandbox.ts";

const bash = (script: string): string[] => ["bash", "-c", script];

/** A /dev/termination-log as the kubelet makes it: everybody may write to it. */
function terminationLog(): { path: string; options: SandboxOptions } {
  const path = join(reachableFolder(), "termination-log");
  writeFileSync(path, "");
  chmodSync(path, 0o666);
  const place = "/dev/termination-log";
  return { path, options: { binds: { [place]: path }, bubblewrap: ["--bind", path, place] } };
}

describe.each(BINARIES)("in what is like a pod's container (%s)", (binary) => {
  test("the program is a user that no file knows, and can gain nothing", async () => {
    const script = "id -u; grep -E '^(Cap(Inh|Prm|Eff|Amb)|NoNewPrivs|Seccomp):' /proc/self/status /proc/1/status";
    const outcome = await executeInPod({ files: { a: "x" }, stages: [{ command: bash(script) }] }, undefined, {
      binary,
    });
    const [user, ...lines] = last(outcome).stdout.toString().trim().split("\n");
    expect(user).toBe(`${POD_USER}`);
    const fields = lines.map((line) => line.replace(/^.*status:/, "").split(":\t"));
    const capabilities = fields.filter(([name]) => name?.startsWith("Cap"));
    expect(capabilities).toHaveLength(8);
    for (const [, value] of capabilities) expect(value).toBe("0".repeat(16));
    const own = Object.fromEntries(fields.slice(0, 6));
    expect(own).toMatchObject({ NoNewPrivs: "1", Seccomp: "2" });
    expect(outcome.exitCode).toBe(0);
  });

  test("compile and run share the work folder, and stdin is never the container's", async () => {
    const program = {
      files: { "d/in": "from the file" },
      stages: [
        { kind: "c", command: bash("cat; cp d/in out; ls -l /proc/self/fd/0") },
        { kind: "r", command: bash("cat - out"), stdin: "from the program, " },
      ],
    } as const;
    await using sandbox = new Sandbox(podOptions(program, undefined, { binary }));
    sandbox.stdin.write("from the container");
    const outcome = await sandbox.outcome();
    expect(outcome.stages.map((stage) => stage.exit_code)).toEqual([0, 0]);
    expect(outcome.stages[0]?.stdout.toString()).toMatch(/^l.* -> pipe:/);
    expect(last(outcome).stdout.toString()).toBe("from the program, from the file");
  });

  test("only the work folders are written", async () => {
    const script = `for f in /work /tmp /dev/shm; do echo x > $f/x || echo "not $f"; done
for f in / /usr /dev /proc/sys/kernel/core_pattern /runner; do
  { echo x > $f/x || echo x > $f; } 2> /dev/null && echo "written $f"
done; echo end`;
    const outcome = await executeInPod({ stages: [{ command: bash(script) }] }, undefined, { binary });
    expect(last(outcome).stdout.toString()).toBe("end\n");
  });

  test("the program volunteers for the out-of-memory killer, where /proc lets it", async () => {
    const program = { stages: [{ command: ["cat", "/proc/self/oom_score_adj"] }] };
    const usual = await executeInPod(program, undefined, { binary });
    expect(last(usual).stdout.toString()).toBe("1000\n");
    const readOnly = await executeInPod(program, undefined, { binary, bubblewrap: ["--remount-ro", "/proc"] });
    expect(last(readOnly)).toMatchObject({ exit_code: 0, limit: null });
  });

  test("the termination log stays empty", async () => {
    const { path, options } = terminationLog();
    const program = { stages: [{ command: bash("echo forged > /dev/termination-log") }] };
    const outcome = await executeInPod(program, undefined, { binary, ...options });
    expect(last(outcome).stderr.toString()).toMatch(/Permission denied/);
    expect(readFileSync(path, "latin1")).toBe("");
  });

  test("without Landlock, the termination log is bounded as every file is", async () => {
    using filter = new RuntimeFilter("old");
    const { path, options } = terminationLog();
    const bubblewrap = [...filter.options.bubblewrap!, ...options.bubblewrap!];
    const stage = { command: bash("exec yes > /dev/termination-log"), limits: { fileBytes: 5000 } };
    const more = { binary, ...options, ...filter.options, bubblewrap };
    const outcome = await executeInPod({ stages: [stage] }, undefined, more);
    expect(last(outcome)).toMatchObject({ limit: "file_size", signal: "SIGXFSZ" });
    expect(readFileSync(path, "latin1")).toHaveLength(5000);
  });

  test.each(["old", "gvisor"] as const)("nothing newer is needed under a runtime's filter: %s", async (name) => {
    using filter = new RuntimeFilter(name);
    const code = `${THREADS}
import subprocess, os
print(subprocess.run(["echo", "child"], capture_output=True).stdout)
try: os.unshare(os.CLONE_NEWUSER)
except AttributeError: import ctypes; print(ctypes.CDLL(None).unshare(0x10000000))
except OSError: print(-1)`;
    const stages = [
      { kind: "c", command: ["true"] },
      { kind: "r", command: ["python3", "-c", code], limits: { processes: 16 } },
    ] as const;
    const outcome = await executeInPod({ stages }, undefined, { binary, ...filter.options });
    expect(last(outcome).stdout.toString()).toBe("15\nb'child\\n'\n-1\n");
    expect(last(outcome)).toMatchObject({ exit_code: 0, limit: null });
  });

  test("processes are held under a runtime that listens itself, though nobody can tell that the limit was met", async () => {
    await using cgroup = new Cgroup([]);
    const stage = { command: ["python3", "-c", THREADS], limits: { processes: 16 } };
    const outcome = await executeInPod({ stages: [stage] }, cgroup, { binary, before: WITH_LISTENER });
    expect(last(outcome).stdout.toString()).toBe("15\n");
    expect(last(outcome)).toMatchObject({ exit_code: 0, limit: null });
  });
});
