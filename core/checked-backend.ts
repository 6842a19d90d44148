import { setTimeout as delay } from "node:timers/promises";

import type { Availability, Backend, Capacity, Health } from "./backend.ts";
import type { CallbackLedger } from "./callbacks.ts";
import { batchesOf, checkRun, checkRunId, checkedResult, judge, refusedChecks, waitsForChecker } from "./checking.ts";
import type { Check, Judgement } from "./checking.ts";
import { ServiceError } from "./errors.ts";
import type { InteractiveInput } from "./interaction.ts";
import type { Language } from "./languages.ts";
import type { LimitBounds } from "./limits.ts";
import type { Run, RunEvent, RunId, RunResult, RunState, Tenant } from "./run.ts";

/** How long a full queue is left alone, in milliseconds. */
const RETRY_MS = 1000;
/** Checkers whose refusal is remembered. */
const MAX_REFUSALS = 1000;

/** What is known of a language on this server; undefined of one that is not there any more. */
export type FindLanguage = (name: string) => { language: Language; bounds: LimitBounds } | undefined;

/** What judges the outputs of one run, while it does. */
interface Judging {
  checked: Promise<RunResult>;
  /** The run of the checker that is under way. */
  current: RunId | undefined;
}

/**
 * A backend whose runs may have a checker: its program runs on the outputs as soon as someone asks for the result, as a run
 * of its own in a sandbox of its own. All that is kept of it is that run, so that any server finds what another began.
 */
export class CheckedBackend implements Backend {
  readonly probesFirst: boolean;
  readonly callbacks: CallbackLedger;
  readonly #inner: Backend;
  readonly #find: FindLanguage;
  readonly #judging = new Map<RunId, Judging>();
  readonly #refused = new Map<RunId, string>();
  readonly #closing = new AbortController();

  constructor(inner: Backend, find: FindLanguage) {
    this.probesFirst = inner.probesFirst;
    this.callbacks = inner.callbacks;
    this.#inner = inner;
    this.#find = find;
  }

  async submit(run: Run): Promise<"created" | "existing"> {
    return await this.#inner.submit(run);
  }

  async get(id: RunId, tenant: Tenant): Promise<RunState | undefined> {
    const state = await this.#inner.get(id, tenant);
    if (state?.state !== "finished" || !waitsForChecker(state.result)) return state;
    const { result } = state;
    const checked = await this.#known(result, tenant);
    if (checked !== undefined) return { state: "finished", result: checked };
    // Whoever follows the run is told why it can't be judged; the next who asks has it tried again.
    this.#judge(result, tenant).checked.catch(() => undefined);
    const { language, version, createdAt, startedAt } = result;
    return { state: "running", id, language, version, createdAt, startedAt: startedAt ?? createdAt };
  }

  async follow(
    id: RunId,
    tenant: Tenant,
    from: number,
    signal: AbortSignal,
  ): Promise<AsyncIterable<RunEvent> | undefined> {
    const events = await this.#inner.follow(id, tenant, from, signal);
    return events === undefined ? undefined : this.#withTests(events, id, tenant, from, signal);
  }

