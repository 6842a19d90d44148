import { z } from "zod";

import type { KubernetesClient } from "../../backends/kubernetes/kubernetes-client.ts";
import { JOB_NAME_LABEL } from "../../backends/kubernetes/kubernetes-names.ts";
import { jobRecord, podRecord } from "../../backends/kubernetes/kubernetes-objects.ts";
import type { PodRecord } from "../../backends/kubernetes/kubernetes-objects.ts";
import { KubernetesWatch } from "../../backends/kubernetes/kubernetes-watch.ts";
import type { Namespace } from "../support/cluster.ts";
import { within } from "../support/time.ts";

/** Longer than any step takes on a machine that is busy with others. */
const STEP_MS = 120_000;

/** What a watch shows of a Job and its Pod, in order. */
export type Step = "made" | "pod" | "scheduled" | "started" | "terminated" | "complete" | "gone";

/** When each step was seen, by the clock of `performance.now()`. */
export type Steps = ReadonlyMap<Step, number>;

interface Seen {
  steps: Map<Step, number>;
  podName: string;
  changed: PromiseWithResolvers<void>;
}

interface Pod extends PodRecord {
  scheduled: boolean;
}

const SPEC = z.object({ spec: z.object({ nodeName: z.string().optional() }) });

/** When the steps of a namespace's Jobs are seen by one who watches it, as a server does. */
export class ClusterTimes implements AsyncDisposable {
  readonly #seen = new Map<string, Seen>();
  readonly #watches: readonly { synced(): Promise<void>; close(): Promise<void> }[];

  private constructor(client: KubernetesClient, { jobs, pods }: Namespace) {
    this.#watches = [
      new KubernetesWatch({
        client,
        path: jobs,
        labelSelector: "",
        project: jobRecord,
        listener: {
          replace: () => {},
          put: ({ name, ended }) => this.#note(name, ["made", ...(ended === undefined ? [] : ["complete" as const])]),
          remove: () => {},
        },
      }),
      new KubernetesWatch({
        client,
        path: pods,
        labelSelector: JOB_NAME_LABEL,
        project: (object): Pod => {
          return { ...podRecord(object), scheduled: SPEC.parse(object).spec.nodeName !== undefined };
        },
        listener: {
          replace: () => {},
          put: (pod) => this.#notePod(pod),
          remove: ({ jobName }) => this.#note(jobName, ["gone"]),
        },
      }),
    ];
  }

  /** Begins to watch; what is there already has no times. */
  static async open(client: KubernetesClient, namespace: Namespace): Promise<ClusterTimes> {
    const times = new ClusterTimes(client, namespace);
    await Promise.all(times.#watches.map((watch) => watch.synced()));
    return times;
  }

  /** Resolves with the Pod's name when the step was seen. */
  async reached(jobName: string, step: Step): Promise<string> {
    const seen = this.#of(jobName);
    const wait = async (): Promise<void> => {
      while (!seen.steps.has(step)) await seen.changed.promise;
    };
    await within(STEP_MS, `${jobName} ${step}`, wait());
    return seen.podName;
  }

  /** The steps until now. */
  of(jobName: string): Steps {
    return this.#of(jobName).steps;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#watches.map((watch) => watch.close()));
  }

  #of(jobName: string): Seen {
    const seen = this.#seen.get(jobName) ?? { steps: new Map(), podName: "", changed: Promise.withResolvers<void>() };
    this.#seen.set(jobName, seen);
    return seen;
  }

  #notePod({ jobName, name, scheduled, startedAt, terminated }: Pod): void {
    this.#of(jobName).podName = name;
    this.#note(jobName, [
      "pod",
      ...(scheduled ? ["scheduled" as const] : []),
      ...(startedAt === undefined ? [] : ["started" as const]),
      ...(terminated === undefined ? [] : ["terminated" as const]),
    ]);
  }

  #note(jobName: string, steps: readonly Step[]): void {
    const now = performance.now();
    const seen = this.#of(jobName);
    for (const step of steps) if (!seen.steps.has(step)) seen.steps.set(step, now);
    seen.changed.resolve();
    seen.changed = Promise.withResolvers();
  }
}
