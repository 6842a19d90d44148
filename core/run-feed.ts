import { EventEmitter, once } from "node:events";

import type { Recording } from "./recording.ts";
import type { RunEvent } from "./run.ts";

/** A recording that grows, and those who follow it. */
export class RunFeed {
  #recording: Recording;
  readonly #changed = new EventEmitter();

  constructor(recording: Recording) {
    this.#recording = recording;
    this.#changed.setMaxListeners(0);
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
    this.#changed.emit("change");
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
      try {
        await once(this.#changed, "change", { signal });
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
  }

  /** Resolves when the run has ended, or when `signal` is aborted. */
  async ended(signal: AbortSignal): Promise<void> {
    while (this.#recording.finishedAt === null && !signal.aborted) {
      try {
        await once(this.#changed, "change", { signal });
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
  }

  /** The end for one who has more of the run than a recording with some of its output cut. */
  *#lateEnd(next: number): Generator<RunEvent> {
    const end = this.#recording.events.at(-1);
    if (end !== undefined && next > this.#recording.events.length) yield { ...end, seq: next };
  }
}
