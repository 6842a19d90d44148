import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { BINARIES, type BinaryName } from "./binaries.ts";
import { Cgroup, CGROUP_VERSION } from "./cgroup.ts";
import { last } from "./frames.ts";
import { boundCgroup } from "./pod.ts";
import type { ProgramSpec } from "./program.ts";
import { execute, Sandbox } from "./sandbox.ts";

const MIB = 1 << 20;
const python = (code: string): string[] => ["python3", "-c", code];
const holdMemory = (mebibytes: number): string[] => python(`b = b'x' * (${mebibytes} << 20); print(len(b))`);

async function inCgroup(cgroup: Cgroup, program: ProgramSpec, binary: BinaryName) {
  const { descriptors, joins, options } = cgroup;
  return await execute(program, { binary, descriptors, joins, options: ["--mounts", ...options] });
}

describe.each(BINARIES)("figures and limits of a cgroup (%s)", (binary) => {
  test("CPU time and peak memory are told for each stage", async () => {
    await using cgroup = new Cgroup();
    const spin = "import time\nwhile time.process_time() < 0.3: pass";
    const outcome = await inCgroup(
      cgroup,
      {
        stages: [{ kind: "c", command: python(`b = b'x' * (150 << 20)\n${spin}`) }, { command: ["true"] }],
      },
      binary,
    );
    const [compile, run] = outcome.stages;
    expect(compile?.cpu_us).toBeGreaterThan(300_000);
    expect(compile?.memory_bytes).toBeGreaterThan(150 * MIB);
    expect(compile?.memory_bytes).toBeLessThan(220 * MIB);
    expect(run?.cpu_us).toBeLessThan(250_000);
    expect(run?.memory_bytes).toBeLessThan(100 * MIB);
    expect(run?.limit).toBe(null);
  });

  test("CPU time that is hidden from wait4 is counted", async () => {
    await using cgroup = new Cgroup();
    const code = `import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
pid = os.fork()
if pid == 0:
    while time.process_time() < 0.4: pass
    os._exit(0)
try: os.waitpid(pid, 0)
except ChildProcessError: pass
print(round(os.times().children_user))`;
    const outcome = await inCgroup(cgroup, { stages: [{ command: python(code) }] }, binary);
    expect(last(outcome).stdout.toString()).toBe("0\n");
    expect(last(outcome).cpu_us).toBeGreaterThan(400_000);
  });

  test("CPU time of all processes together ends the stage", async () => {
    await using cgroup = new Cgroup();
    const command = ["bash", "-c", "for i in 1 2 3 4; do (while :; do :; done) & done; wait"];
    const outcome = await inCgroup(cgroup, { stages: [{ command, limits: { cpuUs: 300_000 } }] }, binary);
    expect(last(outcome)).toMatchObject({ limit: "cpu", signal: "SIGKILL" });
    expect(last(outcome).cpu_us).toBeGreaterThanOrEqual(300_000);
    expect(last(outcome).cpu_us).toBeLessThan(600_000);
  });

  test("a program that ends just above its CPU limit is told with it", async () => {
    await using cgroup = new Cgroup();
    const outcome = await inCgroup(cgroup, { stages: [{ command: ["true"], limits: { cpuUs: 1 } }] }, binary);
    expect(last(outcome).limit).toBe("cpu");
  });

  test("memory ends the stage", async () => {
    await using cgroup = new Cgroup();
    const limits = { memoryBytes: 64 * MIB };
    const outcome = await inCgroup(cgroup, { stages: [{ command: holdMemory(300), limits }] }, binary);
    expect(last(outcome)).toMatchObject({ limit: "memory", signal: "SIGKILL" });
    expect(last(outcome).memory_bytes).toBeGreaterThan(60 * MIB);
    expect(last(outcome).memory_bytes).toBeLessThanOrEqual(72 * MIB);
  });

  test("a child killed for memory ends the stage at once, whatever its parent does", async () => {
    await using cgroup = new Cgroup();
    const command = ["bash", "-c", "python3 -c 'b = b\"z\" * (300 << 20)'; sleep 1000"];
    const outcome = await inCgroup(cgroup, { stages: [{ command, limits: { memoryBytes: 64 * MIB } }] }, binary);
    expect(last(outcome)).toMatchObject({ limit: "memory" });
    expect(last(outcome).wall_us).toBeLessThan(10_000_000);
  });

  test.each(["/work", "/tmp", "/dev/shm"])("files in %s count as memory", async (folder) => {
    await using cgroup = new Cgroup();
    const outcome = await inCgroup(
      cgroup,
      {
        workBytes: 500 * MIB,
        stages: [
          {
            command: ["head", "-c", `${200 * MIB}`, "/dev/zero"],
            limits: { memoryBytes: 32 * MIB },
          },
        ].map((stage) => ({ ...stage, command: ["bash", "-c", `${stage.command.join(" ")} > ${folder}/f`] })),
      },
      binary,
    );
    // The limit on a file's size, 64 MiB, is above the one on memory.
    expect(last(outcome).limit).toBe("memory");
  });

  test("a program within its memory limit is left alone", async () => {
    await using cgroup = new Cgroup();
    const limits = { memoryBytes: 128 * MIB };
    const outcome = await inCgroup(cgroup, { stages: [{ command: holdMemory(100), limits }] }, binary);
    expect(last(outcome)).toMatchObject({ limit: null, exit_code: 0 });
  });

  test("a run's limit below what its compile left in files neither kills the runner nor is forgotten", async () => {
    await using cgroup = new Cgroup();
    const fill = `import ctypes
open('/work/a', 'wb').write(bytes(30 << 20)); open('/tmp/b', 'wb').write(bytes(30 << 20))
libc = ctypes.CDLL(None); libc.shmat.restype = ctypes.c_void_p
ctypes.memset(ctypes.c_void_p(libc.shmat(libc.shmget(0, 30 << 20, 0o600), None, 0)), 1, 30 << 20)`;
    const outcome = await inCgroup(
      cgroup,
      {
        workBytes: 100 * MIB,
        stages: [
          { kind: "c", command: python(fill) },
          { command: ["echo", "here"], limits: { memoryBytes: 32 * MIB } },
        ],
      },
      binary,
    );
    expect(outcome.course).toBe("ready started ended started stdout ended finished");
    expect(last(outcome)).toMatchObject({ stage: "run", exit_code: 0, limit: "memory" });
    expect(last(outcome).memory_bytes).toBeGreaterThan(90 * MIB);
  });

  test("without a file for the limit, the peak decides at the end", async () => {
    await using cgroup = new Cgroup(["memory-peak"]);
    const limits = { memoryBytes: 64 * MIB };
    const outcome = await inCgroup(cgroup, { stages: [{ command: holdMemory(100), limits }] }, binary);
    expect(last(outcome)).toMatchObject({ limit: "memory", exit_code: 0, cpu_us: null });
  });

  test("a refused fork is told at the end, and before a wall time", async () => {
    await using cgroup = new Cgroup();
    cgroup.limitProcesses(12);
    const bomb =
      "import os\ntry:\n  while True:\n    if os.fork() == 0: __import__('signal').pause()\nexcept OSError: pass";
    const ended = await inCgroup(cgroup, { stages: [{ command: python(bomb) }] }, binary);
    expect(last(ended)).toMatchObject({ limit: "processes", exit_code: 0 });
    await using another = new Cgroup();
    another.limitProcesses(12);
    const command = python(`${bomb}\n__import__('signal').pause()`);
    const late = await inCgroup(another, { stages: [{ command, limits: { wallUs: 400_000 } }] }, binary);
    expect(last(late)).toMatchObject({ limit: "processes", signal: "SIGKILL" });
  });

  test("a fork bomb ends, and the runner lives to tell", async () => {
    await using cgroup = new Cgroup();
    cgroup.limitProcesses(64);
    const command = ["bash", "-c", "trap '' TERM HUP INT; f() { f | f & }; f; while :; do f; done"];
    const outcome = await inCgroup(cgroup, { stages: [{ command, limits: { wallUs: 1_000_000 } }] }, binary);
    expect(last(outcome).limit).toBe("processes");
    expect(outcome.frames.at(-1)?.type).toBe("finished");
  });

  test("memory of a large input is given back as it is read", async () => {
    await using cgroup = new Cgroup();
    const stdin = Buffer.alloc(48 * MIB, "x");
    const files = { "big.bin": Buffer.alloc(8 * MIB, "y") };
    const code = "import os\nn = 0\nwhile b := os.read(0, 65536): n += len(b)\nprint(n)\nb = b'z' * (48 << 20)";
    const stage = { command: python(code), stdin, limits: { memoryBytes: 80 * MIB } };
    const outcome = await inCgroup(cgroup, { files, stages: [stage] }, binary);
    expect(last(outcome)).toMatchObject({ exit_code: 0, limit: null });
    expect(last(outcome).stdout.toString()).toBe(`${48 * MIB}\n`);
  });
});

