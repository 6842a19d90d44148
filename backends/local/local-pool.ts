import { LocalSandbox, sandboxForm } from "./local-sandbox.ts";
import type { SandboxOptions } from "./local-sandbox.ts";

/**
 * User ids for sandboxes where the server may give them: each its own, so that no process can signal, trace or be counted
 * with another sandbox's. The range is assigned to nobody by login.defs(5), systemd or subuid(5).
 */
const FIRST_UID = 2_000_000_000;
const UIDS = 100_000_000;

/** After a claim the pool waits before it starts the next sandbox: most runs have ended by then, and none is slowed by that. */
export const REFILL_AFTER_MS = 20;

/** After a failed start the pool waits before it tries again, so that a broken machine isn't kept busy. */
const RETRY_MS = 1000;

export type PoolOptions = Omit<SandboxOptions, "form" | "name" | "uid" | keyof Purpose>;

/** What a sandbox that was started for something has that others have not. */
type Purpose = Pick<SandboxOptions, "network" | "ahead">;

/** Sandboxes started ahead, each waiting for a program: what a run needs is there before the run. */
export class LocalPool implements AsyncDisposable {
  readonly #options: Omit<SandboxOptions, "name" | "uid" | keyof Purpose>;
  readonly #size: number;
  readonly #log: (message: string) => void;
  readonly #ownUids = process.getuid?.() === 0;
  readonly #firstUid = Math.floor(Math.random() * UIDS);
  readonly #idle: LocalSandbox[] = [];
  readonly #waiting: PromiseWithResolvers<LocalSandbox>[] = [];
  /** All that are starting, and how many of them for whoever claims one. */
  readonly #starting = new Set<Promise<void>>();
  #filling = 0;
  readonly #disposing = new Set<Promise<void>>();
  #serial = 0;
  #closed = false;
  #retry: NodeJS.Timeout | undefined;
  #refill: NodeJS.Timeout | undefined;
  /** Why the last sandbox could not be started; undefined when it could. */
  problem: string | undefined;

  constructor(options: PoolOptions, size: number, log: (message: string) => void) {
    this.#options = { ...options, form: sandboxForm(options.cgroups) };
    this.#size = size;
    this.#log = log;
  }

  /** A fresh sandbox, as soon as one is ready. The caller gives it back with `dispose`. Throws when none can be started. */
  async claim(): Promise<LocalSandbox> {
    let sandbox = this.#idle.shift();
    while (sandbox !== undefined && !sandbox.alive) {
      this.dispose(sandbox);
      sandbox = this.#idle.shift();
    }
    if (sandbox !== undefined) {
      this.#refill ??= setTimeout(() => this.#fill(), REFILL_AFTER_MS);
      return sandbox;
    }
    if (this.#closed) throw new Error("the server is stopping");
    if (this.#retry !== undefined) throw new Error(this.problem);
    const claim = Promise.withResolvers<LocalSandbox>();
    this.#waiting.push(claim);
    this.#fill();
    return await claim.promise;
  }

  /** A fresh sandbox that is started for the caller, with a network or with what is to wait in it. Throws when it can't be. */
  async start(purpose: Partial<Purpose>): Promise<LocalSandbox> {
    if (this.#closed) throw new Error("the server is stopping");
    const starting = this.#start(purpose);
    this.#track(starting);
    return await starting;
  }

  /** Starts the pool; returns when its first sandboxes are ready, or `problem` says why not. */
  async open(): Promise<void> {
    this.#fill();
    await Promise.all(this.#starting);
  }

  /** Ends a sandbox in the background. */
  dispose(sandbox: LocalSandbox): void {
    const disposal = sandbox
      .dispose()
      .catch((error: unknown) => this.#log(`a sandbox could not be removed: ${messageOf(error)}`))
      .finally(() => this.#disposing.delete(disposal));
    this.#disposing.add(disposal);
  }

  /** Ends every sandbox that serves no run, and waits for those that are ending. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#refill);
    await Promise.all(this.#starting);
    for (const claim of this.#waiting.splice(0)) claim.reject(new Error("the server is stopping"));
    for (const sandbox of this.#idle.splice(0)) this.dispose(sandbox);
    await Promise.all(this.#disposing);
  }

  /** What closes the pool waits for the start, however it ends. */
  #track(starting: Promise<unknown>): void {
    const over = starting.then(
      () => {},
      () => {},
    );
    this.#starting.add(over);
    void over.then(() => this.#starting.delete(over));
  }

  #fill(): void {
    clearTimeout(this.#refill);
    this.#refill = undefined;
    if (this.#closed || this.#retry !== undefined) return;
    const missing = this.#size + this.#waiting.length - this.#idle.length - this.#filling;
    for (let index = 0; index < missing; index += 1) this.#track(this.#startOne());
  }

  async #start({ network, ahead }: Partial<Purpose>): Promise<LocalSandbox> {
    const serial = this.#serial++;
    const uid = this.#ownUids ? FIRST_UID + ((this.#firstUid + serial) % UIDS) : undefined;
    return await LocalSandbox.start({ ...this.#options, name: String(serial), uid, network, ahead });
  }

  async #startOne(): Promise<void> {
    this.#filling += 1;
    try {
      const sandbox = await this.#start({});
      this.problem = undefined;
      const claim = this.#waiting.shift();
      if (claim !== undefined) claim.resolve(sandbox);
      else this.#idle.push(sandbox);
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#filling -= 1;
    }
  }

  #failed(error: unknown): void {
    this.problem = `no sandbox can be started: ${messageOf(error)}`;
    this.#log(this.problem);
    for (const claim of this.#waiting.splice(0)) claim.reject(new Error(this.problem, { cause: error }));
    if (this.#closed || this.#retry !== undefined) return;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#fill();
    }, RETRY_MS);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
