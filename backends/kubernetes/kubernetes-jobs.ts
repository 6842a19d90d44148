import type { V1Job } from "@kubernetes/client-node";
import { z } from "zod";

import { ServiceError } from "../../core/errors.ts";
import type { Run, RunId } from "../../core/run.ts";
import type { KubernetesClient } from "./kubernetes-client.ts";
import { KubernetesError } from "./kubernetes-error.ts";
import { runAnnotations } from "./kubernetes-job.ts";
import { ANNOTATIONS, LABELS, SELECTOR, labelValue } from "./kubernetes-names.ts";
import { jobRecord } from "./kubernetes-objects.ts";
import type { JobRecord } from "./kubernetes-objects.ts";

/** How often a Job is asked for again when the API server did not answer, and how long it is waited between, in milliseconds. */
const TRIES = 4;
const PAUSE_MS = 250;

const JOB = z.unknown().transform(jobRecord);
const JOBS = z.object({ items: z.array(JOB) });
const EVENTS = z.object({ items: z.array(z.object({ message: z.string().nullish() })).nullish() });

/** What a Job that waited is given with its run, in seconds. */
export interface ClaimSettings {
  ttlSeconds: number;
  deadlineSeconds: number;
}

/** The calls for Jobs in one namespace. */
export class KubernetesJobs {
  readonly #client: KubernetesClient;
  readonly #path: string;
  readonly #eventsPath: string;

  constructor(client: KubernetesClient, namespace: string) {
    this.#client = client;
    this.#path = `/apis/batch/v1/namespaces/${namespace}/jobs`;
    this.#eventsPath = `/api/v1/namespaces/${namespace}/events`;
  }

  /**
   * Makes the Job; undefined when there is one of its name already. An API server that did not answer is asked again: a
   * Job that it made all the same is then there under its name. Throws `KubernetesError`.
   */
  async create(job: V1Job): Promise<JobRecord | undefined> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#client.call(JOB, "POST", this.#path, { body: job });
      } catch (error) {
        if (!(error instanceof KubernetesError)) throw error;
        if (error.reason === "AlreadyExists") return undefined;
        if (error.status !== 0 || tries === TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * tries));
      }
    }
  }

  /** Has the API server check the Job as it would be made, down to unknown fields; makes nothing. Throws `KubernetesError`. */
  async check(job: V1Job): Promise<void> {
    const query = { dryRun: "All", fieldValidation: "Strict" };
    await this.#client.call(z.unknown(), "POST", this.#path, { body: job, query });
  }

  /** The Job of a run: the one of its name, or one that was made before the run and has taken it. Throws `KubernetesError`. */
  async get(id: RunId): Promise<JobRecord | undefined> {
    try {
      return await this.#client.call(JOB, "GET", `${this.#path}/${id}`);
    } catch (error) {
      if (!(error instanceof KubernetesError && error.status === 404)) throw error;
    }
    const query = { labelSelector: `${SELECTOR},${LABELS.run}=${id}` };
    return (await this.#client.call(JOBS, "GET", this.#path, { query })).items[0];
  }

  /** Lets a suspended Job begin. Throws `KubernetesError`, with reason Conflict when it has changed meanwhile. */
  async resume({ object, version }: JobRecord): Promise<JobRecord> {
    return await this.#patch(object, { metadata: { resourceVersion: version }, spec: { suspend: false } });
  }

  /**
   * Writes into the Job how its run ended, and has the Job controller end it: with a deadline that is over it removes the
   * Pods, marks the Job as failed, and the Job is deleted by itself in time like every other. Throws as `resume` does.
   */
  async settle({ object, version, ended }: JobRecord, outcome: string): Promise<JobRecord> {
    return await this.#patch(object, {
      metadata: { resourceVersion: version, annotations: { [ANNOTATIONS.outcome]: outcome } },
      ...(ended === undefined ? { spec: { activeDeadlineSeconds: 0, suspend: false } } : {}),
    });
  }

  /**
   * Sets annotations of the Job, and removes those that are null. Throws `KubernetesError`: with reason Conflict when the
   * Job is of another version than the one that is given.
   */
  async annotate(
    { object, version }: { object: string; version?: string },
    annotations: Readonly<Record<string, string | null>>,
  ): Promise<JobRecord> {
    const precondition = version === undefined ? {} : { resourceVersion: version };
    return await this.#patch(object, { metadata: { ...precondition, annotations } });
  }

  /**
   * Gives a Job that waits to a run: from then on the Job is the run's for all who look at it. Throws as `resume` does;
   * of all who try with the same version one succeeds.
   */
  async claim({ object, version }: JobRecord, run: Run, settings: ClaimSettings): Promise<JobRecord> {
    const labels = { [LABELS.warm]: null, [LABELS.run]: run.id, [LABELS.tenant]: labelValue(run.tenant) };
    const annotations = runAnnotations(run);
    return await this.#patch(object, {
      metadata: { resourceVersion: version, labels, annotations },
      spec: {
        ttlSecondsAfterFinished: settings.ttlSeconds,
        activeDeadlineSeconds: settings.deadlineSeconds,
      },
    });
  }

  /** Ends a Job that waits for a run, and with it its Pod; it then deletes itself. Throws as `resume` does. */
  async discard({ object, version }: JobRecord): Promise<JobRecord> {
    return await this.#patch(object, { metadata: { resourceVersion: version }, spec: { activeDeadlineSeconds: 0 } });
  }

  /** What the Job controller was told when it could not make the Job's Pod, newest last. */
  async refusals(name: string): Promise<string[]> {
    const fieldSelector = `involvedObject.name=${name},reason=FailedCreate`;
    const { items } = await this.#client.call(EVENTS, "GET", this.#eventsPath, { query: { fieldSelector, limit: 20 } });
    return (items ?? []).flatMap(({ message }) => message ?? []);
  }

  async #patch(object: string, body: unknown): Promise<JobRecord> {
    return await this.#client.call(JOB, "PATCH", `${this.#path}/${object}`, { body });
  }
}

/** The cluster's refusal of a run as an error of this service, in the cluster's own words. */
export function refusedByCluster(error: unknown): unknown {
  if (!(error instanceof KubernetesError)) return error;
  const { status, message } = error;
  const options = { cause: error };
  if (status === 403 && /exceeded quota/.test(message)) {
    return new ServiceError("queue_full", `the cluster's quota is used up: ${message}`, {}, options);
  }
  if (status === 413 || /request is too large|too long|must have at most/i.test(message)) {
    return new ServiceError(
      "program_too_large",
      `files: the cluster takes no Job of this size: ${message}`,
      { field: "files" },
      options,
    );
  }
  if (status === 0) return new ServiceError("unavailable", message, {}, options);
  return new ServiceError("unavailable", `the cluster refused the run: ${message}`, {}, options);
}
