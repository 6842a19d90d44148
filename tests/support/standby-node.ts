import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";

import { make, patch, remove } from "./cluster.ts";

/** Far less than the 50 s of silence after which a node counts as lost. */
const BEAT_MS = 5000;

async function beat(path: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const lastHeartbeatTime = new Date().toISOString();
    const ready = { type: "Ready", status: "True", reason: "Standby", message: "", lastHeartbeatTime };
    await patch(`${path}/status`, { status: { conditions: [ready] } });
    await delay(BEAT_MS, undefined, { signal }).catch(() => {});
  }
}

/**
 * A second node, on which nothing can run; gone with `await using`. When no node answers, a cluster takes that for its own
 * fault and evicts nothing: https://kubernetes.io/docs/concepts/architecture/nodes/#rate-limits-on-eviction
 */
export async function standbyNode(): Promise<AsyncDisposable & { name: string }> {
  const name = `sandbox-standby-${randomBytes(4).toString("hex")}`;
  const path = `/api/v1/nodes/${name}`;
  await make("/api/v1/nodes", {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name },
    spec: { unschedulable: true },
  });
  const stop = new AbortController();
  const beating = beat(path, stop.signal);
  beating.catch(() => stop.abort());
  return {
    name,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await remove(path);
      await beating;
    },
  };
}
