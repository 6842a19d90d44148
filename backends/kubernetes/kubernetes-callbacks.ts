import { randomUUID } from "node:crypto";

import { z } from "zod";

import type { CallbackLedger, OwedCallback } from "../../core/callbacks.ts";
import type { RunId } from "../../core/run.ts";
import type { KubernetesCluster } from "./kubernetes-cluster.ts";
import { KubernetesError } from "./kubernetes-error.ts";
import type { KubernetesJobs } from "./kubernetes-jobs.ts";
import { ANNOTATIONS } from "./kubernetes-names.ts";
import type { JobRecord } from "./kubernetes-objects.ts";

/** How often a claim is written again because the Job has changed meanwhile, as it does when its run ends. */
const TRIES = 6;

/** Which replica is at a callback, until when, and which try it is. */
const CLAIM = z.object({ by: z.string(), until: z.iso.datetime(), try: z.int().positive() });
type Claim = z.infer<typeof CLAIM>;

/** Undefined for no text, and for one that somebody else wrote. */
function parseClaim(text: string | undefined): Claim | undefined {
  try {
    return CLAIM.parse(JSON.parse(text ?? "null"));
  } catch {
    return undefined;
  }
}

/**
 * The callbacks that runs owe, as annotations of their Jobs: each replica sees all of them, and the one whose claim the API
 * server takes makes the next try. What a Job owes ends with the Job.
 */
export class KubernetesCallbacks implements CallbackLedger {
  readonly #cluster: KubernetesCluster;
  readonly #jobs: KubernetesJobs;
  readonly #hasEnded: (job: JobRecord) => boolean;
  /** This replica's name in claims. */
  readonly #name = randomUUID();

  constructor(cluster: KubernetesCluster, jobs: KubernetesJobs, hasEnded: (job: JobRecord) => boolean) {
    this.#cluster = cluster;
    this.#jobs = jobs;
    this.#hasEnded = hasEnded;
  }

  owed(limit: number): OwedCallback[] {
    if (!this.#cluster.isSynced) return [];
    const owed: OwedCallback[] = [];
    for (const job of this.#cluster.jobs()) {
      if (owed.length === limit) break;
      if (job.callback === undefined || !this.#isFree(job) || !this.#hasEnded(job)) continue;
      owed.push({ id: job.name, tenant: job.tenant, url: job.callback.url });
    }
    return owed;
  }

  async claim(id: RunId, leaseMs: (tryNumber: number) => number): Promise<number | undefined> {
    for (let tries = 1; ; tries += 1) {
      const job = this.#cluster.job(id) ?? (await this.#jobs.get(id));
      if (job === undefined || !this.#isFree(job)) return undefined;
      const number = (parseClaim(job.callback?.claim)?.try ?? 0) + 1;
      const until = new Date(Date.now() + leaseMs(number)).toISOString();
      const claim: Claim = { by: this.#name, until, try: number };
      try {
        const annotations = { [ANNOTATIONS.callbackClaim]: JSON.stringify(claim) };
        this.#cluster.putJob(await this.#jobs.annotate(job, annotations));
        return number;
      } catch (error) {
        if (!(error instanceof KubernetesError)) throw error;
        if (error.status === 404) return undefined;
        if (error.reason !== "Conflict" || tries === TRIES) throw error;
      }
      const now = await this.#jobs.get(id);
      if (now === undefined) return undefined;
      this.#cluster.putJob(now);
    }
  }

  async settle(id: RunId): Promise<void> {
    try {
      // A run that is told of has a Job of its own, whose name is the run's id.
      this.#cluster.putJob(await this.#jobs.annotate({ object: id }, { [ANNOTATIONS.callback]: null }));
    } catch (error) {
      // What its Job owed went with it.
      if (!(error instanceof KubernetesError && error.status === 404)) throw error;
    }
  }

  /** Whether a callback is owed that no other replica is at. */
  #isFree({ callback, deleting }: JobRecord): boolean {
    if (callback === undefined || deleting) return false;
    const claim = parseClaim(callback.claim);
    return claim === undefined || claim.by === this.#name || Date.parse(claim.until) < Date.now();
  }
}
