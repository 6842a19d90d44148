import { readFile } from "node:fs/promises";

import { EVENT_LOOP_PRECISION_MS } from "../../api/metrics.ts";
import { readMetrics } from "../support/metrics.ts";
import type { Metrics } from "../support/metrics.ts";
import type { Server } from "../support/server.ts";
import type { EventLoop, Footprint } from "./figures.ts";
import { executeMany } from "./measure.ts";
import type { Subject } from "./subjects.ts";

const MiB = 1024 * 1024;
const FIRST_STOP_RUNS = 1000;
/** Long enough for two hundred samples of the event loop's delay. */
export const EVENT_LOOP_SECONDS = 20;

/** What the server says of itself; the event loop's delays count from the last time on. */
async function metricsOf(server: Server): Promise<Metrics> {
  const response = await fetch(new URL("/metrics", server.url), { signal: AbortSignal.timeout(10_000) });
  return readMetrics(await response.text());
}

interface Reading {
  residentMiB: number;
  heapMiB: number;
  cpuMs: number;
}

/** Memory that is resident by the kernel, the rest from `/metrics`. */
async function read(server: Server): Promise<Reading> {
  const metrics = await metricsOf(server);
  const status = await readFile(`/proc/${server.pid}/status`, "utf8");
  return {
    residentMiB: Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024,
    heapMiB: metrics.sum("nodejs_heap_size_used_bytes") / MiB,
    cpuMs: 1000 * metrics.sum("process_cpu_seconds_total"),
  };
}

/** After how many runs the memory is read: a thousand, and each quarter of all. */
function stops(allRuns: number): number[] {
  const quarters = [1, 2, 3, 4].map((quarter) => Math.ceil((quarter * allRuns) / 4));
  return [...new Set([FIRST_STOP_RUNS, ...quarters])].filter((runs) => runs <= allRuns).toSorted((a, b) => a - b);
}

/** What a server takes that has done nothing yet, and after so many runs. */
export async function measureFootprints(
  server: Server,
  subject: Subject,
  clients: number,
  allRuns: number,
): Promise<Footprint[]> {
  let { cpuMs, ...rest } = await read(server);
  const footprints: Footprint[] = [{ runs: 0, ...rest }];
  let runs = 0;
  for (const stop of stops(allRuns)) {
    console.error(`memory after ${stop} runs`);
    const count = await executeMany(subject, clients, { count: stop - runs });
    const before = cpuMs;
    ({ cpuMs, ...rest } = await read(server));
    runs += count;
    footprints.push({ runs, ...rest, cpuMsPerRun: (cpuMs - before) / count });
  }
  return footprints;
}

/** How late the event loop is while `clients` ask at once: the server samples it, and counts the time between two samples in. */
export async function measureEventLoop(
  server: Server,
  subject: Subject,
  clients: number,
): Promise<Pick<EventLoop, "clients" | "runs" | "delayMs">> {
  await metricsOf(server);
  const runs = await executeMany(subject, clients, { deadline: performance.now() + 1000 * EVENT_LOOP_SECONDS });
  const metrics = await metricsOf(server);
  const late = (percentile: string): number =>
    Math.max(0, 1000 * metrics.sum(`nodejs_eventloop_lag_${percentile}_seconds`) - EVENT_LOOP_PRECISION_MS);
  return { clients, runs, delayMs: { p50: late("p50"), p90: late("p90"), p99: late("p99") } };
}
