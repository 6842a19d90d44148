import { ServiceError } from "../../core/errors.ts";
import type { KubernetesCluster } from "./kubernetes-cluster.ts";
import type { JobRecord } from "./kubernetes-objects.ts";

const RETRY_AFTER_SECONDS = 2;

/** What decides whether a run is counted: whose it is, and whether it is spoken to. */
export type Countable = Pick<JobRecord, "tenant" | "interaction">;

export interface AdmissionOptions {
  cluster: KubernetesCluster;
  /** Runs that execute at one time; undefined leaves it to the cluster's scheduler. */
  maxRunning: number | undefined;
  /** Whether something else, such as Kueue, decides when the Jobs that wait begin. */
  heldElsewhere: boolean;
  maxQueued: number;
  /** Whether the run is one of those that are bounded. */
  counts: (run: Countable) => boolean;
  /** Whether the run has ended, as far as this replica knows. */
  hasEnded: (job: JobRecord) => boolean;
  hasStarted: (job: JobRecord) => boolean;
  /** Lets a suspended Job begin. */
  resume: (job: JobRecord) => Promise<void>;
}

/** A place for a run that is about to be made; disposed of when the cluster has it, or does not get it. */
export interface Place extends Disposable {
  /** Whether the run has to wait for its turn. */
  suspended: boolean;
}

/** By the time of acceptance; names decide between equals, the same way on every replica. */
function byAge(a: JobRecord, b: JobRecord): number {
  return a.createdAt.getTime() - b.createdAt.getTime() || (a.name < b.name ? -1 : 1);
}

/**
 * How many runs are let in. With a bound on those that execute, the others wait as suspended Jobs, and whichever replica
 * sees a run end resumes the oldest of them; the API server lets only one replica do it. Replicas that accept runs at the
 * same moment may exceed the bound by one each.
 */
export class KubernetesAdmission {
  readonly #options: AdmissionOptions;
  readonly #resuming = new Set<string>();
  #creating = 0;
  #creatingActive = 0;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** The runs that have not ended. */
  figures(): { running: number; queued: number } {
    const unfinished = this.#unfinished();
    const running = unfinished.filter((job) => this.#options.hasStarted(job)).length;
    return { running, queued: unfinished.length - running + this.#creating };
  }

  /** A place for a new run. Throws `queue_full`. */
  reserve(run: Countable): Place {
    const { maxRunning, maxQueued, counts } = this.#options;
    if (!counts(run)) return { suspended: false, [Symbol.dispose]: () => {} };
    const unfinished = this.#unfinished();
    const full =
      maxRunning === undefined
        ? this.figures().queued >= maxQueued
        : unfinished.length + this.#creating >= maxRunning + maxQueued;
    if (full) {
      throw new ServiceError(
        "queue_full",
        `${maxQueued} runs are waiting already, which is the most; try again later`,
        {
          retry_after_seconds: RETRY_AFTER_SECONDS,
        },
      );
    }
    const suspended = maxRunning !== undefined && this.#active(unfinished) >= maxRunning;
    this.#creating += 1;
    if (!suspended) this.#creatingActive += 1;
    return {
      suspended,
      [Symbol.dispose]: () => {
        this.#creating -= 1;
        if (!suspended) this.#creatingActive -= 1;
        this.check();
      },
    };
  }

  /** Resumes as many waiting runs as there is room for. */
  check(): void {
    const { maxRunning = Number.POSITIVE_INFINITY, heldElsewhere, resume } = this.#options;
    if (heldElsewhere) return;
    const unfinished = this.#unfinished();
    const waiting = unfinished.filter((job) => job.suspended && !this.#resuming.has(job.name)).toSorted(byAge);
    const free = maxRunning - this.#active(unfinished);
    for (const job of waiting.slice(0, Math.max(0, free))) {
      this.#resuming.add(job.name);
      void resume(job).finally(() => {
        this.#resuming.delete(job.name);
        this.check();
      });
    }
  }

  /** Runs that execute, or may begin to at any moment. */
  #active(unfinished: readonly JobRecord[]): number {
    const resumed = unfinished.filter((job) => !job.suspended || this.#resuming.has(job.name));
    return resumed.length + this.#creatingActive;
  }

  #unfinished(): JobRecord[] {
    const { cluster, counts, hasEnded } = this.#options;
    return [...cluster.jobs()].filter((job) => counts(job) && !hasEnded(job));
  }
}