  async result(id: RunId, tenant: Tenant, signal: AbortSignal): Promise<RunResult | undefined> {
    const result = await this.#inner.result(id, tenant, signal);
    if (result === undefined || !waitsForChecker(result)) return result;
    return await orAborted(this.#judge(result, tenant).checked, signal);
  }

  async write(id: RunId, tenant: Tenant, input: InteractiveInput): Promise<boolean | undefined> {
    return await this.#inner.write(id, tenant, input);
  }

  async cancel(id: RunId, tenant: Tenant): Promise<boolean> {
    const found = await this.#inner.cancel(id, tenant);
    const current = found ? this.#judging.get(id)?.current : undefined;
    if (current !== undefined) await this.#inner.cancel(current, tenant);
    return found;
  }

  async probe(language: Language): Promise<Availability> {
    return await this.#inner.probe(language);
  }

  capacity(): Capacity {
    return this.#inner.capacity();
  }

  async health(): Promise<Health> {
    return await this.#inner.health();
  }

  async close(drainMs: number): Promise<void> {
    this.#closing.abort();
    await this.#inner.close(drainMs);
  }

  /** The run's events; where a checker judges, the tests come when all of them are judged. */
  async *#withTests(
    events: AsyncIterable<RunEvent>,
    id: RunId,
    tenant: Tenant,
    from: number,
    signal: AbortSignal,
  ): AsyncGenerator<RunEvent> {
    for await (const event of events) {
      if (event.type === "finished" && waitsForChecker(event.result)) {
        yield* this.#judged(event, tenant, from, signal);
        return;
      }
      yield event;
      if (event.type === "finished") return;
    }
    // One who has all but some of the tests already.
    if (from === 0 || signal.aborted) return;
    const state = await this.#inner.get(id, tenant);
    if (state?.state !== "finished" || !waitsForChecker(state.result)) return;
    for await (const event of (await this.#inner.follow(id, tenant, 0, signal)) ?? []) {
      if (event.type === "finished") yield* this.#judged(event, tenant, from, signal);
    }
  }

  async *#judged(
    { seq, result }: Extract<RunEvent, { type: "finished" }>,
    tenant: Tenant,
    from: number,
    signal: AbortSignal,
  ): AsyncGenerator<RunEvent> {
    const checked = await orAborted(this.#judge(result, tenant).checked, signal);
    if (checked === undefined) return;
    const tests = (checked.tests?.results ?? []).filter(({ status }) => status !== "skipped");
    const events: RunEvent[] = tests.map((test, index) => ({ seq: seq + index, type: "test", test }));
    events.push({ seq: seq + tests.length, type: "finished", result: checked });
    for (const event of events) if (event.seq >= from) yield event;
  }

  /** The result with the checker's word, if all of that is there already. */
  async #known(result: RunResult, tenant: Tenant): Promise<RunResult | undefined> {
    const judgements: Judgement[] = [];
    for (const [place, checks] of batchesOf(result).entries()) {
      const id = checkRunId(result, place, tenant);
      const refused = this.#refused.get(id);
      const state = refused === undefined ? await this.#inner.get(id, tenant) : undefined;
      if (refused === undefined && state?.state !== "finished") return undefined;
      judgements.push(
        state?.state === "finished" ? judge(checks, state.result) : refusedChecks(checks, refused ?? "it was lost"),
      );
    }
    return checkedResult(result, judgements);
  }

  #judge(result: RunResult, tenant: Tenant): Judging {
    const known = this.#judging.get(result.id);
    if (known !== undefined) return known;
    const judging: Judging = { checked: Promise.resolve(result), current: undefined };
    judging.checked = this.#judgeAll(result, tenant, judging).finally(() => this.#judging.delete(result.id));
    this.#judging.set(result.id, judging);
    return judging;
  }

  async #judgeAll(result: RunResult, tenant: Tenant, judging: Judging): Promise<RunResult> {
    const judgements: Judgement[] = [];
    for (const [place, checks] of batchesOf(result).entries()) {
      judging.current = checkRunId(result, place, tenant);
      judgements.push(await this.#judgeBatch(result, { place, checks }, tenant));
    }
    return checkedResult(result, judgements);
  }

  async #judgeBatch(
    result: RunResult,
    batch: { place: number; checks: readonly Check[] },
    tenant: Tenant,
  ): Promise<Judgement> {
    const { checks } = batch;
    const found = this.#find(result.tests?.grading.checker?.language ?? "");
    if (found === undefined) return refusedChecks(checks, "its language is not there any more");
    const run = checkRun(result, batch, tenant, found.language, found.bounds);
    try {
      await this.#submitInTime(run);
    } catch (error) {
      if (!(error instanceof ServiceError) || error.code !== "program_too_large") throw error;
      this.#refuse(run.id, error.message);
      return refusedChecks(checks, error.message);
    }
    const checked = await this.#inner.result(run.id, tenant, this.#closing.signal);
    if (checked !== undefined) return judge(checks, checked);
    throw new ServiceError("unavailable", "the checker's run was left before its end; ask again");
  }

  /** A run whose program was executed is not refused for want of a place for its checker. */
  async #submitInTime(run: Run): Promise<void> {
    for (;;) {
      try {
        await this.#inner.submit(run);
        return;
      } catch (error) {
        const isFull = error instanceof ServiceError && error.code === "queue_full";
        if (!isFull) throw error;
        await delay(RETRY_MS, undefined, { signal: this.#closing.signal });
      }
    }
  }

  #refuse(id: RunId, problem: string): void {
    this.#refused.set(id, problem);
    for (const oldest of this.#refused.keys()) {
      if (this.#refused.size <= MAX_REFUSALS) return;
      this.#refused.delete(oldest);
    }
  }
}

/** Undefined when `signal` is aborted first. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const aborted = Promise.withResolvers<undefined>();
  const abort = (): void => aborted.resolve(undefined);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
