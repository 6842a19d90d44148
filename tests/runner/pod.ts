import { join } from "node:path";
import type { Cgroup } from "./cgroup.ts";
import type { Outcome } from "./frames.ts";
import { environmentOf, type ProgramSpec } from "./program.ts";
import { Sandbox, type SandboxOptions } from "./sandbox.ts";

/** Where a container sees the folders of its cgroup. */
export function boundCgroup(folders: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries([...folders].map(([hierarchy, folder]) => [join("/sys/fs/cgroup", hierarchy), folder]));
}

/** How a pod's container starts with this program, whose cgroup it sees but may not write. */
export function podOptions(program: ProgramSpec, cgroup?: Cgroup, more: SandboxOptions = {}): SandboxOptions {
  return {
    ...more,
    pod: true,
    options: ["--program-in-environment"],
    environment: environmentOf(program),
    binds: { ...more.binds, ...(cgroup === undefined ? {} : boundCgroup(cgroup.folders)) },
    ...(cgroup === undefined ? {} : { joins: cgroup.joins }),
  };
}

/** Runs a program in what is like a pod's container, from start to end. */
export async function executeInPod(program: ProgramSpec, cgroup?: Cgroup, more?: SandboxOptions): Promise<Outcome> {
  await using sandbox = new Sandbox(podOptions(program, cgroup, more));
  return await sandbox.outcome();
}

/** Python that starts as many threads as it may, 100 at most, and prints how many those are. */
export const THREADS = `import threading
hold = threading.Event()
threads = []
try:
    while len(threads) < 100:
        thread = threading.Thread(target=hold.wait)
        thread.start()
        threads.append(thread)
except RuntimeError: pass
print(len(threads))
hold.set()`;
