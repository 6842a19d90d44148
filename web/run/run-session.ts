import { signal } from "@preact/signals";

import { ApiError } from "../api-client.ts";
import type { ApiClient } from "../api-client.ts";
import { isFinished } from "../answers.ts";
import type { Artifact, Result, RunEvent, RunRequest, Stage, TestResult, Usage } from "../answers.ts";
import { readEvents } from "./event-source.ts";
import { OutputLog } from "./output-log.ts";

/** How long a server that went away is waited for, in milliseconds. */
const PATIENCE_MS = 120_000;
const FIRST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 3000;
/** What is read of a stage's complaints to find the lines that they name, in UTF-16 units. */
const COMPLAINT_UNITS = 100_000;

/** What is kept of each test's output, in UTF-16 units. */
export const TEST_OUTPUT_UNITS = 20_000;

/** A finished run, without its output, which may be large. */
export interface Outcome {
  request: RunRequest;
  status: string;
  reason: string | null;
  compile: Usage | null;
  run: Usage | null;
  artifacts: readonly Artifact[];
  /** How many more files there were. */
  omitted: number;
  /** The beginning of what the last stage said on stderr. */
  complaint: string;
}

export type Phase =
  | { state: "idle" }
  | {
      state: "active";
      step: "sending" | "queued" | "compiling" | "running" | "stopping";
      sinceMs: number;
      lost: boolean;
    }
  | { state: "ended"; outcome: Outcome }
  | { state: "failed"; message: string };

function usageOf(stage: Stage | null): Usage | null {
  if (stage === null) return null;
  const { stdout: _, stderr: __, ...usage } = stage;
  return usage;
}

function outcomeOf(request: RunRequest, result: Result): Outcome {
  const { status, reason, compile, run, artifacts = [], artifacts_omitted: omitted = 0 } = result;
  const complaint = ((run ?? compile)?.stderr ?? "").slice(0, COMPLAINT_UNITS);
  return { request, status, reason, compile: usageOf(compile), run: usageOf(run), artifacts, omitted, complaint };
}

/** A test's result with no more of its output than is shown. */
function bounded(test: TestResult): TestResult {
  return { ...test, stdout: test.stdout.slice(0, TEST_OUTPUT_UNITS), stderr: test.stderr.slice(0, TEST_OUTPUT_UNITS) };
}

function pause(milliseconds: number, abandoned: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  abandoned.addEventListener("abort", () => {
    clearTimeout(timer);
    resolve();
  });
  return promise;
}

/** Whether the server may answer when it is asked again. */
function isPassing(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status === 429 || error.status >= 500);
}

/** The one run that the page has at a time, from sending it to its end. */
export class RunSession {
  readonly phase = signal<Phase>({ state: "idle" });
  readonly compiler = new OutputLog();
  readonly stdout = new OutputLog();
  readonly stderr = new OutputLog();
  /** Those that have ended, as they end. */
  readonly tests = signal<readonly TestResult[]>([]);
  /** What runs, or has run last. */
  request: RunRequest | undefined;
  readonly #api: ApiClient;
  #current: { id?: string; abandon: AbortController } | undefined;

  constructor(api: ApiClient) {
    this.#api = api;
  }

  /** Runs a program; the phase tells how it goes, and nothing is thrown. */
  async run(request: RunRequest): Promise<void> {
    this.#current?.abandon.abort();
    const abandon = new AbortController();
    const current: { id?: string; abandon: AbortController } = { abandon };
    this.#current = current;
    for (const log of [this.compiler, this.stdout, this.stderr]) log.clear();
    this.request = request;
    this.tests.value = [];
    this.phase.value = { state: "active", step: "sending", sinceMs: performance.now(), lost: false };
    try {
      const accepted = await this.#api.submit(request, abandon.signal);
      current.id = accepted.id;
      this.#step("queued");
      const result = await this.#follow(accepted.id, abandon.signal);
      if (abandon.signal.aborted) return;
      if (result.tests !== undefined) this.tests.value = result.tests.map(bounded);
      this.phase.value = { state: "ended", outcome: outcomeOf(request, result) };
    } catch (error) {
      if (abandon.signal.aborted) return;
      this.phase.value = { state: "failed", message: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Asks for the run's end, which then comes as that of every run. */
  async stop(): Promise<void> {
    const current = this.#current;
    if (current === undefined || this.phase.value.state !== "active") return;
    if (current.id === undefined) {
      current.abandon.abort();
      this.phase.value = { state: "idle" };
      return;
    }
    this.#step("stopping");
    try {
      await this.#api.cancel(current.id);
    } catch (error) {
      if (isPassing(error)) return;
      current.abandon.abort();
      this.phase.value = { state: "failed", message: error instanceof Error ? error.message : String(error) };
    }
  }

  #step(step: "queued" | "compiling" | "running" | "stopping"): void {
    const { value } = this.phase;
    if (value.state === "active" && value.step !== "stopping") this.phase.value = { ...value, step, lost: false };
  }

  #lost(lost: boolean): void {
    const { value } = this.phase;
    if (value.state === "active" && value.lost !== lost) this.phase.value = { ...value, lost };
  }

  /** Reads the run's events to its end, through losses of the connection and restarts of the server. */
  async #follow(id: string, abandoned: AbortSignal): Promise<Result> {
    let after: string | undefined;
    let pauseMs = FIRST_PAUSE_MS;
    let lostSinceMs: number | undefined;
    for (;;) {
      try {
        const body = await this.#api.events(id, after, abandoned);
        this.#lost(false);
        if (body === undefined) {
          const state = await this.#api.result(id, abandoned);
          if (isFinished(state)) return state;
        } else {
          for await (const { id: eventId, event } of readEvents(body)) {
            lostSinceMs = undefined;
            pauseMs = FIRST_PAUSE_MS;
            after = eventId;
            if (event.type === "finished") return event.data.result;
            this.#receive(event);
          }
        }
      } catch (error) {
        if (abandoned.aborted || (error instanceof ApiError && !isPassing(error))) throw error;
      }
      lostSinceMs ??= performance.now();
      if (performance.now() - lostSinceMs > PATIENCE_MS) throw new Error("the server did not come back");
      this.#lost(true);
      await pause(pauseMs, abandoned);
      pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
    }
  }

  #receive(event: RunEvent): void {
    if (event.type === "stage_started") this.#step(event.data.stage === "compile" ? "compiling" : "running");
    if (event.type === "test") this.tests.value = [...this.tests.value, bounded(event.data)];
    if (event.type !== "output") return;
    const { stage, stream, data, encoding } = event.data;
    const log = stage === "compile" ? this.compiler : stream === "stdout" ? this.stdout : this.stderr;
    log.append(data, encoding);
  }
}
