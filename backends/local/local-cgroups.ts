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

/** What the runner does with a file; one that it resets serves it as well when it can only be read. */
type Use = "read" | "reset" | "write";

interface ControllerFiles {
  /** Limits: file and the text to write for each. */
  memoryLimit: string;
  /** The sandbox's weight beside others while it makes ready for a program, a quarter of the usual, which its runner then sets. */
  waitingWeight: [file: string, text: string];
  /** Keeps the sandbox's memory out of the swap space, which the memory limit leaves out. */
  noSwap: [file: string, text: string];
  cpuLimit: (quotaUs: number) => [file: string, text: string][];
  /**
   * How much of what was not used of one period may be used in the next: a period's share, so that a short program which takes
   * a little more is not held up to the period's end. No more than the quota (sched-bwc.rst, "Burst feature"; Linux 5.14).
   */
  cpuBurst: string;
  /** What the runner reads and sets by itself, by the name of its option. */
  forRunner: [option: string, controller: Controller, file: string, use: Use][];
  oomEvents: string;
}

const FILES: Record<1 | 2, ControllerFiles> = {
  // Documentation/admin-guide/cgroup-v1/memory.rst and scheduler/sched-bwc.rst of the kernel.
  1: {
    memoryLimit: "memory.limit_in_bytes",
    waitingWeight: ["cpu.shares", "256"],
    noSwap: ["memory.swappiness", "0"],
    cpuLimit: (quotaUs) => [
      ["cpu.cfs_period_us", String(CPU_PERIOD_US)],
      ["cpu.cfs_quota_us", String(quotaUs)],
    ],
    cpuBurst: "cpu.cfs_burst_us",
    forRunner: [
      ["--cpu-usage-fd", "cpuacct", "cpuacct.usage", "read"],
      ["--memory-peak-fd", "memory", "memory.max_usage_in_bytes", "reset"],
      ["--memory-limit-fd", "memory", "memory.limit_in_bytes", "write"],
      ["--memory-events-fd", "memory", "memory.oom_control", "read"],
      ["--pids-events-fd", "pids", "pids.events", "read"],
      ["--cpu-weight-fd", "cpu", "cpu.shares", "write"],
    ],
    oomEvents: "memory.oom_control",
  },
  // Documentation/admin-guide/cgroup-v2.rst of the kernel.
  2: {
    memoryLimit: "memory.max",
    waitingWeight: ["cpu.weight", "25"],
    noSwap: ["memory.swap.max", "0"],
    cpuLimit: (quotaUs) => [["cpu.max", `${quotaUs} ${CPU_PERIOD_US}`]],
    cpuBurst: "cpu.max.burst",
    forRunner: [
      ["--cpu-usage-fd", "cpuacct", "cpu.stat", "read"],
      ["--memory-peak-fd", "memory", "memory.peak", "reset"],
      ["--memory-limit-fd", "memory", "memory.max", "write"],
      ["--memory-events-fd", "memory", "memory.events", "read"],
      ["--pids-events-fd", "pids", "pids.events", "read"],
      ["--cpu-weight-fd", "cpu", "cpu.weight", "write"],
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

/** What the machine's kernel has of the files of a cgroup, by their paths below the hierarchies' own. */
interface KnownFiles {
  /** The limits with which a cgroup is made, where all files for them could be written. */
  usual: CgroupLimits | undefined;
  forRunner: readonly { option: string; controller: Controller; file: string; writable: boolean }[];
  /** Written when a cgroup is made. */
  initial: readonly { controller: Controller; file: string; text: string }[];
}

function textIn(initial: KnownFiles["initial"], controller: Controller, file: string): string | undefined {
  return initial.find((known) => known.controller === controller && known.file === file)?.text;
}

function areSame(one: CgroupLimits, other: CgroupLimits): boolean {
  return (
    one.memoryBytes === other.memoryBytes &&
    one.processes === other.processes &&
    one.cpuMillicores === other.cpuMillicores
  );
}

function limitTexts(version: 1 | 2, limits: CgroupLimits): [Controller, string, string][] {
  const files = FILES[version];
  const quotaUs = Math.max(1000, (limits.cpuMillicores * CPU_PERIOD_US) / 1000);
  return [
    ["memory", files.memoryLimit, String(limits.memoryBytes + MEMORY_HEADROOM_BYTES)],
    ["pids", "pids.max", String(limits.processes + OWN_PROCESSES)],
    ...files.cpuLimit(quotaUs).map(([file, text]): [Controller, string, string] => ["cpu", file, text]),
    ["cpu", files.cpuBurst, String(quotaUs)],
  ];
}

/** Looks at a cgroup, which the caller makes and removes, for what is there. */
function lookAt(version: 1 | 2, folders: ReadonlyMap<Controller, string>, usual: CgroupLimits): KnownFiles {
  const { waitingWeight, noSwap, forRunner } = FILES[version];
  const wanted: [Controller, string, string][] = [
    ["cpu", ...waitingWeight],
    ["memory", ...noSwap],
    ...limitTexts(version, usual),
  ];
  const path = (controller: Controller, file: string): string | undefined => {
    const folder = folders.get(controller);
    return folder === undefined ? undefined : join(folder, file);
  };
  // A kernel without swap space has no such file.
  const initial = wanted.flatMap(([controller, file, text]) => {
    const place = path(controller, file);
    return place !== undefined && allows(place, constants.W_OK) ? [{ controller, file, text }] : [];
  });
  return {
    usual: limitTexts(version, usual).every(([controller, file]) => textIn(initial, controller, file) !== undefined)
      ? usual
      : undefined,
    forRunner: forRunner.flatMap(([option, controller, file, use]) => {
      const place = path(controller, file);
      if (place === undefined) return [];
      // memory.peak can only be read before Linux 6.12 and is missing before 5.19, as is pids.events on old version 1.
      const writable = use !== "read" && allows(place, constants.W_OK);
      return writable || (use !== "write" && allows(place, constants.R_OK))
        ? [{ option, controller, file, writable }]
        : [];
    }),
    initial,
  };
}

/**
 * The cgroup of one sandbox: one folder in each hierarchy that could be written. The launcher makes and removes it, which
 * takes the kernel milliseconds in all. Reading and writing its files takes microseconds and is done synchronously: a
 * thread's hand-over costs more. What a run wants the same as most do is written by the launcher as well.
 */
export class SandboxCgroup {
  readonly #mounts: CgroupMounts;
  readonly #known: KnownFiles;
  readonly #name: string;

  constructor(mounts: CgroupMounts, known: KnownFiles, name: string) {
    this.#mounts = mounts;
    this.#known = known;
    this.#name = name;
  }

  get version(): 1 | 2 {
    return this.#mounts.version;
  }

  /** What the launcher makes. */
  get folders(): string[] {
    return [...new Set(this.#mounts.folders.values())].map((parent) => join(parent, this.#name));
  }

  /** What it writes there. */
  get writes(): { path: string; text: string }[] {
    return this.#known.initial.map(({ controller, file, text }) => ({ path: this.#path(controller, file), text }));
  }

  /** Where the kernel counts what it kills for want of memory. */
  get oomEvents(): string | undefined {
    return this.#mounts.folders.has("memory") ? this.#path("memory", FILES[this.version].oomEvents) : undefined;
  }

  get runnerFiles(): RunnerFile[] {
    return this.#known.forRunner.map(({ option, controller, file, writable }) => ({
      option,
      path: this.#path(controller, file),
      writable,
    }));
  }

  /** Gives the sandbox the limits of its program. */
  limit(limits: CgroupLimits): void {
    const { usual } = this.#known;
    if (usual !== undefined && areSame(usual, limits)) return;
    const { cpuBurst } = FILES[this.version];
    const changed = limitTexts(this.version, limits).filter(([controller, file, text]) => {
      const is = textIn(this.#known.initial, controller, file);
      return is !== text && (is !== undefined || file !== cpuBurst);
    });
    // A burst that is greater than the quota is refused, whichever of both is written.
    if (changed.some(([, file]) => file === cpuBurst)) this.#write("cpu", cpuBurst, "0");
    for (const [controller, file, text] of changed) this.#write(controller, file, text);
  }

  #path(controller: Controller, file: string): string {
    return join(this.#mounts.folders.get(controller) ?? "/", this.#name, file);
  }

  #write(controller: Controller, file: string, text: string): void {
    if (this.#mounts.folders.has(controller)) writeFileSync(this.#path(controller, file), text, { flag: "r+" });
  }

  /** How many processes the kernel has killed here for want of memory; 0 where it does not say, and after the end. */
  oomKills(): number {
    const { oomEvents } = this;
    if (oomEvents === undefined) return 0;
    try {
      return Number(/^oom_kill (\d+)$/m.exec(readFileSync(oomEvents, "utf8"))?.[1] ?? 0);
    } catch (error) {
      if (isErrno(error, "ENOENT", "ENODEV")) return 0;
      throw error;
    }
  }

  /** Removes what the launcher could not. */
  async destroy(): Promise<void> {
    await Promise.all(this.folders.map(removeCgroup));
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
  readonly #known: KnownFiles;
  readonly problems: readonly string[];

  private constructor(mounts: CgroupMounts | undefined, known: KnownFiles, problems: readonly string[]) {
    this.#mounts = mounts;
    this.#known = known;
    this.problems = problems;
  }

  /**
   * Finds the hierarchies that can be written and makes a folder called `name` in each; removes what an earlier server left
   * there. Sandboxes are made with the limits that most runs will have.
   */
  static async open(name: string, usual: CgroupLimits): Promise<LocalCgroups> {
    const { mounts, reasons } = await findCgroupMounts(name);
    const problems = [...reasons].map(
      ([controller, reason]) =>
        `degraded: the cgroup controller ${controller} can't be used (${reason}), so not enforced: ${ENFORCES[controller] ?? controller}`,
    );
    let known: KnownFiles = { usual: undefined, forRunner: [], initial: [] };
    if (mounts !== undefined) {
      for (const folder of new Set(mounts.folders.values())) {
        for (const entry of await readdir(folder, { withFileTypes: true })) {
          if (entry.isDirectory()) await removeCgroup(join(folder, entry.name));
        }
      }
      known = await LocalCgroups.#explore(mounts, usual);
    }
    return new LocalCgroups(mounts, known, problems);
  }

  static async #explore(mounts: CgroupMounts, usual: CgroupLimits): Promise<KnownFiles> {
    const folders = new Map([...mounts.folders].map(([controller, parent]) => [controller, join(parent, "example")]));
    const distinct = [...new Set(folders.values())];
    for (const folder of distinct) await mkdir(folder);
    try {
      return lookAt(mounts.version, folders, usual);
    } finally {
      for (const folder of distinct) await removeCgroup(folder);
    }
  }

  /** Whether a pids cgroup bounds the number of processes. */
  get countsProcesses(): boolean {
    return this.#mounts?.folders.has("pids") ?? false;
  }

  /** A cgroup of its own for one sandbox, for the launcher to make; undefined where no controller can be used. */
  create(name: string): SandboxCgroup | undefined {
    return this.#mounts === undefined ? undefined : new SandboxCgroup(this.#mounts, this.#known, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const folder of new Set(this.#mounts?.folders.values() ?? [])) await removeCgroup(folder);
  }
}