/** Ordinary files in the format of cgroup v2, which a test can change as the kernel would. */
class FiguresOfVersion2 implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "runner-figures-"));
  readonly descriptors: number[] = [];
  readonly options = ["--mounts", "--cgroup", "2"];

  write(name: string, content: string): void {
    writeFileSync(join(this.#folder, name), content);
  }

  read(name: string): string {
    return readFileSync(join(this.#folder, name), "utf8");
  }

  offer(option: string, name: string, content: string, mode: "r" | "r+" = "r"): void {
    this.write(name, content);
    this.descriptors.push(openSync(join(this.#folder, name), mode));
    this.options.push(option, `${2 + this.descriptors.length}`);
  }

  [Symbol.dispose](): void {
    for (const descriptor of this.descriptors) closeSync(descriptor);
    rmSync(this.#folder, { recursive: true });
  }
}

describe.each(BINARIES)("the format of cgroup v2 (%s)", (binary) => {
  test("CPU time is the difference of usage_usec, and a peak of before the stage is not told as its own", async () => {
    using figures = new FiguresOfVersion2();
    figures.offer("--cpu-usage-fd", "cpu.stat", "usage_usec 1000\nuser_usec 900\n");
    figures.offer("--memory-peak-fd", "memory.peak", "700000000\n");
    await using sandbox = new Sandbox({ binary, ...figures });
    sandbox.send({ stages: [{ command: holdMemory(20) }] });
    const outcome = await sandbox.outcome();
    expect(last(outcome)).toMatchObject({ cpu_us: 0, limit: null });
    // What the kernel tells of the main process stands in.
    expect(last(outcome).memory_bytes).toBeGreaterThan(20 * MIB);
    expect(last(outcome).memory_bytes).toBeLessThan(64 * MIB);
  });

  test("a peak that is reached in the stage is the stage's", async () => {
    using figures = new FiguresOfVersion2();
    figures.offer("--memory-peak-fd", "memory.peak", "700000000\n");
    await using sandbox = new Sandbox({ binary, ...figures });
    sandbox.send({ stages: [{ command: ["bash", "-c", "echo; exec sleep 0.5"] }] });
    await sandbox.frames.until("stdout");
    figures.write("memory.peak", "800000000\n");
    expect(await sandbox.frames.until("ended")).toMatchObject({ memory_bytes: 800_000_000, limit: "memory" });
  });

  test.each([
    [
      "memory",
      "--memory-events-fd",
      "low 0\nhigh 0\nmax 7\noom 1\noom_kill 4\noom_group_kill 0\n",
      /oom_kill 4/,
      "oom_kill 5",
    ],
    ["cpu", "--cpu-usage-fd", "usage_usec 1000\nuser_usec 900\n", /usage_usec 1000/, "usage_usec 30001000"],
  ])("%s is noticed while the program runs", async (limit, option, content, before, after) => {
    using figures = new FiguresOfVersion2();
    figures.offer(option, "figure", content);
    await using sandbox = new Sandbox({ binary, ...figures });
    sandbox.send({ stages: [{ command: ["bash", "-c", "echo; exec sleep 1000"] }] });
    await sandbox.frames.until("stdout");
    figures.write("figure", content.replace(before, after));
    expect(await sandbox.frames.until("ended")).toMatchObject({ limit, signal: "SIGKILL" });
  });

  test("pids.events is compared at the end", async () => {
    using figures = new FiguresOfVersion2();
    figures.offer("--pids-events-fd", "pids.events", "max 3\n");
    await using sandbox = new Sandbox({ binary, ...figures });
    sandbox.send({ stages: [{ command: ["bash", "-c", "echo; exec sleep 1"] }] });
    await sandbox.frames.until("stdout");
    figures.write("pids.events", "max 4\n");
    expect(await sandbox.frames.until("ended")).toMatchObject({ limit: "processes", exit_code: 0 });
  });

  test("the weight of a sandbox that waits becomes the usual one when its program comes", async () => {
    using figures = new FiguresOfVersion2();
    figures.offer("--cpu-weight-fd", "cpu.weight", "25\n", "r+");
    await using sandbox = new Sandbox({ binary, ...figures });
    await sandbox.frames.until("ready");
    expect(figures.read("cpu.weight")).toBe("25\n");
    sandbox.send({ stages: [{ command: ["true"] }] });
    expect((await sandbox.outcome()).failed).toBeNull();
    expect(figures.read("cpu.weight")).toBe("100\n");
  });

  test.each(["", "nonsense\n", "usage_usec x\n", "usage_usec 99999999999999999999999\n", `${"x".repeat(10_000)}\n`])(
    "a file that holds something else gives no figure",
    async (content) => {
      using figures = new FiguresOfVersion2();
      figures.offer("--cpu-usage-fd", "cpu.stat", content);
      const outcome = await execute({ stages: [{ command: ["true"] }] }, { binary, ...figures });
      expect(last(outcome).cpu_us).toBe(null);
    },
  );
});

describe.each(BINARIES)("figures of the container's own cgroup (%s)", (binary) => {
  test("are found without an option", async () => {
    await using cgroup = new Cgroup([]);
    const program = { stages: [{ command: holdMemory(100) }] };
    const outcome = await execute(program, { binary, joins: cgroup.joins, binds: boundCgroup(cgroup.folders) });
    expect(last(outcome).cpu_us).toBeGreaterThan(1000);
    expect(last(outcome).memory_bytes).toBeGreaterThan(100 * MIB);
    expect(last(outcome).memory_bytes).toBeLessThan(200 * MIB);
  });

  test("are not those of a cgroup that the runner isn't in", async () => {
    await using own = new Cgroup([]);
    await using foreign = new Cgroup([]);
    const program = { stages: [{ command: ["true"] }] };
    const outcome = await execute(program, { binary, joins: own.joins, binds: boundCgroup(foreign.folders) });
    expect(last(outcome).cpu_us).toBe(null);
  });

  test("are not the whole machine's", async () => {
    const hierarchies = CGROUP_VERSION === 1 ? ["cpuacct", "memory", "pids"] : [""];
    const folders = new Map(hierarchies.map((hierarchy) => [hierarchy, join("/sys/fs/cgroup", hierarchy)]));
    const joins = [...folders.values()].map((folder) => join(folder, "cgroup.procs"));
    const outcome = await execute({ stages: [{ command: ["true"] }] }, { binary, joins, binds: boundCgroup(folders) });
    expect(last(outcome).cpu_us).toBe(null);
    expect(last(outcome).memory_bytes).toBeLessThan(32 * MIB);
  });
});
