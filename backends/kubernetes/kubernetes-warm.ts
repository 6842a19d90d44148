import { randomBytes } from "node:crypto";

import type { V1Job } from "@kubernetes/client-node";
import { wallMsOf } from "../../core/program.ts";
import type { Run } from "../../core/run.ts";
import { backoff } from "./kubernetes-backoff.ts";
import type { KubernetesClient } from "./kubernetes-client.ts";
import type { KubernetesCluster } from "./kubernetes-cluster.ts";
import { KubernetesError } from "./kubernetes-error.ts";
import { GRACE_SECONDS, seconds } from "./kubernetes-job.ts";
import type { ClaimSettings, KubernetesJobs } from "./kubernetes-jobs.ts";
import type { LogLine } from "./kubernetes-log.ts";
import type { JobRecord, PodRecord } from "./kubernetes-objects.ts";
import { encodeFor, waitingSeconds } from "./kubernetes-warm-job.ts";
import type { WarmLanguage } from "./kubernetes-warm-job.ts";
import { WarmPod } from "./kubernetes-warm-pod.ts";

/** How many Jobs of one language are made ready at one time: the cluster is there for runs first. */
const MAX_STARTING = 2;
/** How long a Job may take to be ready before it is given up, in milliseconds. */
const START_MS = 60_000;
/** How long no Job is made after one could not be, or died, and after Jobs made way for runs, in milliseconds. */
const RETRY_MS = 10_000;
const MADE_WAY_MS = 30_000;
/** How long it is waited for Jobs that make way to be gone, in milliseconds. */
const GONE_MS = 15_000;
/** How often a Job is tried again that a quota refuses although others have made way for it, and the longest pause before it. */
const QUOTA_TRIES = 6;
const QUOTA_PAUSE_MS = 2000;
const NEVER = new AbortController().signal;

export interface WarmOptions {
  client: KubernetesClient;
  namespace: string;
  jobs: KubernetesJobs;
  cluster: KubernetesCluster;
  languages: readonly WarmLanguage[];
  maxAgeMs: number;
  ttlSeconds: number;
  log: (message: string) => void;
  /** What is told of each program that could have been waited for: how long it was, in milliseconds, or that it was not. */
  observe: (language: string, waitedMs: number | undefined) => void;
}

/** A Job of this replica that waits, or will. */
interface Waiting {
  name: string;
  madeMs: number;
  attaching: boolean;
  ready: WarmPod | undefined;
}

interface Queue extends WarmLanguage {
  waiting: Map<string, Waiting>;
  making: number;
  pausedUntilMs: number;
}

/** A Job that has its run. `deliver` sends it the program, and rejects with `KubernetesError` when that fails. */
export interface Claimed {
  job: JobRecord;
  deliver: () => Promise<void>;
}

/**
 * Jobs that were made before their runs: each has an interpreter that waits for its program, and a connection of this
 * replica to it, with whose end it ends too. A run takes one by a change of the Job that only one replica can make; it is
 * then read by any of them like every other. They make way for runs that find no room.
 */
export class KubernetesWarm {
  readonly #options: WarmOptions;
  readonly #owner = randomBytes(8).toString("hex");
  readonly #queues: ReadonlyMap<string, Queue>;
  /** What Pods that have a run still say by their connections. */
  readonly #outputs = new Map<string, WarmPod>();
  readonly #closing = new AbortController();
  /** Jobs that were told to end. */
  readonly #ending = new Set<string>();
  #changed = Promise.withResolvers<void>();
  #stopped = false;

  constructor(options: WarmOptions) {
    this.#options = options;
    const queues = options.languages.map((language): [string, Queue] => [
      language.ahead.language,
      { ...language, waiting: new Map(), making: 0, pausedUntilMs: 0 },
    ]);
    this.#queues = new Map(queues);
  }

  /** How many wait, by language; undefined where none are to. */
  get counts(): Map<string, number> | undefined {
    if (this.#queues.size === 0) return undefined;
    return new Map(
      [...this.#queues].map(([language, { waiting }]) => [
        language,
        [...waiting.values()].filter(({ ready }) => ready !== undefined).length,
      ]),
    );
  }

