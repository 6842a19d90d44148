import type { KubernetesClient } from "./kubernetes-client.ts";
import type { KubernetesCluster } from "./kubernetes-cluster.ts";
import { KubernetesError } from "./kubernetes-error.ts";
import type { KubernetesJobs } from "./kubernetes-jobs.ts";
import type { PodRecord } from "./kubernetes-objects.ts";
import type { WarmLanguage } from "./kubernetes-warm-job.ts";
import { WarmPod } from "./kubernetes-warm-pod.ts";

/** How many Jobs of one language are made ready at one time: the cluster is there for runs first. */
const MAX_STARTING = 2;
/** How long a Job may take to be ready before it is given up, in milliseconds. */
const START_MS = 60_000;
/** How long no Job is made after one could not be, or died, in milliseconds. */
const RETRY_MS = 10_000;

export interface WarmQueueOptions {
  client: KubernetesClient;
  namespace: string;
  jobs: KubernetesJobs;
  cluster: KubernetesCluster;
  maxAgeMs: number;
  log: (message: string) => void;
}

/** Ends a Job that waits, unless it has a run by now, or ends already. */
export async function endWaiting({ cluster, jobs, log }: WarmQueueOptions, name: string): Promise<void> {
  const job = cluster.job(name);
  if (job?.warm === undefined || job.isEnding || job.ended !== undefined || job.deleting) return;
  try {
    cluster.putJob(await jobs.discard(job));
  } catch (error) {
    // It has changed, or is gone: what is not gone ends with its connection, and at its deadline.
    if (!(error instanceof KubernetesError && (error.status === 404 || error.reason === "Conflict")))
      log(
        `${name}, which was made ahead, could not be ended: ${error instanceof Error ? error.message : String(error)}`,
      );
  }
}

/** A Job that waits, or will. */
interface Waiting {
  name: string;
  madeMs: number;
  attaching: boolean;
  pod: WarmPod | undefined;
}

/** One language's Jobs of this replica that wait for runs, always as many as are wanted. */
export class WarmQueue {
  readonly language: WarmLanguage;
  readonly #owner: string;
  readonly #options: WarmQueueOptions;
  readonly #waiting = new Map<string, Waiting>();
  /** Lets go of all connections. */
  readonly #closing = new AbortController();
  #making = 0;
  #pausedUntilMs = 0;
  #stopped = false;

  constructor(language: WarmLanguage, owner: string, options: WarmQueueOptions) {
    this.language = language;
    this.#owner = owner;
    this.#options = options;
  }

  /** How many wait. */
  get ready(): number {
    return [...this.#waiting.values()].filter(({ pod }) => pod !== undefined).length;
  }

  /** The oldest that waits; it is the caller's from now on. Undefined when there is none. */
  take(): { name: string; pod: WarmPod } | undefined {
    for (const { name, pod } of this.#waiting.values()) {
      if (pod === undefined) continue;
      this.#waiting.delete(name);
      return { name, pod };
    }
    return undefined;
  }

  /** Looks at a Job, or its Pod, which has changed. */
  changed(name: string): void {
    const waiting = this.#waiting.get(name);
    if (waiting === undefined) return;
    const job = this.#options.cluster.job(name);
    const pod = this.#options.cluster.pod(name);
    const ended = job === undefined || job.ended !== undefined || job.deleting || pod?.terminal === true || pod?.gone;
    if (ended) this.#lose(waiting);
    else if (pod?.startedAt !== undefined && !waiting.attaching) void this.#attach(waiting, pod);
  }

  /** Ends what is too old or does not get ready, and makes what is missing. */
  review(): void {
    const nowMs = performance.now();
    for (const waiting of this.#waiting.values()) {
      const { pod, madeMs } = waiting;
      if (pod === undefined && nowMs - madeMs > START_MS) this.#lose(waiting);
      if (pod !== undefined && nowMs - pod.sinceMs > this.#options.maxAgeMs) this.#discard(waiting);
    }
    this.#fill();
  }

  /** Ends all, and makes none for so many milliseconds. */
  yield(pauseMs: number): void {
    this.#pausedUntilMs = performance.now() + pauseMs;
    for (const waiting of this.#waiting.values()) this.#discard(waiting);
  }

  /** Ends all, and makes no more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const names = [...this.#waiting.keys()];
    this.#waiting.clear();
    await Promise.all(names.map((name) => endWaiting(this.#options, name)));
  }

  close(): void {
    this.#closing.abort();
  }

  #fill(): void {
    while (
      this.#options.cluster.isSynced &&
      !this.#stopped &&
      performance.now() >= this.#pausedUntilMs &&
      this.#waiting.size + this.#making < this.language.size &&
      this.#waiting.size - this.ready + this.#making < MAX_STARTING
    ) {
      this.#making += 1;
      void this.#make();
    }
  }

  async #make(): Promise<void> {
    const { cluster, jobs } = this.#options;
    try {
      const job = await jobs.create(await this.language.make(this.#owner));
      if (job === undefined) return;
      this.#waiting.set(job.name, { name: job.name, madeMs: performance.now(), attaching: false, pod: undefined });
      cluster.putJob(job);
      if (this.#stopped) await endWaiting(this.#options, job.name);
    } catch (error) {
      this.#pause();
      this.#tell(`no Job can be made ahead for ${this.language.ahead.language}`, error);
    } finally {
      this.#making -= 1;
    }
  }

  async #attach(waiting: Waiting, { name: podName }: PodRecord): Promise<void> {
    const { client, namespace } = this.#options;
    const { signal } = this.#closing;
    waiting.attaching = true;
    try {
      const pod = await WarmPod.open(client, namespace, podName, signal);
      waiting.pod = pod;
      pod.onEnd(() => {
        if (this.#waiting.get(waiting.name) === waiting) this.#lose(waiting);
        // Its run is over, which what takes its place is not to slow down.
        else this.#fill();
      });
      if (this.#waiting.get(waiting.name) !== waiting) pod.close();
    } catch (error) {
      if (signal.aborted) return;
      this.#tell(`${waiting.name}, which was made ahead, can't be used`, error);
      this.#lose(waiting);
    }
  }

  /** Gives up one that has ended by itself, or can't be used. */
  #lose(waiting: Waiting): void {
    this.#pause();
    this.#discard(waiting);
  }

  #pause(): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, performance.now() + RETRY_MS);
  }

  #discard({ name, pod }: Waiting): void {
    this.#waiting.delete(name);
    pod?.close();
    void endWaiting(this.#options, name);
  }

  #tell(what: string, error: unknown): void {
    this.#options.log(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
