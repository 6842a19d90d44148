import { encodeProgram } from "../../core/program.ts";
import type { Program } from "../../core/program.ts";
import type { AheadProgram } from "../../core/ahead.ts";
import { waitsFor } from "../../core/ahead.ts";
import { REFILL_AFTER_MS } from "./local-pool.ts";
import type { LocalPool } from "./local-pool.ts";
import type { LocalSandbox } from "./local-sandbox.ts";

/** How often sandboxes that are too old are replaced, and languages that nobody uses get fewer, in milliseconds. */
const REVIEW_EVERY_MS = 5000;
/** A language that was not used for this long goes back to the least number of sandboxes, in milliseconds. */
const IDLE_MS = 60_000;
/** How many sandboxes of one language are made ready at one time: the machine is there for runs first. */
const MAX_STARTING = 2;

/** How many sandboxes wait for programs of one language, and for how long at most. */
export interface AheadOptions {
  minimum: number;
  maximum: number;
  maxAgeMs: number;
}

/** What is told of each program that could have been waited for: how long it was, in milliseconds, or that it was not. */
export type AheadObserver = (language: string, waitedMs: number | undefined) => void;

interface Waiting {
  sandbox: LocalSandbox;
  sinceMs: number;
}

/** One language's sandboxes, in each of which its interpreter or compiler has started and waits for a program. Each serves one run. */
class Queue {
  readonly ahead: AheadProgram;
  readonly encoded: Buffer;
  readonly waiting: Waiting[] = [];
  /** How many there are even when nobody asks; of some languages none before their first program. */
  minimum: number;
  /** How many are wanted: grows as programs find none, within the options' bounds. */
  target: number;
  starting = 0;
  usedMs = 0;
  refill: NodeJS.Timeout | undefined;

  constructor(ahead: AheadProgram, minimum: number) {
    this.ahead = ahead;
    this.minimum = ahead.whenUsed ? 0 : minimum;
    this.encoded = encodeProgram(ahead.program, { processRlimit: false, as: "ahead" });
    this.target = this.minimum;
  }
}

/**
 * Interpreters started ahead, by language: a run finds its own initialised and waiting for the program's file. A language
 * that is used has more of them, an idle one the least number; what is too old is replaced.
 */
export class LocalAhead implements AsyncDisposable {
  readonly #pool: LocalPool;
  readonly #options: AheadOptions;
  readonly #observe: AheadObserver;
  readonly #log: (message: string) => void;
  readonly #queues: ReadonlyMap<string, Queue>;
  readonly #starting = new Set<Promise<void>>();
  readonly #review: NodeJS.Timeout;
  #closed = false;

  constructor(
    pool: LocalPool,
    programs: readonly AheadProgram[],
    options: AheadOptions,
    observe: AheadObserver,
    log: (message: string) => void,
  ) {
    this.#pool = pool;
    this.#options = options;
    this.#observe = observe;
    this.#log = log;
    this.#queues = new Map(
      options.maximum === 0 ? [] : programs.map((program) => [program.language, new Queue(program, options.minimum)]),
    );
    this.#review = setInterval(() => this.#lookAtAll(), REVIEW_EVERY_MS);
    for (const queue of this.#queues.values()) this.#fill(queue);
  }

  /** Whether an interpreter that was started ahead can execute the program. */
  suits(language: string, program: Program): boolean {
    const queue = this.#queues.get(language);
    return queue !== undefined && waitsFor(queue.ahead, program);
  }

  /** A sandbox in which the language's interpreter waits; undefined when there is none now. The pool disposes of it. */
  claim(language: string): LocalSandbox | undefined {
    const queue = this.#queues.get(language);
    if (queue === undefined) return undefined;
    const nowMs = performance.now();
    queue.usedMs = nowMs;
    queue.minimum = this.#options.minimum;
    let found = queue.waiting.shift();
    while (found !== undefined && !found.sandbox.alive) {
      this.#pool.dispose(found.sandbox);
      found = queue.waiting.shift();
    }
    if (queue.waiting.length === 0) queue.target = Math.min(queue.target + 1, this.#options.maximum);
    queue.refill ??= setTimeout(() => this.#fill(queue), REFILL_AFTER_MS);
    // The program goes on its way first.
    setImmediate(() => this.#observe(language, found === undefined ? undefined : nowMs - found.sinceMs));
    return found?.sandbox;
  }

  /** How many sandboxes wait, by language. */
  get waiting(): Map<string, number> {
    return new Map([...this.#queues].map(([language, { waiting }]) => [language, waiting.length]));
  }

  /** Ends every sandbox that waits. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearInterval(this.#review);
    for (const queue of this.#queues.values()) clearTimeout(queue.refill);
    await Promise.all(this.#starting);
    for (const queue of this.#queues.values()) this.#drop(queue, queue.waiting.length);
  }

  #lookAtAll(): void {
    const nowMs = performance.now();
    for (const queue of this.#queues.values()) {
      if (nowMs - queue.usedMs > IDLE_MS) queue.target = queue.minimum;
      // The oldest are first.
      const young = queue.waiting.findIndex(({ sinceMs }) => nowMs - sinceMs < this.#options.maxAgeMs);
      this.#drop(queue, young === -1 ? queue.waiting.length : young);
      this.#drop(queue, queue.waiting.length - queue.target);
      this.#fill(queue);
    }
  }

  /** Ends the `count` oldest. */
  #drop(queue: Queue, count: number): void {
    for (const { sandbox } of queue.waiting.splice(0, Math.max(0, count))) this.#pool.dispose(sandbox);
  }

  #fill(queue: Queue): void {
    clearTimeout(queue.refill);
    queue.refill = undefined;
    while (!this.#closed && queue.starting < MAX_STARTING && queue.waiting.length + queue.starting < queue.target) {
      queue.starting += 1;
      const start = this.#startOne(queue).then((started) => {
        queue.starting -= 1;
        this.#starting.delete(start);
        if (started) this.#fill(queue);
      });
      this.#starting.add(start);
    }
  }

  /** Whether it worked; after a failure it is for the next review to try again, and programs are started as they come. */
  async #startOne(queue: Queue): Promise<boolean> {
    try {
      const sandbox = await this.#pool.start({ ahead: queue.encoded });
      queue.waiting.push({ sandbox, sinceMs: performance.now() });
      return true;
    } catch (error) {
      this.#log(`no interpreter can be started ahead: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    }
  }
}
