import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "@prometheus-io/client";

import type { Capacity } from "../core/backend.ts";
import type { CallbackOutcome } from "./callbacks/callback-dispatcher.ts";
import type { RunResult } from "../core/run.ts";

/** From a small program of an interpreter to the longest run that a usual maximum allows, in seconds. */
const BUCKETS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120];
/** From a busy pool to the age at which the usual settings replace what waits, in seconds. */
const AGE_BUCKETS = [0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600];
/**
 * How often the event loop's delay is sampled, in milliseconds: ten times rarer than the default, which costs wake-ups. What is
 * reported counts from the last sample, and so has this in it.
 */
export const EVENT_LOOP_PRECISION_MS = 100;
/** Over how long its utilization is taken each time, in milliseconds: as much rarer than the default, for the same reason. */
const EVENT_LOOP_UTILIZATION_MS = 1000;

/** Is told of every run that has ended. */
export interface RunObserver {
  finished(result: RunResult): void;
}

/** What Prometheus reads. Every label has few values: names of languages, routes, limits, never anything of a request. */
export class Metrics implements RunObserver {
  readonly #registry = new Registry();
  readonly #languages: ReadonlySet<string>;
  readonly #runs: Counter<"language" | "status">;
  readonly #durations: Histogram<"language">;
  readonly #wallTimes: Histogram<"language">;
  readonly #limits: Counter<"limit">;
  readonly #requests: Counter<"route" | "method" | "status">;
  readonly #claims: Counter<"language" | "result">;
  readonly #waits: Histogram<"language">;
  readonly #waiting: Gauge<"language">;
  readonly #compiles: Counter<"language" | "result">;
  readonly #callbacks: Counter<"result">;
  readonly #queued: Gauge;
  readonly #running: Gauge;

  constructor(languages: readonly string[]) {
    const registers = [this.#registry];
    this.#languages = new Set(languages);
    this.#runs = new Counter({
      name: "sandbox_runs_total",
      help: "Runs that have ended",
      labelNames: ["language", "status"],
      registers,
    });
    this.#durations = new Histogram({
      name: "sandbox_run_duration_seconds",
      help: "Time from a run's acceptance to its end",
      labelNames: ["language"],
      buckets: BUCKETS,
      registers,
    });
    this.#wallTimes = new Histogram({
      name: "sandbox_run_wall_seconds",
      help: "Time that the program itself took",
      labelNames: ["language"],
      buckets: BUCKETS,
      registers,
    });
    this.#limits = new Counter({
      name: "sandbox_limits_hit_total",
      help: "Stages that a limit ended",
      labelNames: ["limit"],
      registers,
    });
    this.#requests = new Counter({
      name: "sandbox_http_requests_total",
      help: "Requests that were answered",
      labelNames: ["route", "method", "status"],
      registers,
    });
    this.#claims = new Counter({
      name: "sandbox_ahead_claims_total",
      help: "Programs that an interpreter could have waited for: one did (hit), or had to be started (miss)",
      labelNames: ["language", "result"],
      registers,
    });
    this.#waits = new Histogram({
      name: "sandbox_ahead_age_seconds",
      help: "How long an interpreter that was started ahead had waited for its program",
      labelNames: ["language"],
      buckets: AGE_BUCKETS,
      registers,
    });
    this.#waiting = new Gauge({
      name: "sandbox_ahead_waiting",
      help: "Interpreters that were started ahead and wait for a program",
      labelNames: ["language"],
      registers,
    });
    this.#compiles = new Counter({
      name: "sandbox_compile_cache_total",
      help: "Compile stages that began: what they leave was known (hit), or had to be made (miss)",
      labelNames: ["language", "result"],
      registers,
    });
    this.#callbacks = new Counter({
      name: "sandbox_callbacks_total",
      help: "Callbacks that were delivered, or given up after their last try (failed)",
      labelNames: ["result"],
      registers,
    });
    this.#queued = new Gauge({ name: "sandbox_queue_length", help: "Runs that wait for their turn", registers });
    this.#running = new Gauge({ name: "sandbox_running", help: "Runs that execute now", registers });
    collectDefaultMetrics({
      register: this.#registry,
      eventLoopMonitoringPrecision: EVENT_LOOP_PRECISION_MS,
      eventLoopUtilizationTimeout: EVENT_LOOP_UTILIZATION_MS,
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  finished(result: RunResult): void {
    const language = this.#languages.has(result.language) ? result.language : "other";
    this.#runs.inc({ language, status: result.status });
    this.#durations.observe({ language }, (result.finishedAt.getTime() - result.createdAt.getTime()) / 1000);
    if (result.run !== null) this.#wallTimes.observe({ language }, result.run.wallMs / 1000);
    for (const stage of [result.compile, result.run]) {
      if (stage !== null && stage.limit !== null) this.#limits.inc({ limit: stage.limit });
    }
  }

  /** Counts a program that an interpreter has waited for, so many milliseconds, or for which there was none. */
  claimed(language: string, waitedMs: number | undefined): void {
    this.#claims.inc({ language, result: waitedMs === undefined ? "miss" : "hit" });
    if (waitedMs !== undefined) this.#waits.observe({ language }, waitedMs / 1000);
  }

  /** Counts a compile stage, whose outcome was known or not. */
  compiled(language: string, hit: boolean): void {
    this.#compiles.inc({ language, result: hit ? "hit" : "miss" });
  }

  /** Counts a callback that is owed no more. */
  calledBack(result: CallbackOutcome): void {
    this.#callbacks.inc({ result });
  }

  /** Counts a request by its route's pattern; `route` is undefined for paths that lead nowhere. */
  answered(route: string | undefined, method: string, status: number): void {
    this.#requests.inc({ route: route ?? "none", method, status: String(status) });
  }

  /** The text format of Prometheus. */
  async render(capacity: Capacity): Promise<string> {
    this.#queued.set(capacity.queued);
    this.#running.set(capacity.running);
    for (const [language, count] of capacity.waiting ?? []) this.#waiting.set({ language }, count);
    return await this.#registry.metrics();
  }
}
