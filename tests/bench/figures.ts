import { existsSync, readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release } from "node:os";

import { z } from "zod";

import { quantiles } from "./measure.ts";

/** The values that half, nine tenths and 99 hundredths of the samples don't exceed, in milliseconds (nearest rank). */
const QUANTILES = z.object({ p50: z.number(), p90: z.number(), p99: z.number() });

/** What a case is to reach at p50: a share of the bare toolchain's time or rate, or milliseconds. */
const GOAL = z.union([z.object({ ratio: z.number() }), z.object({ ms: z.number() })]);
export type Goal = z.infer<typeof GOAL>;

/** One program, in turn with its bare toolchain or, on a cluster, with a bare Job. */
const CASE = z.object({
  group: z.enum(["interpreters", "compilers", "cluster"]),
  name: z.string(),
  /** How often each side was measured. */
  samples: z.int(),
  bareMs: QUANTILES,
  oursMs: QUANTILES,
  /** The same in a plain bubblewrap, which limits nothing. */
  bubblewrapMs: QUANTILES.optional(),
  /** Ours over bare, at p50. */
  ratio: z.number(),
  goal: GOAL.optional(),
});
export type Case = z.infer<typeof CASE>;

/** Several clients at once, each of which asks again when it is answered. */
const THROUGHPUT = z.object({
  name: z.string(),
  clients: z.int(),
  barePerSecond: z.number(),
  oursPerSecond: z.number(),
  /** Ours over bare. */
  ratio: z.number(),
  goal: GOAL.optional(),
});
export type Throughput = z.infer<typeof THROUGHPUT>;

/** What the server's own process has taken after so many runs, without its sandboxes. */
const FOOTPRINT = z.object({
  runs: z.int(),
  residentMiB: z.number(),
  heapMiB: z.number(),
  /** Of a run since the row before; none where there was no run. */
  cpuMsPerRun: z.number().optional(),
});
export type Footprint = z.infer<typeof FOOTPRINT>;

/** How late the server's event loop was while so many clients asked at once. */
const EVENT_LOOP = z.object({ language: z.string(), clients: z.int(), runs: z.int(), delayMs: QUANTILES });
export type EventLoop = z.infer<typeof EVENT_LOOP>;

const SERVER = z.object({
  /** From the process's start to the first answer, on a new data folder and on one that was used. */
  startMs: z.object({ first: z.number(), second: z.number() }),
  memory: z.object({ language: z.string(), footprints: z.array(FOOTPRINT) }).optional(),
  eventLoop: EVENT_LOOP.optional(),
});
export type ServerFigures = z.infer<typeof SERVER>;

/** How much later what a program writes arrives, and the answer to what is typed. */
const LIVE = z.object({ eventsMs: QUANTILES, echoMs: QUANTILES });
export type LiveFigures = z.infer<typeof LIVE>;

const MACHINE = z.object({
  processor: z.string(),
  processors: z.int(),
  kernel: z.string(),
  cgroupVersion: z.int(),
  node: z.string(),
  /** Processes that ran or waited for a processor, by the kernel's average over the last minute. */
  load: z.object({ before: z.number(), after: z.number() }),
});
export type Machine = z.infer<typeof MACHINE>;

/** What one call of a benchmark found: what `--json FILE` writes and `npm run bench:plot` reads. */
const FIGURES = z.object({
  machine: MACHINE,
  cases: z.array(CASE),
  throughput: z.array(THROUGHPUT),
  live: LIVE,
  server: SERVER.optional(),
});
export type Figures = z.infer<typeof FIGURES>;

/** Reads what a benchmark has written; throws with the path and what is wrong with it. */
export function readFigures(path: string): Figures {
  const parsed = FIGURES.safeParse(JSON.parse(readFileSync(path, "utf8")));
  if (!parsed.success) throw new Error(`${path} has no figures of a benchmark: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** The figures as text, with numbers no finer than a clock and a noisy machine give them. */
export function figuresText(figures: Figures): string {
  const rounded = (_: string, value: unknown): unknown =>
    typeof value === "number" ? Number(value.toFixed(4)) : value;
  return `${JSON.stringify(figures, rounded, 2)}\n`;
}

export function machine(loadBefore: number): Machine {
  return {
    processor: cpus()[0]?.model ?? "unknown processor",
    processors: availableParallelism(),
    kernel: release(),
    cgroupVersion: existsSync("/sys/fs/cgroup/cgroup.controllers") ? 2 : 1,
    node: process.versions.node,
    load: { before: loadBefore, after: loadNow() },
  };
}

export function loadNow(): number {
  return loadavg()[0] ?? NaN;
}

export interface CaseSamples {
  group: Case["group"];
  name: string;
  /** Milliseconds. */
  bare: readonly number[];
  ours: readonly number[];
  bubblewrap?: readonly number[] | undefined;
  goal?: Goal | undefined;
}

export function caseOf({ group, name, bare, ours, bubblewrap, goal }: CaseSamples): Case {
  const [bareMs, oursMs] = [quantiles(bare), quantiles(ours)];
  return {
    group,
    name,
    samples: ours.length,
    bareMs,
    oursMs,
    bubblewrapMs: bubblewrap === undefined ? undefined : quantiles(bubblewrap),
    ratio: oursMs.p50 / bareMs.p50,
    goal,
  };
}
