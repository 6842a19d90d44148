import { signal } from "@preact/signals";

import { ApiError } from "../api-error.ts";
import type { ApiClient } from "../api-client.ts";
import { isFinished } from "../answers.ts";
import type { NumberedEvent, Result, RunEvent, RunRequest, TestResult } from "../answers.ts";
import { readEvents } from "./event-source.ts";
import type { InteractiveConnection } from "./interactive-connection.ts";
import { outcomeOf } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import { OutputLog } from "./output-log.ts";
import { TerminalLine } from "./terminal-line.ts";

/** How long a server that went away is waited for, in milliseconds. */
const PATIENCE_MS = 120_000;
const FIRST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 3000;
/** What is kept of each test's output, in UTF-16 units. */
export const TEST_OUTPUT_UNITS = 20_000;

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

/** The run's events after the one with an id; undefined when there are none. */
type EventsAfter = (after: string | undefined) => Promise<AsyncIterable<NumberedEvent> | undefined>;

/** Sends the program. */
type Begin = (abandoned: AbortSignal) => Promise<{ id: string; eventsAfter: EventsAfter }>;

/** The one run that the page has at a time, from sending it to its end. */
export class RunSession {
  readonly phase = signal<Phase>({ state: "idle" });
  readonly compiler = new OutputLog();
  readonly stdout = new OutputLog();
  readonly stderr = new OutputLog();
  /** Those that have ended, as they end. */
  readonly tests = signal<readonly TestResult[]>([]);
  /** What the program is spoken to through, where it is. */
  readonly terminal = signal<TerminalLine | undefined>(undefined);
  /** Why something that was said did not come to the program, for people. */
  readonly refused = signal("");
  /** What runs, or has run last. */
  request: RunRequest | undefined;
  readonly #api: ApiClient;
  #current: { id?: string; abandon: AbortController } | undefined;

  constructor(api: ApiClient) {
    this.#api = api;
  }

  /** Runs a program; the phase tells how it goes, and nothing is thrown. */
  async run(request: RunRequest): Promise<void> {
    await this.#run(request, undefined, async (abandoned) => {
      const { id } = await this.#api.submit(request, abandoned);
      const eventsAfter = async (after: string | undefined) => {
        const body = await this.#api.events(id, after, abandoned);
        return body === undefined ? undefined : readEvents(body);
      };
      return { id, eventsAfter };
    });
  }

  /** Runs a program in a terminal, once that has a screen; as `run` otherwise. */
  async converse(request: RunRequest): Promise<void> {
    const line = new TerminalLine();
    await this.#run(request, line, async (abandoned) => {
      abandoned.addEventListener("abort", () => line.fail(new Error("the run was given up")));
      const tty = await line.size();
      const { id, connection } = await this.#api.converse({ type: "start", request, tty }, abandoned);
      let first: InteractiveConnection | undefined = connection;
      const eventsAfter = async (after: string | undefined) => {
        const from = after === undefined ? 0 : Number(after) + 1;
        const joined = first ?? (await this.#api.converse({ type: "attach", id, from }, abandoned)).connection;
        first = undefined;
        return this.#conversation(line, joined);
      };
      return { id, eventsAfter };
    });
  }

  async *#conversation(line: TerminalLine, connection: InteractiveConnection): AsyncGenerator<NumberedEvent> {
    line.connect(connection);
    try {
      yield* connection.events((message) => (this.refused.value = message));
    } finally {
      line.disconnect();
      connection.close();
    }
  }

  async #run(request: RunRequest, line: TerminalLine | undefined, begin: Begin): Promise<void> {
    this.#current?.abandon.abort();
    const abandon = new AbortController();
    const current: { id?: string; abandon: AbortController } = { abandon };
    this.#current = current;
    for (const log of [this.compiler, this.stdout, this.stderr]) log.clear();
    this.request = request;
    this.tests.value = [];
    this.terminal.value = line;
    this.refused.value = "";
    this.phase.value = { state: "active", step: "sending", sinceMs: performance.now(), lost: false };
    try {
      const { id, eventsAfter } = await begin(abandon.signal);
      current.id = id;
      this.#step("queued");
      const result = await this.#follow(id, eventsAfter, abandon.signal);
      if (abandon.signal.aborted) return;
      if (result.tests !== undefined) this.tests.value = result.tests.map(bounded);
      this.phase.value = { state: "ended", outcome: outcomeOf(request, result, line !== undefined) };
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
    this.terminal.value?.output.close();
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
  async #follow(id: string, eventsAfter: EventsAfter, abandoned: AbortSignal): Promise<Result> {
    let after: string | undefined;
    let pauseMs = FIRST_PAUSE_MS;
    let lostSinceMs: number | undefined;
    for (;;) {
      const before = after;
      try {
        for await (const { id: eventId, event } of (await eventsAfter(after)) ?? []) {
          lostSinceMs = undefined;
          pauseMs = FIRST_PAUSE_MS;
          this.#lost(false);
          after = eventId;
          if (event.type === "finished") return event.data.result;
          this.#receive(event);
          await this.terminal.value?.output.room();
        }
        if (after !== before) continue;
        const state = await this.#api.result(id, abandoned);
        if (isFinished(state)) return state;
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
    const { value: line } = this.terminal;
    if (line !== undefined && stage === "run") {
      line.output.append(data, encoding);
      return;
    }
    const log = stage === "compile" ? this.compiler : stream === "stdout" ? this.stdout : this.stderr;
    log.append(data, encoding);
  }
}
