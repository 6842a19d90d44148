import type { Interruption } from "../../core/transcript.ts";
import type { KubernetesCluster } from "./kubernetes-cluster.ts";
import { KubernetesError } from "./kubernetes-error.ts";
import type { KubernetesJobs } from "./kubernetes-jobs.ts";
import type { JobRecord } from "./kubernetes-objects.ts";
import { lost, waitingLonger } from "./kubernetes-reasons.ts";

/** How long a Job may be without a Pod before it is asked why, and how long before it is asked again, in milliseconds. */
const ASK_AFTER_MS = 2500;
const ASK_AGAIN_MS = 15_000;
/** How long a Job may be without a Pod before it finds no room, in milliseconds. */
const HELD_UP_MS = 1000;

interface Asked {
  at: number;
  /** The quota that holds the run back, in the cluster's words. */
  quota: string;
}

/** Looks after runs that do not start. */
export class KubernetesWaiting {
  readonly #cluster: KubernetesCluster;
  readonly #jobs: KubernetesJobs;
  readonly #queueSeconds: number;
  readonly #asked = new Map<string, Asked>();

  constructor(cluster: KubernetesCluster, jobs: KubernetesJobs, queueSeconds: number) {
    this.#cluster = cluster;
    this.#jobs = jobs;
    this.#queueSeconds = queueSeconds;
  }

  forget(name: string): void {
    this.#asked.delete(name);
  }

  /** Whether a run that has not ended finds no room in the cluster. */
  isHeldUp(job: JobRecord): boolean {
    const pod = this.#cluster.pod(job.name);
    if (job.suspended || pod !== undefined) return pod?.unscheduled !== undefined;
    return Date.now() - (job.startedAt ?? job.createdAt).getTime() > HELD_UP_MS;
  }

  /** Why the run will not start any more; undefined while it may. Throws nothing: what can't be asked is asked again. */
  async problem(job: JobRecord): Promise<Interruption | undefined> {
    const pod = this.#cluster.pod(job.name);
    if (job.suspended || pod?.startedAt !== undefined) return undefined;
    const waitedMs = Date.now() - (job.startedAt ?? job.createdAt).getTime();
    if (waitedMs > this.#queueSeconds * 1000) return this.#tooLong(job);
    if (pod !== undefined || waitedMs < ASK_AFTER_MS) return undefined;
    return await this.#refused(job);
  }

  #tooLong({ name }: JobRecord): Interruption {
    const quota = this.#asked.get(name)?.quota ?? "";
    if (quota !== "")
      return lost(`the cluster's quota held the run back for ${this.#queueSeconds} s`, { reason: "", message: quota });
    return waitingLonger(this.#cluster.pod(name), this.#queueSeconds);
  }

  /** A Job whose Pod the cluster does not let in has no Pod, and only its events say why. */
  async #refused({ name, object }: JobRecord): Promise<Interruption | undefined> {
    const asked = this.#asked.get(name);
    if (asked !== undefined && performance.now() - asked.at < ASK_AGAIN_MS) return undefined;
    this.#asked.set(name, { at: performance.now(), quota: asked?.quota ?? "" });
    try {
      const message = (await this.#jobs.refusals(object)).at(-1);
      if (message === undefined) return undefined;
      // A quota is a queue: what holds a run back ends with other runs. No time mends any other refusal.
      if (!/exceeded quota/.test(message)) return lost("the cluster refused the sandbox", { reason: "", message });
      this.#asked.set(name, { at: performance.now(), quota: message });
    } catch (error) {
      if (!(error instanceof KubernetesError)) throw error;
    }
    return undefined;
  }
}
