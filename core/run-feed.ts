import type { Recording } from "./recording.ts";
import type { RunEvent } from "./run.ts";

/** One who waits for a change that concerns him. */
interface Waiter {
  isConcerned: () => boolean;
  wake: () => void;
}

/** A recording that grows, and those who follow it. */
export class RunFeed {
  #recording: Recording;
  readonly #waiters = new Set<Waiter>();

  constructor(recording: Recording) {
    this.#recording = recording;
  }

  get recording(): Recording {
    return this.#recording;
  }

  /** Puts another recording of the same run in the place of this one. */
  replace(recording: Recording): void {
    this.#recording = recording;
    this.notify();
  }

  /** Lets the followers see what the recording has got. */
  notify(): void {
    for (const waiter of this.#waiters) if (waiter.isConcerned()) waiter.wake();
  }

  /** The run's events from `from`; ends after the last, when `signal` is aborted, or when `isLeft` says that none will come. */
  async *follow(from: number, signal: AbortSignal, isLeft: () => boolean = () => false): AsyncGenerator<RunEvent> {
    let next = from;
    let waited = false;
    while (!signal.aborted) {
      for (const event of this.#recording.events.slice(next)) {
        next = event.seq + 1;
        yield event;
        if (signal.aborted || event.type === "finished") return;
      }
      if (next < this.#recording.events.length) continue;
      if (this.#recording.finishedAt !== null) {
        if (waited) yield* this.#lateEnd(next);
        return;
      }
      if (isLeft()) return;
      waited = true;
      await this.#change(signal, () => true);
    }
  }

  /** Resolves when the run has ended, when `signal` is aborted, or when `isLeft` says that it will not end here. */
  async ended(signal: AbortSignal, isLeft: () => boolean = () => false): Promise<void> {
    const isOver = (): boolean => this.#recording.finishedAt !== null || isLeft();
    if (!isOver() && !signal.aborted) await this.#change(signal, isOver);
  }

  /** Resolves at the next change after which `isConcerned`, or when `signal`, which is not, is aborted. */
  async #change(signal: AbortSignal, isConcerned: () => boolean): Promise<void> {
    const change = Promise.withResolvers<void>();
    const wake = (): void => change.resolve();
    const waiter = { isConcerned, wake };
    this.#waiters.add(waiter);
    signal.addEventListener("abort", wake);
    await change.promise;
    this.#waiters.delete(waiter);
    signal.removeEventListener("abort", wake);
  }

  /** The end for one who has more of the run than a recording with some of its output cut. */
  *#lateEnd(next: number): Generator<RunEvent> {
    const end = this.#recording.events.at(-1);
    if (end !== undefined && next > this.#recording.events.length) yield { ...end, seq: next };
  }
}
