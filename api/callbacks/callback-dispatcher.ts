import type { Backend } from "../../core/backend.ts";
import type { OwedCallback } from "../../core/callbacks.ts";
import type { RunId } from "../../core/run.ts";
import { renderResult } from "../render.ts";
import { CALL_MS } from "./callback-call.ts";
import type { Call } from "./callback-call.ts";

/** Callbacks that this server has in hand; what is owed beyond them waits where the runs are kept. */
const MAX_HELD = 1000;
/** Calls at one time, and those of them to one host: one that never answers is not to hold up the others. */
const MAX_CALLS = 16;
const MAX_CALLS_TO_HOST = 4;
/** How often it is looked for what an earlier server, or another one, has left; in milliseconds. */
const SWEEP_MS = 5000;
/** How long a run whose checker has not ended is left alone, in milliseconds. */
const NOT_YET_MS = 1000;
/** The longest pause after the first failed try, which doubles with each, and after any; in milliseconds. */
const FIRST_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 30_000;
/** What a try may take besides its call, in milliseconds. */
const LEASE_MARGIN_MS = 5000;

interface Held {
  callback: OwedCallback;
  host: string;
  timer: NodeJS.Timeout | undefined;
}

export type CallbackOutcome = "delivered" | "failed";

export interface DispatcherOptions {
  backend: Backend;
  call: Call;
  /** How often a callback is tried before it is given up. */
  tries: number;
  observe: (outcome: CallbackOutcome) => void;
  log: (message: string) => void;
}

function longestPauseMs(tryNumber: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** (tryNumber - 1), MAX_PAUSE_MS);
}

/** Half of the longest pause, and a random part of the other half: those that failed together do not come back together. */
function pauseMs(tryNumber: number): number {
  return longestPauseMs(tryNumber) * (0.5 + Math.random() / 2);
}

/** Tells results to those who asked for a callback: at least once each, unless all tries fail. No run waits for it. */
export class CallbackDispatcher {
  readonly #options: DispatcherOptions;
  readonly #held = new Map<RunId, Held>();
  /** Those of them whose turn it is. */
  readonly #ready = new Set<Held>();
  readonly #calling = new Map<Held, Promise<void>>();
  readonly #sweepTimer: NodeJS.Timeout;
  #closing = false;
  #problem = "";

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#sweepTimer = setInterval(() => this.#sweep(), SWEEP_MS);
    this.#sweep();
  }

  /** Takes a callback in hand, if there is room for it. */
  owes(callback: OwedCallback): void {
    if (this.#closing || this.#held.size >= MAX_HELD || this.#held.has(callback.id)) return;
    const held = { callback, host: new URL(callback.url).host, timer: undefined };
    this.#held.set(callback.id, held);
    this.#ready.add(held);
    this.#next();
  }

  /** Begins nothing more, and waits for the calls that are under way; the others are owed to the next server. */
  async close(): Promise<void> {
    this.#closing = true;
    clearInterval(this.#sweepTimer);
    for (const { timer } of this.#held.values()) clearTimeout(timer);
    await Promise.all(this.#calling.values());
  }

  #sweep(): void {
    try {
      for (const callback of this.#options.backend.callbacks.owed(MAX_HELD)) this.owes(callback);
    } catch (error) {
      this.#failed(error);
    }
  }

  #next(): void {
    for (const held of this.#ready) {
      if (this.#closing || this.#calling.size >= MAX_CALLS) return;
      const toHost = [...this.#calling.keys()].filter(({ host }) => host === held.host).length;
      if (toHost >= MAX_CALLS_TO_HOST) continue;
      this.#ready.delete(held);
      this.#calling.set(held, this.#handle(held));
    }
  }

  async #handle(held: Held): Promise<void> {
    let pause: number | undefined;
    try {
      pause = await this.#attempt(held.callback);
    } catch (error) {
      // It is still owed, and found again.
      this.#failed(error);
    }
    this.#calling.delete(held);
    if (pause === undefined) this.#held.delete(held.callback.id);
    else if (!this.#closing) held.timer = setTimeout(() => this.#again(held), pause);
    this.#next();
  }

  #again(held: Held): void {
    this.#ready.add(held);
    this.#next();
  }

  /** Makes one try; when the next one is due, in milliseconds, or undefined when there is nothing left to do here. */
  async #attempt({ id, tenant, url }: OwedCallback): Promise<number | undefined> {
    const { backend, call, tries } = this.#options;
    const state = await backend.get(id, tenant);
    if (state === undefined) return await this.#giveUp(id, "its result is not there any more");
    if (state.state !== "finished") return NOT_YET_MS;
    const number = await backend.callbacks.claim(id, (next) => CALL_MS + longestPauseMs(next) + LEASE_MARGIN_MS);
    if (number === undefined) return undefined;
    if (number > tries) return await this.#giveUp(id, "the server was stopped during the last try");
    const problem = await call(url, renderResult(state.result));
    if (problem === undefined) {
      this.#options.observe("delivered");
      await backend.callbacks.settle(id);
      return undefined;
    }
    return number < tries ? pauseMs(number) : await this.#giveUp(id, `${problem} (try ${number} of ${tries})`);
  }

  async #giveUp(id: RunId, problem: string): Promise<undefined> {
    this.#options.observe("failed");
    this.#options.log(`${id}: its callback is given up: ${problem}`);
    await this.#options.backend.callbacks.settle(id);
    return undefined;
  }

  /** Says what keeps callbacks from being delivered, once as long as it is the same. */
  #failed(error: unknown): void {
    const problem = error instanceof Error ? error.message : String(error);
    if (problem !== this.#problem) this.#options.log(`callbacks wait: ${problem}`);
    this.#problem = problem;
  }
}
