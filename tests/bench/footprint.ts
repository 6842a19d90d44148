import { readFile } from "node:fs/promises";

import { readMetrics } from "../support/metrics.ts";
import type { Server } from "../support/server.ts";

const MiB = 1024 * 1024;

/** What the server itself takes, without the sandboxes. */
export interface Footprint {
  runs: number;
  rssMiB: number;
  heapMiB: number;
  /** How late the event loop was in one of a hundred turns since its last report. */
  eventLoopDelayMs: number;
  cpuSeconds: number;
}

/** Reads the server's memory: resident from the kernel, the heap and the delay from `/metrics`. */
export async function readFootprint(server: Server, runs: number): Promise<Footprint> {
  const response = await fetch(new URL("/metrics", server.url), { signal: AbortSignal.timeout(10_000) });
  const metrics = readMetrics(await response.text());
  const status = await readFile(`/proc/${server.pid}/status`, "utf8");
  return {
    runs,
    rssMiB: Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024,
    heapMiB: metrics.sum("nodejs_heap_size_used_bytes") / MiB,
    eventLoopDelayMs: 1000 * metrics.sum("nodejs_eventloop_lag_p99_seconds"),
    cpuSeconds: metrics.sum("process_cpu_seconds_total"),
  };
}
