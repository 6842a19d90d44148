import type { KubernetesClient } from "./kubernetes-client.ts";
import { JOB_NAME_LABEL, SELECTOR } from "./kubernetes-names.ts";
import { jobRecord, podRecord } from "./kubernetes-objects.ts";
import type { JobRecord, PodRecord } from "./kubernetes-objects.ts";
import { KubernetesWatch } from "./kubernetes-watch.ts";

/** What changed: a Job's `name`, which, or whose Pod, may be gone. */
export type ClusterListener = (name: string) => void;

/** A later version of an object replaces an earlier one: versions count upwards (KEP-5504). */
function isNewer(version: string, than: string): boolean {
  return version.length === than.length ? version > than : version.length > than.length;
}

/**
 * The runs' Jobs and Pods as the cluster has them, kept up to date by one watch of each. What a call answered may be put
 * in as well, so that it is known before the watch brings it. A Pod that is gone is kept as long as its Job.
 */
export class KubernetesCluster {
  readonly #jobs = new Map<string, JobRecord>();
  /** What Jobs are known as, by their own names. */
  readonly #names = new Map<string, string>();
  /** By their Jobs' own names. */
  readonly #pods = new Map<string, PodRecord>();
  readonly #listener: ClusterListener;
  readonly #watches: readonly [KubernetesWatch<JobRecord>, KubernetesWatch<PodRecord>];

  constructor(client: KubernetesClient, namespace: string, listener: ClusterListener) {
    this.#listener = listener;
    this.#watches = [
      new KubernetesWatch({
        client,
        path: `/apis/batch/v1/namespaces/${namespace}/jobs`,
        labelSelector: SELECTOR,
        project: jobRecord,
        listener: {
          replace: (jobs, version) => this.#replaceJobs(jobs, version),
          put: (job) => this.putJob(job),
          remove: ({ object }) => this.#removeJob(object),
        },
      }),
      new KubernetesWatch({
        client,
        path: `/api/v1/namespaces/${namespace}/pods`,
        labelSelector: `${SELECTOR},${JOB_NAME_LABEL}`,
        project: podRecord,
        listener: {
          replace: (pods) => this.#replacePods(pods),
          put: (pod) => this.#putPod(pod),
          remove: (pod) => this.#removePod(pod),
        },
      }),
    ];
  }

  /** Resolves when both lists have come; rejects with `KubernetesError` when one can't be had. */
  async synced(): Promise<void> {
    await Promise.all(this.#watches.map((watch) => watch.synced()));
  }

  /** Whether both lists have come once. */
  get isSynced(): boolean {
    return this.#watches.every((watch) => watch.isSynced);
  }

  /** Why this view may be out of date. */
  get problems(): string[] {
    return this.#watches.flatMap(({ problem }) => problem ?? []);
  }

  job(name: string): JobRecord | undefined {
    return this.#jobs.get(name);
  }

  pod(name: string): PodRecord | undefined {
    return this.#pods.get(this.#jobs.get(name)?.object ?? name);
  }

  jobs(): IterableIterator<JobRecord> {
    return this.#jobs.values();
  }

  putJob(job: JobRecord): void {
    const known = this.#jobs.get(this.#names.get(job.object) ?? "");
    if (known !== undefined && !isNewer(job.version, known.version)) return;
    this.#jobs.set(job.name, job);
    this.#names.set(job.object, job.name);
    if (known !== undefined && known.name !== job.name) {
      this.#jobs.delete(known.name);
      this.#listener(known.name);
    }
    this.#listener(job.name);
  }

  async close(): Promise<void> {
    await Promise.all(this.#watches.map((watch) => watch.close()));
  }

  #removeJob(object: string): void {
    const name = this.#names.get(object);
    this.#pods.delete(object);
    this.#names.delete(object);
    if (name !== undefined && this.#jobs.delete(name)) this.#listener(name);
  }

  #replaceJobs(jobs: readonly JobRecord[], version: string): void {
    const objects = new Set(jobs.map(({ object }) => object));
    for (const job of this.#jobs.values()) {
      // One that was made after the list is not in it.
      if (!objects.has(job.object) && !isNewer(job.version, version)) this.#removeJob(job.object);
    }
    for (const job of jobs) this.putJob(job);
  }

  #putPod(pod: PodRecord): void {
    const known = this.#pods.get(pod.jobName);
    if (known !== undefined && !isNewer(pod.version, known.version)) return;
    this.#pods.set(pod.jobName, pod);
    this.#podChanged(pod.jobName);
  }

  #removePod(pod: PodRecord): void {
    const { jobName, name } = pod;
    if (this.#pods.get(jobName)?.name !== name) return;
    if (this.#names.has(jobName)) this.#pods.set(jobName, { ...pod, gone: true });
    else this.#pods.delete(jobName);
    this.#podChanged(jobName);
  }

  #podChanged(jobName: string): void {
    this.#listener(this.#names.get(jobName) ?? jobName);
  }

  #replacePods(pods: readonly PodRecord[]): void {
    const names = new Set(pods.map(({ name }) => name));
    for (const pod of this.#pods.values()) if (!names.has(pod.name)) this.#removePod(pod);
    for (const pod of pods) this.#putPod(pod);
  }
}
