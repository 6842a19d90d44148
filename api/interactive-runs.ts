import type { Backend } from "../core/backend.ts";
import { ServiceError } from "../core/errors.ts";
import type { Run } from "../core/run.ts";

/** The interactive runs that this server began and that have not ended: they hold a sandbox for as long as somebody types. */
export class InteractiveRuns {
  readonly #backend: Backend;
  readonly #most: number;
  readonly #closing: AbortSignal;
  #count = 0;

  constructor(backend: Backend, most: number, closing: AbortSignal) {
    this.#backend = backend;
    this.#most = most;
    this.#closing = closing;
  }

  /** Submits the run. Throws `queue_full` when there are as many as may be, and what `submit` throws. */
  async start(run: Run): Promise<void> {
    if (this.#count >= this.#most) {
      throw new ServiceError(
        "queue_full",
        `${this.#most} interactive runs have not ended, which is the most; try again later`,
      );
    }
    this.#count += 1;
    try {
      await this.#backend.submit(run);
    } catch (error) {
      this.#count -= 1;
      throw error;
    }
    void this.#untilEnd(run).finally(() => (this.#count -= 1));
  }

  async #untilEnd({ id, tenant }: Run): Promise<void> {
    try {
      for await (const event of (await this.#backend.follow(id, tenant, 0, this.#closing)) ?? []) {
        if (event.type === "finished") return;
      }
    } catch {
      // Whoever shows the run to its client meets the same, and tells it.
    }
  }
}
