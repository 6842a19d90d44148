import { setTimeout as delay } from "node:timers/promises";

import { z } from "zod";

import type { KubernetesClient } from "./kubernetes-client.ts";
import { KubernetesError } from "./kubernetes-error.ts";
import { QUEUE_LABEL, SELECTOR } from "./kubernetes-names.ts";

/** Objects of one page of a list: each may carry a program of a megabyte. */
const PAGE = 50;
/** How long it is waited for a server to resume one of the Jobs that wait, in milliseconds: one that serves tries each second. */
const SECOND_LOOK_MS = 5000;

const text = z.string().nullish();
const JOB = z.object({
  metadata: z.object({
    name: z.string(),
    uid: z.string(),
    resourceVersion: z.string(),
    creationTimestamp: z.iso.datetime(),
    deletionTimestamp: text,
    labels: z.record(z.string(), z.string()).nullish(),
    managedFields: z.array(z.object({ time: text })).nullish(),
  }),
  spec: z.object({ suspend: z.boolean().nullish(), activeDeadlineSeconds: z.number().nullish() }),
  status: z
    .object({
      startTime: text,
      completionTime: text,
      conditions: z.array(z.object({ type: z.string(), status: z.string(), lastTransitionTime: text })).nullish(),
    })
    .nullish(),
});
const LIST = z.object({ metadata: z.object({ continue: text }), items: z.array(JOB).nullish() });
const REVIEW = z.object({ metadata: z.object({ creationTimestamp: z.iso.datetime() }) });

type Job = z.infer<typeof JOB>;

/**
 * What becomes of a Job:
 * - `finished`: its run has ended, and everybody had the time to read the result.
 * - `overdue`: nobody has ended it at its deadline, and nothing of it has changed since.
 * - `abandoned`: it waits for its turn, and no server is there that would give it one.
 * - `kept`: it executes, may still begin, or was changed by somebody meanwhile.
 */
export type Verdict = "finished" | "overdue" | "abandoned" | "kept";

export interface CleanupOptions {
  client: KubernetesClient;
  namespace: string;
  /** How long ago it must have ended, or should have. */
  olderThanMs: number;
  /** Tells what would be removed. */
  dryRun: boolean;
}

/** What is remembered of a Job. */
interface Entry {
  name: string;
  uid: string;
  version: string;
  verdict: Verdict;
  suspended: boolean;
  /** Whether it shows that runs are executed: it is under way, or has ended not long ago. */
  moves: boolean;
}

function latest(times: readonly (string | null | undefined)[]): number {
  return Math.max(...times.map((time) => (time ? Date.parse(time) : 0)));
}

/** When the Job ended, in milliseconds since 1970; undefined for one that has not. */
function endOf({ status, metadata }: Job): number | undefined {
  const end = status?.conditions?.find(
    ({ type, status: value }) => value === "True" && (type === "Complete" || type === "Failed"),
  );
  if (end === undefined) return undefined;
  return latest([end.lastTransitionTime, status?.completionTime]) || Date.parse(metadata.creationTimestamp);
}

/**
 * When anybody last changed anything of the Job, in milliseconds since 1970. A Job that was resumed a moment ago is as old
 * as one that waits, and has no start time yet; its fields' owners tell. https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
 */
function lastChange({ metadata, status }: Job): number {
  return latest([
    metadata.creationTimestamp,
    status?.startTime,
    ...(status?.conditions ?? []).map(({ lastTransitionTime }) => lastTransitionTime),
    ...(metadata.managedFields ?? []).map(({ time }) => time),
  ]);
}

