import { readFileSync } from "node:fs";
import { availableParallelism, cpus, release } from "node:os";

import { LIMITS, LIMIT_NAMES } from "../../core/limits.ts";
import type { Footprint } from "./footprint.ts";
import { quantiles } from "./measure.ts";

export interface LatencyRow {
  language: string;
  /** Milliseconds; `bubblewrapMs` where that was asked for. */
  bareMs: number[];
  oursMs: number[];
  bubblewrapMs?: number[];
}

export interface ThroughputRow {
  language: string;
  barePerSecond: number;
  oursPerSecond: number;
}

export interface Report {
  startMs: { first: number; second: number };
  latency: LatencyRow[];
  throughput: ThroughputRow[];
  footprint: Footprint[];
}

/** Rows below headings, the first column to the left and the others to the right. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [headings, ...rows];
  const widths = headings.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ");
  return all.map(line).join("\n");
}

function percentiles(samples: readonly number[]): string {
  const { p50, p90, p99 } = quantiles(samples);
  return [p50, p90, p99].map((value) => value.toFixed(1)).join(" / ");
}

function latencyTable(rows: readonly LatencyRow[]): string {
  const headings = ["c=1, ms (p50 / p90 / p99)", "bare", "ours", "difference", "ratio", "plain bubblewrap"];
  return table(
    headings,
    rows.map(({ language, bareMs, oursMs, bubblewrapMs }) => {
      const [bare, ours] = [quantiles(bareMs).p50, quantiles(oursMs).p50];
      return [
        `${language} (${bareMs.length} pairs)`,
        percentiles(bareMs),
        percentiles(oursMs),
        (ours - bare).toFixed(1),
        (ours / bare).toFixed(2),
        bubblewrapMs === undefined ? "" : percentiles(bubblewrapMs),
      ];
    }),
  );
}

function throughputTable(rows: readonly ThroughputRow[], concurrency: number): string {
  return table(
    [`c=${concurrency}, runs a second`, "bare", "ours", "ratio"],
    rows.map(({ language, barePerSecond, oursPerSecond }) => [
      language,
      barePerSecond.toFixed(1),
      oursPerSecond.toFixed(1),
      (oursPerSecond / barePerSecond).toFixed(2),
    ]),
  );
}

function footprintTable(rows: readonly Footprint[]): string {
  return table(
    ["server after", "resident MiB", "heap MiB", "event loop p99 ms", "CPU s"],
    rows.map(({ runs, rssMiB, heapMiB, eventLoopDelayMs, cpuSeconds }) => [
      `${runs} runs`,
      ...[rssMiB, heapMiB, eventLoopDelayMs, cpuSeconds].map((value) => value.toFixed(1)),
    ]),
  );
}

/** The machine and the limits that the figures hold for. */
export function conditions(): string {
  const model = cpus()[0]?.model ?? "unknown processor";
  const load = readFileSync("/proc/loadavg", "utf8").split(" ").slice(0, 3).join(" ");
  const limits = LIMIT_NAMES.map((name) => `${name}=${LIMITS[name].default}`).join(" ");
  return [
    `${availableParallelism()} x ${model}, Linux ${release()}, Node ${process.versions.node}, load before ${load}`,
    `limits: ${limits}`,
  ].join("\n");
}

export function render({ startMs, latency, throughput, footprint }: Report, concurrency: number): string {
  return [
    latencyTable(latency),
    throughputTable(throughput, concurrency),
    footprintTable(footprint),
    `start-up, process to first answer: ${startMs.first.toFixed(0)} ms on a new folder, ${startMs.second.toFixed(0)} ms the second time`,
  ].join("\n\n");
}
