import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = "/sys/fs/cgroup";
export const CGROUP_VERSION = existsSync(join(ROOT, "cgroup.controllers")) ? 2 : 1;

type Figure = "cpu-usage" | "memory-peak" | "memory-limit" | "memory-events" | "pids-events";

/** The files of each figure: hierarchy (v1), name, and how it is opened. */
const PLACES: Record<1 | 2, Record<Figure, readonly [string, string, "r" | "r+"]>> = {
  1: {
    "cpu-usage": ["cpuacct", "cpuacct.usage", "r"],
    "memory-peak": ["memory", "memory.max_usage_in_bytes", "r+"],
    "memory-limit": ["memory", "memory.limit_in_bytes", "r+"],
    "memory-events": ["memory", "memory.oom_control", "r"],
    "pids-events": ["pids", "pids.events", "r"],
  },
  2: {
    "cpu-usage": ["", "cpu.stat", "r"],
    "memory-peak": ["", "memory.peak", "r+"],
    "memory-limit": ["", "memory.max", "r+"],
    "memory-events": ["", "memory.events", "r"],
    "pids-events": ["", "pids.events", "r"],
  },
};

const HIERARCHIES = CGROUP_VERSION === 1 ? ["cpuacct", "memory", "pids"] : [""];
let made = 0;

/** The folder in which this process may make cgroups: its own on v1, the top on v2, where only leaves hold processes. */
function parentFolder(hierarchy: string): string {
  if (CGROUP_VERSION === 2) {
    writeFileSync(join(ROOT, "cgroup.subtree_control"), "+cpu +memory +pids");
    return ROOT;
  }
  const lines = readFileSync("/proc/self/cgroup", "latin1").split("\n");
  const line = lines.find((each) => each.split(":")[1]?.split(",").includes(hierarchy));
  if (line === undefined) throw new Error(`no hierarchy ${hierarchy} in /proc/self/cgroup`);
  return join(ROOT, hierarchy, line.split(":").slice(2).join(":"));
}

/** A cgroup for one sandbox, with its files opened as the runner gets them; removed with the `using` block. */
export class Cgroup implements AsyncDisposable {
  readonly folders = new Map<string, string>();
  readonly descriptors: number[] = [];
  readonly options: string[] = ["--cgroup", `${CGROUP_VERSION}`];

  constructor(figures: readonly Figure[] = Object.keys(PLACES[1]) as Figure[]) {
    made += 1;
    for (const hierarchy of HIERARCHIES) {
      const folder = join(parentFolder(hierarchy), `runner-test-${process.pid}-${made}`);
      mkdirSync(folder);
      this.folders.set(hierarchy, folder);
    }
    for (const figure of figures) {
      const [hierarchy, name, flags] = PLACES[CGROUP_VERSION][figure];
      this.descriptors.push(openSync(join(this.folders.get(hierarchy)!, name), flags));
      this.options.push(`--${figure}-fd`, `${2 + this.descriptors.length}`);
    }
  }

  get joins(): string[] {
    return [...this.folders.values()].map((folder) => join(folder, "cgroup.procs"));
  }

  limitProcesses(most: number): void {
    writeFileSync(join(this.folders.get(CGROUP_VERSION === 1 ? "pids" : "")!, "pids.max"), `${most}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const descriptor of this.descriptors) closeSync(descriptor);
    for (const folder of this.folders.values()) await removeWhenEmpty(folder);
  }
}

/** A process leaves its cgroup a little after it was reaped. */
async function removeWhenEmpty(folder: string): Promise<void> {
  const end = performance.now() + 10_000;
  for (;;) {
    try {
      rmdirSync(folder);
      return;
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise(setImmediate);
    }
  }
}
