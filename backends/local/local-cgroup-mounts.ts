import { mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";

/** What the sandboxes are limited and measured by. On version 2 `cpuacct` is a part of `cpu`. */
export const CONTROLLERS = ["memory", "pids", "cpu", "cpuacct"] as const;
export type Controller = (typeof CONTROLLERS)[number];

export interface CgroupMounts {
  version: 1 | 2;
  /** For each usable controller the folder in which sandboxes get their cgroups. */
  folders: ReadonlyMap<Controller, string>;
}

export interface FoundCgroups {
  /** Undefined when no controller is usable. */
  mounts: CgroupMounts | undefined;
  /** Why a controller is not usable. */
  reasons: ReadonlyMap<Controller, string>;
}

interface Hierarchy {
  mountPoint: string;
  /** Where this process stands, as a folder below the mount point. */
  own: string;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Undoes the octal escapes of spaces and the like in /proc/self/mountinfo (proc_pid_mountinfo(5)). */
function unescape(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** The mounted hierarchies, by controller on version 1 and under the name "" on version 2. */
export function parseHierarchies(mountinfo: string, cgroup: string): Map<string, Hierarchy> {
  const paths = new Map<string, string>();
  for (const line of cgroup.trim().split("\n")) {
    const [, controllers = "", path = "/"] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    for (const controller of controllers.split(",")) paths.set(controller, path);
  }
  const hierarchies = new Map<string, Hierarchy>();
  for (const line of mountinfo.trim().split("\n")) {
    const [before = "", after = ""] = line.split(" - ", 2);
    const [, , , root = "/", mountPoint = ""] = before.split(" ").map(unescape);
    const [type, , options = ""] = after.split(" ");
    const names = type === "cgroup2" ? [""] : type === "cgroup" ? options.split(",") : [];
    for (const name of names) {
      const path = paths.get(name);
      if (path === undefined || hierarchies.has(name)) continue;
      const below = relative(root, path);
      // A path outside the mount is seen from a cgroup namespace: its root is all that can be reached.
      hierarchies.set(name, { mountPoint, own: below.startsWith("..") ? mountPoint : join(mountPoint, below) });
    }
  }
  return hierarchies;
}

async function makeFolder(parent: string, name: string): Promise<string> {
  const folder = join(parent, name);
  await mkdir(folder, { recursive: true });
  return folder;
}

async function openVersion1(hierarchies: Map<string, Hierarchy>, name: string): Promise<FoundCgroups> {
  const folders = new Map<Controller, string>();
  const reasons = new Map<Controller, string>();
  for (const controller of CONTROLLERS) {
    const hierarchy = hierarchies.get(controller);
    if (hierarchy === undefined) {
      reasons.set(controller, "it is not mounted");
      continue;
    }
    try {
      folders.set(controller, await makeFolder(hierarchy.own, name));
    } catch (error) {
      reasons.set(controller, reason(error));
    }
  }
  return { mounts: folders.size === 0 ? undefined : { version: 1, folders }, reasons };
}

const VERSION_2_CONTROLLERS = ["memory", "pids", "cpu"] as const;

async function words(folder: string, file: string): Promise<string[]> {
  return (await readFile(join(folder, file), "utf8")).trim().split(/\s+/);
}

async function enable(folder: string, controllers: readonly string[]): Promise<void> {
  const enabled = await words(folder, "cgroup.subtree_control");
  const missing = controllers.filter((controller) => !enabled.includes(controller));
  if (missing.length === 0) return;
  await writeFile(join(folder, "cgroup.subtree_control"), missing.map((controller) => `+${controller}`).join(" "));
}

/** Empties `folder` of processes into a leaf, since a cgroup that passes controllers on may hold none itself (cgroup-v2.rst). */
async function moveProcessesToLeaf(folder: string, name: string): Promise<void> {
  const leaf = await makeFolder(folder, `${name}-server`);
  for (const pid of (await readFile(join(folder, "cgroup.procs"), "utf8")).split("\n").filter(Boolean)) {
    try {
      await writeFile(join(leaf, "cgroup.procs"), pid);
    } catch (error) {
      // A process that has ended meanwhile needs no move.
      if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
    }
  }
}

/** Makes the folder with those controllers that `parent` can pass on to it. */
async function makeVersion2(
  parent: string,
  name: string,
  mayMove: boolean,
): Promise<{ folder: string; controllers: Controller[] }> {
  const available = await words(parent, "cgroup.controllers");
  const controllers = VERSION_2_CONTROLLERS.filter((controller) => available.includes(controller));
  if (controllers.length === 0) throw new Error(`${parent} has no controllers to pass on`);
  try {
    await enable(parent, controllers);
  } catch (error) {
    if (!(mayMove && error instanceof Error && "code" in error && error.code === "EBUSY")) throw error;
    await moveProcessesToLeaf(parent, name);
    await enable(parent, controllers);
  }
  const folder = await makeFolder(parent, name);
  try {
    await enable(folder, controllers);
  } catch (error) {
    await rmdir(folder);
    throw error;
  }
  return { folder, controllers };
}

/**
 * At the root of the hierarchy where that is allowed, since nothing has to be moved there, and otherwise in this
 * process's own cgroup, of which a service manager may have delegated some controllers.
 */
async function openVersion2(hierarchy: Hierarchy, name: string): Promise<FoundCgroups> {
  const places = [
    { parent: hierarchy.mountPoint, mayMove: false },
    { parent: hierarchy.own, mayMove: true },
  ];
  const failures: string[] = [];
  for (const { parent, mayMove } of places) {
    try {
      const { folder, controllers } = await makeVersion2(parent, name, mayMove);
      const missing = VERSION_2_CONTROLLERS.filter((controller) => !controllers.includes(controller));
      return {
        // Every cgroup counts its processor time, with the controller or without it.
        mounts: { version: 2, folders: new Map([...controllers, "cpuacct" as const].map((each) => [each, folder])) },
        reasons: new Map(missing.map((controller) => [controller, `it is not available in ${parent}`])),
      };
    } catch (error) {
      failures.push(reason(error));
    }
  }
  const reasons = new Map(CONTROLLERS.map((controller) => [controller, [...new Set(failures)].join("; ")]));
  return { mounts: undefined, reasons };
}

/** Finds this machine's cgroup hierarchies and makes a folder called `name` for the sandboxes in each that allows it. */
export async function findCgroupMounts(name: string): Promise<FoundCgroups> {
  const [mountinfo, cgroup] = await Promise.all([
    readFile("/proc/self/mountinfo", "utf8"),
    readFile("/proc/self/cgroup", "utf8"),
  ]);
  const hierarchies = parseHierarchies(mountinfo, cgroup);
  const version2 = hierarchies.get("");
  const isVersion1 = CONTROLLERS.some((controller) => hierarchies.has(controller));
  if (!isVersion1 && version2 !== undefined) return await openVersion2(version2, name);
  return await openVersion1(hierarchies, name);
}
