import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { eventually } from "./time.ts";

/** Where a cluster that runs on this machine keeps the process ids of its components, beside its kubeconfig. */
const PIDS = join(dirname(process.env["KUBECONFIG"] ?? "/nowhere/x"), "pid");

export type Component = "kube-apiserver" | "kubelet" | "kube-controller-manager" | "etcd";

/** Whether the cluster's components are processes of this machine that a test may kill: each is started again by itself. */
export const COMPONENTS_ARE_HERE = existsSync(join(PIDS, "kube-apiserver"));

/** The component's process; another one after each restart. */
export function pidOf(component: Component): number {
  return Number(readFileSync(join(PIDS, component), "utf8"));
}

/** Kills a component of the cluster, which starts again after `pauseSeconds`. */
export function killComponent(component: Component, pauseSeconds: number): void {
  writeFileSync(join(PIDS, `${component}.pause`), String(pauseSeconds));
  process.kill(pidOf(component), "SIGKILL");
}

/** Starts a component that was killed, however much of its pause is left. */
export function endPause(component: Component): void {
  const keeper = readFileSync(join(PIDS, `${component}.keeper`), "utf8").trim();
  const children = readFileSync(`/proc/${keeper}/task/${keeper}/children`, "utf8").split(" ");
  // What it starts anew is itself a child, which is not to be ended.
  const sleeps = children.filter((pid) => pid !== "" && nameOf(pid) === "sleep");
  for (const pid of sleeps) process.kill(Number(pid), "SIGTERM");
}

/** The name of a process; undefined when it has ended. */
function nameOf(pid: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return undefined;
  }
}

/** Waits until the component that was killed runs again. */
export async function restarted(component: Component, pid: number, milliseconds: number): Promise<void> {
  await eventually(milliseconds, `${component} again`, () => {
    const now = pidOf(component);
    return now !== pid && existsSync(`/proc/${now}`) ? true : undefined;
  });
  rmSync(join(PIDS, `${component}.pause`), { force: true });
}
