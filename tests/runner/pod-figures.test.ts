import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { BINARIES, reachableFolder } from "./binaries.ts";
import { last } from "./frames.ts";
import { executeInPod, podOptions } from "./pod.ts";
import { Sandbox } from "./sandbox.ts";

const MIB = 1 << 20;
const WAITING = ["bash", "-c", "echo; exec sleep 1000"];

const parent = reachableFolder();
let made = 0;

/** A folder of ordinary files that looks like a container's cgroup of version 2; a test changes them as the kernel would. */
function fakeCgroup(files: Record<string, string>): { binds: Record<string, string>; folder: string } {
  const folder = join(parent, `${(made += 1)}`);
  mkdirSync(folder);
  const needed = { "cgroup.controllers": "memory pids\n", "cgroup.events": "populated 1\n", "cgroup.procs": "1\n" };
  for (const [name, content] of Object.entries({ ...needed, ...files })) writeFileSync(join(folder, name), content);
  return { binds: { "/sys/fs/cgroup": folder }, folder };
}

const statOf = (anon: number, file: number, shmem: number): string =>
  `anon ${anon}\nfile ${file}\nkernel 123\nshmem ${shmem}\nanon_thp 99999999999\nshmem_thp 99999999999\n`;

describe.each(BINARIES)("figures that a pod's runner only reads, cgroup v2 (%s)", (binary) => {
  test.each([
    ["of no file", statOf(100 * MIB, 0, 0)],
    ["in files without a disk", statOf(0, 100 * MIB, 100 * MIB)],
    ["of both together", statOf(40 * MIB, 0, 40 * MIB)],
  ])("memory %s ends the stage when it is too much", async (_, content) => {
    const { binds, folder } = fakeCgroup({ "memory.stat": statOf(1000, 0, 0) });
    const limits = { memoryBytes: 64 * MIB };
    const program = { stages: [{ command: WAITING, limits }] };
    await using sandbox = new Sandbox(podOptions(program, undefined, { binary, binds }));
    await sandbox.frames.until("stdout");
    writeFileSync(join(folder, "memory.stat"), content);
    expect(await sandbox.frames.until("ended")).toMatchObject({ limit: "memory", signal: "SIGKILL" });
  });

  test("memory of files that have a disk is nobody's, nor is a little for the runner", async () => {
    const { binds } = fakeCgroup({ "memory.stat": statOf(71 * MIB, 900 * MIB, 0) });
    const limits = { memoryBytes: 64 * MIB };
    const program = { stages: [{ command: ["sleep", "0.2"], limits }] };
    const outcome = await executeInPod(program, undefined, { binary, binds });
    expect(last(outcome)).toMatchObject({ limit: null, exit_code: 0, memory_bytes: 71 * MIB });
  });

  test("a peak from page cache alone is told, but meets no limit", async () => {
    const { binds, folder } = fakeCgroup({ "memory.stat": statOf(1000, 0, 0), "memory.peak": "1000\n" });
    const program = {
      stages: [{ command: ["bash", "-c", "echo; exec sleep 0.5"], limits: { memoryBytes: 64 * MIB } }],
    };
    await using sandbox = new Sandbox(podOptions(program, undefined, { binary, binds }));
    await sandbox.frames.until("stdout");
    writeFileSync(join(folder, "memory.peak"), `${200 * MIB}\n`);
    expect(await sandbox.frames.until("ended")).toMatchObject({ limit: null, memory_bytes: 200 * MIB });
  });

  test("a fork is refused where the container is full, and allowed where it isn't", async () => {
    for (const [current, limit, output] of [
      ["16\n", null, "forked\n"],
      ["17\n", "processes", "refused\n"],
      ["nonsense\n", null, "forked\n"],
    ] as const) {
      const { binds } = fakeCgroup({ "pids.current": current });
      const code = `import os
try:
    if os.fork() == 0: os._exit(0)
    print("forked")
except BlockingIOError: print("refused")`;
      const program = { stages: [{ command: ["python3", "-c", code], limits: { processes: 16 } }] };
      const outcome = await executeInPod(program, undefined, { binary, binds });
      expect(last(outcome)).toMatchObject({ limit, exit_code: 0 });
      expect(last(outcome).stdout.toString()).toBe(output);
    }
  });
});