  /** Gives the run a Job that waits for such a one; undefined when none does. */
  async claim(run: Run): Promise<Claimed | undefined> {
    const queue = this.#queues.get(run.language);
    const program = queue === undefined ? undefined : encodeFor(queue.ahead, run.program);
    if (queue === undefined || program === undefined) return undefined;
    const deadlineSeconds = waitingSeconds(this.#options.maxAgeMs) + seconds(wallMsOf(run.program)) + GRACE_SECONDS;
    const settings = { ttlSeconds: this.#options.ttlSeconds, deadlineSeconds };
    for (const waiting of [...queue.waiting.values()]) {
      const { name, ready } = waiting;
      if (ready === undefined || !queue.waiting.delete(name)) continue;
      try {
        const claimed = await this.#give(name, run, settings);
        this.#options.observe(run.language, performance.now() - ready.sinceMs);
        this.#outputs.set(ready.name, ready);
        return { job: claimed, deliver: () => ready.send(program, queue.claimedMillicores) };
      } catch (error) {
        this.#let(waiting);
        this.#tell(`${name} could not be given to a run`, error);
      }
    }
    this.#options.observe(run.language, undefined);
    return undefined;
  }

  /** The frames of a run by its Pod's connection, once; undefined when there is none. */
  output(pod: string, signal: AbortSignal): AsyncIterable<LogLine> | undefined {
    const output = this.#outputs.get(pod);
    if (output === undefined) return undefined;
    this.#outputs.delete(pod);
    return output.frames(signal);
  }

  /** Looks at a Job that waits, or its Pod, which has changed. */
  changed(name: string): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
    const job = this.#options.cluster.job(name);
    const pod = this.#options.cluster.pod(name);
    if (job === undefined) this.#ending.delete(name);
    for (const queue of this.#queues.values()) {
      const waiting = queue.waiting.get(name);
      if (waiting === undefined) continue;
      const ended = job === undefined || job.ended !== undefined || job.deleting || pod?.terminal === true || pod?.gone;
      if (ended) this.#lose(queue, waiting);
      else if (pod?.startedAt !== undefined && !waiting.attaching) void this.#attach(queue, waiting, pod);
    }
  }

  /** Replaces what is too old, and makes what is missing, or with `isNeeded` makes way for runs that find no room. */
  review(isNeeded: boolean): void {
    const nowMs = performance.now();
    if (isNeeded) this.#discardAll();
    for (const queue of this.#queues.values()) {
      for (const waiting of queue.waiting.values()) {
        const { ready, madeMs } = waiting;
        const isOld = ready !== undefined && nowMs - ready.sinceMs > this.#options.maxAgeMs;
        const isLate = ready === undefined && nowMs - madeMs > START_MS;
        if (isLate) queue.pausedUntilMs = nowMs + RETRY_MS;
        if (isOld || isLate) this.#discard(queue, waiting);
      }
      this.#fill(queue);
    }
  }

  /** Makes the Job of a run; Jobs that wait make way when a quota has no room for both. Throws as `create` of all Jobs does. */
  async create(job: V1Job): Promise<JobRecord | undefined> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#options.jobs.create(job);
      } catch (error) {
        if (!isQuotaUsedUp(error) || tries === QUOTA_TRIES) throw error;
        if (!(await this.#makeWay()) && tries === 1) throw error;
        // A quota notices some time later that there is room again.
        if (tries > 1) await backoff(tries, QUOTA_PAUSE_MS, NEVER);
      }
    }
  }

  /** Ends every Job of this replica that waits, and makes no more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const ends: Promise<void>[] = [];
    for (const { waiting } of this.#queues.values()) {
      for (const name of waiting.keys()) ends.push(this.#end(name));
      waiting.clear();
    }
    await Promise.all(ends);
  }

  /** Lets go of all connections. */
  close(): void {
    this.#closing.abort();
  }

  /** Writes the run into the Job, as it is or as it is now if the Job controller has just changed it. Throws `KubernetesError`. */
  async #give(name: string, run: Run, settings: ClaimSettings): Promise<JobRecord> {
    const { cluster, jobs } = this.#options;
    const known = cluster.job(name);
    try {
      if (known !== undefined) return await jobs.claim(known, run, settings);
    } catch (error) {
      if (!(error instanceof KubernetesError && error.reason === "Conflict")) throw error;
    }
    const job = await jobs.get(name);
    if (job?.warm !== this.#owner) throw new KubernetesError(409, "Conflict", "somebody else has taken it");
    return await jobs.claim(job, run, settings);
  }

