import type { InteractiveInput } from "./interaction.ts";
import type { CallbackLedger } from "./callbacks.ts";
import type { Language } from "./languages.ts";
import type { Run, RunEvent, RunId, RunResult, RunState, Tenant } from "./run.ts";

/** How many runs there are that have not ended. */
export interface Capacity {
  running: number;
  queued: number;
  /** How many sandboxes of each language were started ahead and wait for a program; undefined where none are. */
  waiting?: ReadonlyMap<string, number>;
}

/** How well the backend can do its work, for `/readyz` and the start-up log. */
export interface Health {
  ready: boolean;
  /** What is missing, each in one sentence that a person can act on; not empty while ready means degraded. */
  problems: string[];
}

/** Whether a language's toolchain is there: with its version, or with the reason and what to do about it. */
export type Availability = { available: true; version: string } | { available: false; reason: string };

/**
 * Keeps runs and executes each in a fresh sandbox. What the program does wrong is a result, never an exception;
 * every method throws `ServiceError` for the caller's fault.
 */
export interface Backend {
  /**
   * Whether a language must have been probed before a run in it is accepted: where the toolchain is this machine's. Where
   * every run's image brings its own, the run itself shows whether it is there.
   */
  readonly probesFirst: boolean;
  readonly callbacks: CallbackLedger;
  /**
   * Accepts the run. When it returns, a durable run survives the process. The same id twice is the same run
   * (`existing`); throws `idempotency_conflict` for another fingerprint, `queue_full` beyond the admission bound,
   * `shutting_down` while closing.
   */
  submit(run: Run): Promise<"created" | "existing">;
  /** Undefined for an id that is not there, has expired, or belongs to another tenant. */
  get(id: RunId, tenant: Tenant): Promise<RunState | undefined>;
  /**
   * The run's events from sequence number `from`: first what has happened, then live; ends after `finished`.
   * Undefined as for `get`. Ends early without an error when `signal` is aborted.
   */
  follow(id: RunId, tenant: Tenant, from: number, signal: AbortSignal): Promise<AsyncIterable<RunEvent> | undefined>;
  /**
   * The run's result, as soon as it has one. Undefined as for `get`, when `signal` is aborted before, and for a run that
   * this backend leaves before its end.
   */
  result(id: RunId, tenant: Tenant, signal: AbortSignal): Promise<RunResult | undefined>;
  /**
   * Says something to an interactive run. Resolves when it is on its way to the program, which for stdin waits until the
   * program has taken what was said before; false when the run has ended. Undefined as for `get`. Throws `invalid_request`
   * for a run that is not interactive.
   */
  write(id: RunId, tenant: Tenant, input: InteractiveInput): Promise<boolean | undefined>;
  /** Ends the run as `cancelled`; a finished run stays as it is. False as for `get`'s undefined. */
  cancel(id: RunId, tenant: Tenant): Promise<boolean>;
  /** Finds the language's toolchain by running its version command where programs run. */
  probe(language: Language): Promise<Availability>;
  capacity(): Capacity;
  health(): Promise<Health>;
  /** Stops accepting, lets what runs finish within `drainMs` and leaves the rest queued or reported; then releases everything. */
  close(drainMs: number): Promise<void>;
}
