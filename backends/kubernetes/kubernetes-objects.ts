import { z } from "zod";

import type { RunIdentity } from "../../core/transcript.ts";
import { decodeGrading } from "./kubernetes-grading.ts";
import { ANNOTATIONS, CONTAINER, JOB_NAME_LABEL, LABELS } from "./kubernetes-names.ts";

/** What is kept of a Job. */
export interface JobRecord {
  /** The run's id; of a Job that waits for a run, the Job's own name. */
  name: string;
  /** The Job's own name, which is not the run's id where the Job was made before the run. */
  object: string;
  /** The replica whose Job waits for a run; undefined of one that has its run. */
  warm: string | undefined;
  version: string;
  language: string;
  tenant: string;
  fingerprint: string;
  createdAt: Date;
  /** When the Job began, or was resumed; undefined while it is suspended or the Job controller has not seen it. */
  startedAt: Date | undefined;
  suspended: boolean;
  /** Whether it was told to end: its deadline is over, whenever it began. */
  isEnding: boolean;
  deleting: boolean;
  /** The Job controller's verdict. */
  ended: { failed: boolean } | undefined;
  /** Why the Job controller ends the Job, from the moment at which it has decided to. */
  failure: Reason | undefined;
  /** The annotation; undefined while the log tells how the run ended. */
  outcome: string | undefined;
  /** The annotation; undefined of a run without tests. */
  grading: string | undefined;
  /** Whether it is spoken to while it runs, and has a terminal for that. */
  interaction: "terminal" | "pipes" | undefined;
  /** The annotations; undefined when no callback is owed, or not any more. */
  callback: { url: string; claim: string | undefined } | undefined;
}

export interface Reason {
  reason: string;
  message: string;
}

/** What is kept of a Pod, of its state above all that of the program's container. */
export interface PodRecord {
  name: string;
  version: string;
  jobName: string;
  /** Succeeded or Failed: nothing of it will run any more. */
  terminal: boolean;
  deleting: boolean;
  /** Not in the cluster any more; this is what was last known of it. */
  gone: boolean;
  startedAt: Date | undefined;
  terminated: (Reason & { exitCode: number; at: Date }) | undefined;
  /** Why the container does not start yet. */
  waiting: Reason | undefined;
  /** Why the Pod has no node. */
  unscheduled: Reason | undefined;
  /** Why the Pod is being taken away: the condition DisruptionTarget. */
  disruption: Reason | undefined;
  /** The Pod's own reason, such as Evicted. */
  failure: Reason | undefined;
}

const text = z.string().nullish();
const METADATA = z.object({
  name: z.string(),
  resourceVersion: z.string(),
  creationTimestamp: z.iso.datetime().nullish(),
  deletionTimestamp: text,
  labels: z.record(z.string(), z.string()).nullish(),
  annotations: z.record(z.string(), z.string()).nullish(),
});
const CONDITION = z.object({ type: z.string(), status: z.string(), reason: text, message: text });

/** The server's own words for a thing; empty where it has none. */
function reasonOf(value: { reason?: string | null | undefined; message?: string | null | undefined }): Reason {
  return { reason: value.reason ?? "", message: value.message ?? "" };
}

function interactionOf(annotation: string | undefined): JobRecord["interaction"] {
  return annotation === "terminal" || annotation === "pipes" ? annotation : undefined;
}

const JOB = z.object({
  metadata: METADATA,
  spec: z.object({ suspend: z.boolean().nullish(), activeDeadlineSeconds: z.number().nullish() }),
  status: z.object({ startTime: text, conditions: z.array(CONDITION).nullish() }).nullish(),
});

/** https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/job-v1/ */
export function jobRecord(object: unknown): JobRecord {
  const { metadata, spec, status } = JOB.parse(object);
  const { labels, annotations, creationTimestamp } = metadata;
  const conditions = status?.conditions?.filter(({ status: value }) => value === "True") ?? [];
  const end = conditions.find(({ type }) => type === "Complete" || type === "Failed");
  const callback = annotations?.[ANNOTATIONS.callback];
  const failure = conditions.find(({ type }) => type === "FailureTarget" || type === "Failed");
  return {
    name: labels?.[LABELS.run] ?? metadata.name,
    object: metadata.name,
    warm: labels?.[LABELS.warm],
    version: metadata.resourceVersion,
    language: labels?.[LABELS.language] ?? "",
    tenant: annotations?.[ANNOTATIONS.tenant] ?? "",
    fingerprint: annotations?.[ANNOTATIONS.fingerprint] ?? "",
    createdAt: new Date(annotations?.[ANNOTATIONS.createdAt] ?? creationTimestamp ?? 0),
    startedAt: status?.startTime ? new Date(status.startTime) : undefined,
    suspended: spec.suspend === true,
    isEnding: spec.activeDeadlineSeconds === 0,
    deleting: Boolean(metadata.deletionTimestamp),
    ended: end === undefined ? undefined : { failed: end.type === "Failed" },
    failure: failure === undefined ? undefined : reasonOf(failure),
    outcome: annotations?.[ANNOTATIONS.outcome],
    grading: annotations?.[ANNOTATIONS.grading],
    interaction: interactionOf(annotations?.[ANNOTATIONS.interaction]),
    callback: callback === undefined ? undefined : { url: callback, claim: annotations?.[ANNOTATIONS.callbackClaim] },
  };
}

const CONTAINER_STATUS = z.object({
  name: z.string(),
  state: z
    .object({
      waiting: z.object({ reason: text, message: text }).nullish(),
      running: z.object({ startedAt: text }).nullish(),
      terminated: z
        .object({ exitCode: z.number(), reason: text, message: text, startedAt: text, finishedAt: text })
        .nullish(),
    })
    .nullish(),
});

const POD = z.object({
  metadata: METADATA,
  status: z
    .object({
      phase: text,
      reason: text,
      message: text,
      conditions: z.array(CONDITION).nullish(),
      containerStatuses: z.array(CONTAINER_STATUS).nullish(),
    })
    .nullish(),
});

function date(value: string | null | undefined): Date | undefined {
  return value ? new Date(value) : undefined;
}

/** https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/ */
export function podRecord(object: unknown): PodRecord {
  const { metadata, status } = POD.parse(object);
  const state = status?.containerStatuses?.find(({ name }) => name === CONTAINER)?.state;
  const { waiting, running, terminated } = state ?? {};
  const condition = (name: string, value: string): Reason | undefined => {
    const found = status?.conditions?.find((each) => each.type === name && each.status === value);
    return found === undefined ? undefined : reasonOf(found);
  };
  return {
    name: metadata.name,
    version: metadata.resourceVersion,
    jobName: metadata.labels?.[JOB_NAME_LABEL] ?? "",
    terminal: status?.phase === "Succeeded" || status?.phase === "Failed",
    deleting: Boolean(metadata.deletionTimestamp),
    gone: false,
    startedAt: date(running?.startedAt) ?? date(terminated?.startedAt),
    terminated: terminated
      ? { ...reasonOf(terminated), exitCode: terminated.exitCode, at: date(terminated.finishedAt) ?? new Date(0) }
      : undefined,
    waiting: waiting ? reasonOf(waiting) : undefined,
    unscheduled: condition("PodScheduled", "False"),
    disruption: condition("DisruptionTarget", "True"),
    failure: status?.reason ? reasonOf(status) : undefined,
  };
}

/** What a run's Job tells of the run. */
export function identityOf({ name, language, createdAt, grading }: JobRecord): RunIdentity {
  const identity = { id: name, language, version: null, createdAt };
  return grading === undefined ? identity : { ...identity, grading: decodeGrading(grading) };
}
