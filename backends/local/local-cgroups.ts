import { accessSync, constants, readFileSync, writeFileSync } from "node:fs";
import { mkdir, readdir, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { findCgroupMounts } from "./local-cgroup-mounts.ts";
import type { CgroupMounts, Controller } from "./local-cgroup-mounts.ts";

/** Memory that a sandbox needs beside its program: the runner and the kernel's accounts of it, in bytes. */
const MEMORY_HEADROOM_BYTES = 16 * 1024 * 1024;

/** The runner, which the kernel counts with the program's processes. */
const OWN_PROCESSES = 1;

/** A period of the scheduler's bandwidth control: the longest the kernel takes, so that a short program is not throttled. */
const CPU_PERIOD_US = 1_000_000;

export interface CgroupLimits {
  memoryBytes: number;
  processes: number;
  cpuMillicores: number;
}

interface ControllerFiles {
  /** Limits: file and the text to write for each. */
  memoryLimit: string;
  /** The sandbox's weight beside others, before it has a program and with it. */
  cpuWeight: { file: string; waiting: string; running: string };
  /** Keeps the sandbox's memory out of the swap space, which the memory limit leaves out. */
  noSwap: [file: string, text: string];
  cpuLimit: (quotaUs: number) => [file: string, text: string][];
  /** What the runner reads and sets by itself, by the name of its option. */
  forRunner: [option: string, controller: Controller, file: string, access: number][];
  oomEvents: string;
}

const FILES: Record<1 | 2, ControllerFiles> = {
  // Documentation/admin-guide/cgroup-v1/memory.rst and scheduler/sched-bwc.rst of the kernel.
  1: {
    memoryLimit: "memory.limit_in_bytes",
    cpuWeight: { file: "cpu.shares", waiting: "256", running: "1024" },
    noSwap: ["memory.swappiness", "0"],
    cpuLimit: (quotaUs) => [
      ["cpu.cfs_period_us", String(CPU_PERIOD_US)],
      ["cpu.cfs_quota_us", String(quotaUs)],
    ],
    forRunner: [
      ["--cpu-usage-fd", "cpuacct", "cpuacct.usage", constants.R_OK],
      ["--memory-peak-fd", "memory", "memory.max_usage_in_bytes", constants.W_OK],
      ["--memory-limit-fd", "memory", "memory.limit_in_bytes", constants.W_OK],
      ["--memory-events-fd", "memory", "memory.oom_control", constants.R_OK],
      ["--pids-events-fd", "pids", "pids.events", constants.R_OK],
    ],
    oomEvents: "memory.oom_control",
  },
  // Documentation/admin-guide/cgroup-v2.rst of the kernel.
  2: {
    memoryLimit: "memory.max",
    cpuWeight: { file: "cpu.weight", waiting: "25", running: "100" },
    noSwap: ["memory.swap.max", "0"],
    cpuLimit: (quotaUs) => [["cpu.max", `${quotaUs} ${CPU_PERIOD_US}`]],
    forRunner: [
      ["--cpu-usage-fd", "cpuacct", "cpu.stat", constants.R_OK],
      ["--memory-peak-fd", "memory", "memory.peak", constants.W_OK],
      ["--memory-limit-fd", "memory", "memory.max", constants.W_OK],
      ["--memory-events-fd", "memory", "memory.events", constants.R_OK],
      ["--pids-events-fd", "pids", "pids.events", constants.R_OK],
    ],
    oomEvents: "memory.events",
  },
};

function isErrno(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

function allows(path: string, access: number): boolean {
  try {
    accessSync(path, access);
    return true;
  } catch (error) {
    if (isErrno(error, "ENOENT", "EACCES", "EPERM", "EROFS")) return false;
    throw error;
  }
}

function forbidSwap(folder: string, [file, text]: ControllerFiles["noSwap"]): void {
  try {
    writeFileSync(join(folder, file), text, { flag: "r+" });
  } catch (error) {
    // A kernel without swap space has no such file.
    if (!isErrno(error, "ENOENT")) throw error;
  }
}

/** Removes a cgroup without children; waits for the last of its dying processes, two seconds at most. */
async function removeCgroup(path: string): Promise<void> {
  for (let waitMs = 1; ; waitMs *= 2) {
    try {
      await rmdir(path);
      return;
    } catch (error) {
      if (isErrno(error, "ENOENT")) return;
      if (!isErrno(error, "EBUSY") || waitMs > 1024) throw error;
    }
    await delay(waitMs);
  }
}

/** A file of the cgroup that the runner uses, and the option that tells it the file's descriptor. */
export interface RunnerFile {
  option: string;
  path: string;
  writable: boolean;
}

/**
 * The cgroup of one sandbox: one folder in each hierarchy that could be written. Making and removing it takes the kernel
 * milliseconds in all, so the server's only thread does not wait for it. Reading and writing its files takes microseconds
 * and is done synchronously: a thread's hand-over costs more.
 */
export class SandboxCgroup {
  readonly #version: 1 | 2;
  readonly #folders: ReadonlyMap<Controller, string>;

  private constructor(mounts: CgroupMounts, name: string) {
    this.#version = mounts.version;
    this.#folders = new Map([...mounts.folders].map(([controller, parent]) => [controller, join(parent, name)]));
  }

  static async make(mounts: CgroupMounts, name: string): Promise<SandboxCgroup> {
    const cgroup = new SandboxCgroup(mounts, name);
    await Promise.all(cgroup.#distinct().map((folder) => mkdir(folder)));
    const memory = cgroup.#folders.get("memory");
    const { noSwap, cpuWeight } = FILES[cgroup.#version];
    if (memory !== undefined) forbidSwap(memory, noSwap);
    const cpu = cgroup.#folders.get("cpu");
    if (cpu !== undefined) writeFileSync(join(cpu, cpuWeight.file), cpuWeight.waiting);
    return cgroup;
  }

  /** The version's number for the runner's `--cgroup`. */
  get version(): 1 | 2 {
    return this.#version;
  }

  /** Where a process joins by writing its id, or 0 for its own. On version 1 the first write after idleness takes 10 to 19 ms. */
  get procs(): string[] {
    return this.#distinct().map((folder) => join(folder, "cgroup.procs"));
  }

  runnerFiles(): RunnerFile[] {
    const files: RunnerFile[] = [];
    for (const [option, controller, file, access] of FILES[this.#version].forRunner) {
      const folder = this.#folders.get(controller);
      if (folder === undefined) continue;
      const path = join(folder, file);
      // memory.peak can only be read before Linux 6.12 and is missing before 5.19, as is pids.events on old version 1.
      const writable = access === constants.W_OK && allows(path, access);
      if (writable || allows(path, constants.R_OK)) files.push({ option, path, writable });
    }
    return files;
  }

  limit(limits: CgroupLimits): void {
    const files = FILES[this.#version];
    const quotaUs = Math.max(1000, (limits.cpuMillicores * CPU_PERIOD_US) / 1000);
    const writes: [Controller, string, string][] = [
      ["memory", files.memoryLimit, String(limits.memoryBytes + MEMORY_HEADROOM_BYTES)],
      ["pids", "pids.max", String(limits.processes + OWN_PROCESSES)],
      ["cpu", files.cpuWeight.file, files.cpuWeight.running],
      ...files.cpuLimit(quotaUs).map(([file, text]): [Controller, string, string] => ["cpu", file, text]),
    ];
    for (const [controller, file, text] of writes) {
      const folder = this.#folders.get(controller);
      if (folder !== undefined) writeFileSync(join(folder, file), text);
    }
  }

  /** How many processes the kernel has killed here for want of memory; 0 where it does not say. */
  oomKills(): number {
    const folder = this.#folders.get("memory");
    if (folder === undefined) return 0;
    const text = readFileSync(join(folder, FILES[this.#version].oomEvents), "utf8");
    return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
  }

  async destroy(): Promise<void> {
    await Promise.all(this.#distinct().map(removeCgroup));
  }

  #distinct(): string[] {
    return [...new Set(this.#folders.values())];
  }
}

/** What the kernel can't enforce for want of which controller. */
const ENFORCES: Partial<Record<Controller, string>> = {
  memory: "memory_bytes",
  pids: "the figure of processes (a limit of the user id stands in where it has one of its own)",
  cpu: "cpu_millicores",
  cpuacct: "the processor time of all processes together (each process has a limit of its own)",
};

/** The server's part of the cgroup hierarchies, in which each sandbox gets a cgroup. */
export class LocalCgroups implements AsyncDisposable {
  readonly #mounts: CgroupMounts | undefined;
  readonly problems: readonly string[];

  private constructor(mounts: CgroupMounts | undefined, problems: readonly string[]) {
    this.#mounts = mounts;
    this.problems = problems;
  }

  /** Finds the hierarchies that can be written and makes a folder called `name` in each; removes what an earlier server left there. */
  static async open(name: string): Promise<LocalCgroups> {
    const { mounts, reasons } = await findCgroupMounts(name);
    const problems = [...reasons].map(
      ([controller, reason]) =>
        `degraded: the cgroup controller ${controller} can't be used (${reason}), so not enforced: ${ENFORCES[controller] ?? controller}`,
    );
    if (mounts !== undefined) {
      for (const folder of new Set(mounts.folders.values())) {
        for (const entry of await readdir(folder, { withFileTypes: true })) {
          if (entry.isDirectory()) await removeCgroup(join(folder, entry.name));
        }
      }
    }
    return new LocalCgroups(mounts, problems);
  }

  /** Whether a pids cgroup bounds the number of processes. */
  get countsProcesses(): boolean {
    return this.#mounts?.folders.has("pids") ?? false;
  }

  /** A cgroup of its own for one sandbox; undefined where no controller can be used. */
  async create(name: string): Promise<SandboxCgroup | undefined> {
    return this.#mounts === undefined ? undefined : await SandboxCgroup.make(this.#mounts, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const folder of new Set(this.#mounts?.folders.values() ?? [])) await removeCgroup(folder);
  }
}