/** `now` is the cluster's time. A Job that waits for its turn is `abandoned` here if it is old enough for it. */
function judge(job: Job, now: number, olderThanMs: number): Entry {
  const { metadata, spec } = job;
  const { name, uid, resourceVersion: version } = metadata;
  const ended = endOf(job);
  const suspended = ended === undefined && spec.suspend === true;
  const entry = { name, uid, version, suspended, moves: false };
  if (metadata.deletionTimestamp) return { ...entry, suspended: false, verdict: "kept" };
  if (ended !== undefined) {
    const old = now - ended > olderThanMs;
    return { ...entry, verdict: old ? "finished" : "kept", moves: !old };
  }
  const idleMs = now - lastChange(job);
  const late = idleMs > (spec.activeDeadlineSeconds ?? Infinity) * 1000 + olderThanMs;
  if (!suspended) return { ...entry, verdict: late ? "overdue" : "kept", moves: true };
  // Kueue gives no time within which it lets a Job begin.
  const own = metadata.labels?.[QUEUE_LABEL] === undefined;
  return { ...entry, verdict: late && own ? "abandoned" : "kept" };
}

/** The API server's time, in milliseconds since 1970: this machine's clock may differ, and every time in a Job is of the cluster's. */
async function clusterTime(client: KubernetesClient): Promise<number> {
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
  const { metadata } = await client.call(REVIEW, "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", { body });
  return Date.parse(metadata.creationTimestamp);
}

/** Looks at every Job of this product, page by page. */
async function survey({ client, namespace, olderThanMs }: CleanupOptions): Promise<Entry[]> {
  const now = await clusterTime(client);
  const entries: Entry[] = [];
  let next: string | undefined;
  do {
    const query = { labelSelector: SELECTOR, limit: PAGE, continue: next };
    const { metadata, items } = await client.call(LIST, "GET", jobsPath(namespace), { query });
    entries.push(...(items ?? []).map((job) => judge(job, now, olderThanMs)));
    next = metadata.continue || undefined;
  } while (next !== undefined);
  return entries;
}

/** The Jobs that wait, each in one version. */
function queueOf(entries: readonly Entry[]): string {
  return entries
    .filter(({ suspended }) => suspended)
    .map(({ uid, version }) => `${uid} ${version}`)
    .toSorted()
    .join();
}

/**
 * Whether no server resumes the Jobs that wait. One that serves has runs under way whenever some wait, and where they have
 * just ended it resumes others at once.
 */
async function isQueueAbandoned(options: CleanupOptions, first: readonly Entry[]): Promise<boolean> {
  if (first.some(({ moves }) => moves)) return false;
  await delay(SECOND_LOOK_MS);
  const second = await survey(options);
  return second.every(({ moves }) => !moves) && queueOf(first) === queueOf(second);
}

function jobsPath(namespace: string): string {
  return `/apis/batch/v1/namespaces/${namespace}/jobs`;
}

/** Deletes the Job and its Pod if it is still as it was seen; false when it is not. Throws `KubernetesError`. */
async function remove({ client, namespace }: CleanupOptions, { name, uid, version }: Entry): Promise<boolean> {
  const body = { propagationPolicy: "Background", preconditions: { uid, resourceVersion: version } };
  try {
    await client.call(z.unknown(), "DELETE", `${jobsPath(namespace)}/${name}`, { body });
    return true;
  } catch (error) {
    if (error instanceof KubernetesError && (error.status === 404 || error.status === 409)) return false;
    throw error;
  }
}

/**
 * Removes what is left of runs: Jobs that ended long ago, and those that nothing will end any more. Yields what became of
 * each Job of this product, after it was done. Throws `KubernetesError`.
 */
export async function* cleanUpJobs(options: CleanupOptions): AsyncGenerator<Verdict> {
  const entries = await survey(options);
  const waiting = entries.some(({ verdict }) => verdict === "abandoned");
  const isAbandoned = waiting && (await isQueueAbandoned(options, entries));
  for (const entry of entries) {
    const removable = entry.verdict === "abandoned" ? isAbandoned : entry.verdict !== "kept";
    yield removable && (options.dryRun || (await remove(options, entry))) ? entry.verdict : "kept";
  }
}