  /** Ends all Jobs of the namespace that wait, and resolves when they are gone; false when there were none. */
  async #makeWay(): Promise<boolean> {
    if (!this.#discardAll()) return false;
    const signal = AbortSignal.timeout(GONE_MS);
    const over = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    while (!signal.aborted && this.#all().length > 0) await Promise.race([this.#changed.promise, over]);
    return true;
  }

  #all(): JobRecord[] {
    return [...this.#options.cluster.jobs()].filter(({ warm }) => warm !== undefined);
  }

  /** Whether there was something to end. Those of other replicas too, which see it as this one does. */
  #discardAll(): boolean {
    const pausedUntilMs = performance.now() + MADE_WAY_MS;
    for (const queue of this.#queues.values()) {
      queue.pausedUntilMs = pausedUntilMs;
      for (const waiting of queue.waiting.values()) this.#discard(queue, waiting);
    }
    const others = this.#all().filter(({ warm, ended }) => warm !== this.#owner && ended === undefined);
    for (const { name } of others) void this.#end(name);
    return this.#all().length > 0;
  }

  #fill(queue: Queue): void {
    const { waiting, size } = queue;
    const starting = (): number => [...waiting.values()].filter(({ ready }) => ready === undefined).length;
    while (
      this.#options.cluster.isSynced &&
      !this.#stopped &&
      performance.now() >= queue.pausedUntilMs &&
      waiting.size + queue.making < size &&
      starting() + queue.making < MAX_STARTING
    ) {
      queue.making += 1;
      void this.#make(queue);
    }
  }

  async #make(queue: Queue): Promise<void> {
    const { cluster, jobs } = this.#options;
    try {
      const job = await jobs.create(await queue.make(this.#owner));
      if (job === undefined) return;
      queue.waiting.set(job.name, { name: job.name, madeMs: performance.now(), attaching: false, ready: undefined });
      cluster.putJob(job);
      if (this.#stopped) await this.#end(job.name);
    } catch (error) {
      this.#pause(queue);
      this.#tell(`no Job can be made ahead for ${queue.ahead.language}`, error);
    } finally {
      queue.making -= 1;
    }
  }

  async #attach(queue: Queue, waiting: Waiting, { name: podName }: PodRecord): Promise<void> {
    const { client, namespace } = this.#options;
    const { signal } = this.#closing;
    waiting.attaching = true;
    try {
      const pod = await WarmPod.open(client, namespace, podName, signal);
      waiting.ready = pod;
      pod.onEnd(() => {
        this.#outputs.delete(podName);
        if (queue.waiting.get(waiting.name) === waiting) this.#lose(queue, waiting);
        // Its run is over, which what takes its place is not to slow down.
        else this.#fill(queue);
      });
      if (queue.waiting.get(waiting.name) !== waiting) pod.close();
    } catch (error) {
      if (signal.aborted) return;
      this.#tell(`${waiting.name}, which was made ahead, can't be used`, error);
      this.#lose(queue, waiting);
    }
  }

  /** Gives up one that has ended by itself, or may not be used. */
  #lose(queue: Queue, waiting: Waiting): void {
    this.#pause(queue);
    this.#discard(queue, waiting);
  }

  #pause(queue: Queue): void {
    queue.pausedUntilMs = Math.max(queue.pausedUntilMs, performance.now() + RETRY_MS);
  }

  #discard(queue: Queue, waiting: Waiting): void {
    queue.waiting.delete(waiting.name);
    this.#let(waiting);
  }

  #let({ name, ready }: Waiting): void {
    ready?.close();
    void this.#end(name);
  }

  async #end(name: string): Promise<void> {
    const { cluster, jobs } = this.#options;
    const job = cluster.job(name);
    if (job?.warm === undefined || job.ended !== undefined || job.deleting || this.#ending.has(name)) return;
    this.#ending.add(name);
    try {
      cluster.putJob(await jobs.discard(job));
    } catch (error) {
      this.#ending.delete(name);
      // It has changed, or is gone: what is not gone ends with its connection, and at its deadline.
      if (!(error instanceof KubernetesError && (error.status === 404 || error.reason === "Conflict")))
        this.#tell(`${name}, which was made ahead, could not be ended`, error);
    }
  }

  #tell(what: string, error: unknown): void {
    this.#options.log(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function isQuotaUsedUp(error: unknown): boolean {
  return error instanceof KubernetesError && error.status === 403 && /exceeded quota/.test(error.message);
}
