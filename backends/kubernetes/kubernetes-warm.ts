import { randomBytes } from "node:crypto";

import type { V1Job } from "@kubernetes/client-node";

import { wallMsOf } from "../../core/program.ts";
import type { Run } from "../../core/run.ts";
import { backoff } from "./kubernetes-backoff.ts";
import { KubernetesError } from "./kubernetes-error.ts";
import { GRACE_SECONDS, seconds } from "./kubernetes-job.ts";
import type { ClaimSettings } from "./kubernetes-jobs.ts";
import type { Attachment } from "./kubernetes-attach.ts";
import type { LogLine } from "./kubernetes-log.ts";
import type { JobRecord } from "./kubernetes-objects.ts";
import { encodeFor, waitingSeconds } from "./kubernetes-warm-job.ts";
import type { WarmLanguage } from "./kubernetes-warm-job.ts";
import type { WarmPod } from "./kubernetes-warm-pod.ts";
import { WarmQueue, endWaiting } from "./kubernetes-warm-queue.ts";
import type { WarmQueueOptions } from "./kubernetes-warm-queue.ts";

/** How long no Job is made after those that were there made way for runs, in milliseconds. */
const MADE_WAY_MS = 30_000;
/** How long it is waited for Jobs that make way to be gone, in milliseconds. */
const GONE_MS = 15_000;
/** How often a Job is tried again that a quota refuses although others have made way for it, and the longest pause before it. */
const QUOTA_TRIES = 6;
const QUOTA_PAUSE_MS = 2000;
const NEVER = new AbortController().signal;

export interface WarmOptions extends WarmQueueOptions {
  languages: readonly WarmLanguage[];
  ttlSeconds: number;
  /** What is told of each program that a Job could have waited for: how long it was, in milliseconds, or that it was not. */
  observe: (language: string, waitedMs: number | undefined) => void;
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
  readonly #queues: ReadonlyMap<string, WarmQueue>;
  /** The Pods that have a run, as long as this replica is connected to them. */
  readonly #taken = new Map<string, WarmPod>();
  #changed = Promise.withResolvers<void>();

  constructor(options: WarmOptions) {
    this.#options = options;
    const queues = options.languages.map((language): [string, WarmQueue] => [
      language.ahead.language,
      new WarmQueue(language, this.#owner, options),
    ]);
    this.#queues = new Map(queues);
  }

  /** How many wait, by language; undefined where none are to. */
  get counts(): Map<string, number> | undefined {
    if (this.#queues.size === 0) return undefined;
    return new Map([...this.#queues].map(([language, { ready }]) => [language, ready]));
  }

  /** Gives the run a Job that waits for such a one; undefined when none does. Throws `KubernetesError` when it can't be told. */
  async claim(run: Run): Promise<Claimed | undefined> {
    const queue = this.#queues.get(run.language);
    const program = queue === undefined ? undefined : encodeFor(queue.language.ahead, run.program);
    if (queue === undefined || program === undefined) return undefined;
    const { maxAgeMs, ttlSeconds, observe, log } = this.#options;
    const deadlineSeconds = waitingSeconds(maxAgeMs) + seconds(wallMsOf(run.program)) + GRACE_SECONDS;
    for (let taken = queue.take(); taken !== undefined; taken = queue.take()) {
      const { name, pod } = taken;
      try {
        const job = await this.#give(name, run, { ttlSeconds, deadlineSeconds });
        observe(run.language, performance.now() - pod.sinceMs);
        this.#taken.set(pod.name, pod);
        pod.onEnd(() => this.#taken.delete(pod.name));
        return { job, deliver: () => pod.send(program, queue.language.claimedMillicores) };
      } catch (error) {
        pod.close();
        void endWaiting(this.#options, name);
        // Without an answer the Job may be the run's all the same, which is then not to get a second one.
        if (!(error instanceof KubernetesError) || error.status === 0) throw error;
        log(`${name} could not be given to a run: ${error.message}`);
      }
    }
    observe(run.language, undefined);
    return undefined;
  }

  /** The frames of a run by its Pod's connection, once; undefined when there is none. */
  output(pod: string, signal: AbortSignal): AsyncIterable<LogLine> | undefined {
    return this.#taken.get(pod)?.frames(signal);
  }

  /** The connection to the stdin of a run's Pod that already is; undefined when there is none. */
  input(pod: string): Attachment | undefined {
    return this.#taken.get(pod)?.input;
  }

  /** Looks at a Job, or its Pod, which has changed. */
  changed(name: string): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
    for (const queue of this.#queues.values()) queue.changed(name);
  }

  /** Keeps as many as are wanted, or with `isNeeded` makes way for runs that find no room. */
  review(isNeeded: boolean): void {
    if (isNeeded) this.#yield();
    for (const queue of this.#queues.values()) queue.review();
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
    await Promise.all([...this.#queues.values()].map((queue) => queue.stop()));
  }

  /** Lets go of all connections. */
  close(): void {
    for (const queue of this.#queues.values()) queue.close();
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
    if (!this.#yield()) return false;
    const signal = AbortSignal.timeout(GONE_MS);
    const over = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    while (!signal.aborted && this.#all().length > 0) await Promise.race([this.#changed.promise, over]);
    return true;
  }

  #all(): JobRecord[] {
    return [...this.#options.cluster.jobs()].filter(({ warm }) => warm !== undefined);
  }

  /** Ends all that wait, those of other replicas too; whether there was something to end. */
  #yield(): boolean {
    for (const queue of this.#queues.values()) queue.yield(MADE_WAY_MS);
    const all = this.#all();
    for (const { name, warm } of all) if (warm !== this.#owner) void endWaiting(this.#options, name);
    return all.length > 0;
  }
}

function isQuotaUsedUp(error: unknown): boolean {
  return error instanceof KubernetesError && error.status === 403 && /exceeded quota/.test(error.message);
}
