import { readFileSync, readdirSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { runId } from "../../core/run.ts";

/** User ids of sandboxes begin here where the server may give them. */
const FIRST_SANDBOX_UID = 2_000_000_000;

/** The file's text; empty for one that can't be read, such as that of a process that has ended meanwhile. */
function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** State, parent and what follows of a process (proc_pid_stat(5), from the third field on); an empty one of one that is gone. */
export function statFieldsOf(pid: number | string): string[] {
  return read(`/proc/${pid}/stat`)
    .replace(/^.*\) /, "")
    .split(" ");
}

/** Whether a process stands in a sandbox of the server with this data folder, whose root it shows among its mounts. */
function belongs(pid: string, dataDir: string): boolean {
  return read(`/proc/${pid}/cmdline`).includes(dataDir) || read(`/proc/${pid}/mountinfo`).includes(dataDir);
}

function processesOf(dataDir: string): string[] {
  return list("/proc")
    .filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid && belongs(pid, dataDir))
    .map((pid) => `process ${pid}: ${read(`/proc/${pid}/cmdline`).replaceAll("\0", " ")}`);
}

/** The name of the server's cgroups, which comes from its data folder. */
function cgroupName(dataDir: string): string {
  return `sandbox-api-${runId("", dataDir).slice(1, 9)}`;
}

/** The server's cgroups, in every hierarchy. */
export function cgroupsOf(dataDir: string): string[] {
  const name = cgroupName(dataDir);
  const found: string[] = [];
  const walk = (folder: string, depth: number): void => {
    if (depth === 0) return;
    let entries;
    try {
      entries = readdirSync(folder, { withFileTypes: true });
    } catch {
      return;
    }
    for (const entry of entries) {
      if (!entry.isDirectory()) continue;
      const path = join(folder, entry.name);
      if (entry.name.startsWith(name)) found.push(path);
      walk(path, depth - 1);
    }
  };
  walk("/sys/fs/cgroup", 6);
  return found;
}

function mountsOf(dataDir: string): string[] {
  return read("/proc/self/mountinfo")
    .split("\n")
    .filter((line) => line.includes(dataDir));
}

/** Files in the machine's own temporary folders that belong to a sandbox's user. */
function filesOfSandboxes(): string[] {
  return [tmpdir(), "/dev/shm", "/var/tmp"].flatMap((folder) =>
    list(folder)
      .map((name) => join(folder, name))
      .filter((path) => {
        const stats = statSync(path, { throwIfNoEntry: false });
        return stats !== undefined && stats.uid >= FIRST_SANDBOX_UID;
      }),
  );
}

/** All that a server with this data folder has on the machine outside it: processes, mounts, cgroups, files. */
export function tracesOf(dataDir: string): string[] {
  return [...processesOf(dataDir), ...mountsOf(dataDir), ...cgroupsOf(dataDir), ...filesOfSandboxes()];
}

/** Every file and folder in the data folder but the sandboxes' root, by its path there. */
export function filesIn(dataDir: string): string[] {
  return list(dataDir)
    .flatMap((name) => [name, ...(name === "rootfs" ? [] : list(join(dataDir, name)).map((file) => join(name, file)))])
    .toSorted();
}
