import { randomInt } from "node:crypto";

import type { V1Job, V1Toleration } from "@kubernetes/client-node";

import { MAX_ARTIFACT_BYTES } from "../../core/artifacts.ts";
import type { Language } from "../../core/languages.ts";
import { inputBytesOf, memoryBytesOf, wallMsOf } from "../../core/program.ts";
import type { Program } from "../../core/program.ts";
import type { Run } from "../../core/run.ts";
import { encodeGrading } from "./kubernetes-grading.ts";
import { ANNOTATIONS, CONTAINER, LABELS, MANAGED_BY, QUEUE_LABEL, labelValue } from "./kubernetes-names.ts";
import type { JobRecord } from "./kubernetes-objects.ts";
import type { PackedProgram } from "./kubernetes-program.ts";
import type { JobTemplate, SandboxVolume } from "./kubernetes-template.ts";

const MiB = 1024 * 1024;
/** What the runner and the container's set-up need beside the program, in bytes. */
const HEADROOM_BYTES = 8 * MiB;
/** What the runner keeps of a compiled program to restore it for each test, in bytes. */
const KEPT_BYTES = 64 * MiB;
/** The output that the runner lets all tests have together, in bytes, with what one may have beyond that. */
const TESTS_OUTPUT_BYTES = 48 * MiB;
/** What the log has beside the program's output, in bytes, and how much longer output is in it than as it was written. */
const LOG_BYTES = 8 * MiB;
const LOG_FACTOR = 1.5;
/** How much longer than its limits a run may take before the cluster ends it, in seconds: for starting and ending its Pod. */
export const GRACE_SECONDS = 60;
/**
 * The runner once more, readable: gVisor executes no file that it can't read. The entry point of the images can't be read,
 * so that the kernel lets nobody trace it from its first instruction on.
 */
const READABLE_RUNNER = "/opt/sandbox/readable-runner";
/** The greatest user id that a user namespace of the kubelet maps: it gives each Pod 65536 of them. */
const MAX_MAPPED_USER = 65_535;

/** What the settings say of Jobs; undefined leaves it to the template. */
export interface JobSettings {
  images: ReadonlyMap<string, string>;
  imagePullPolicy: "Always" | "IfNotPresent" | "Never";
  imagePullSecrets: readonly string[];
  ttlSeconds: number;
  /** How long a run may wait for a node. */
  queueSeconds: number;
  /** Thousandths of a processor; undefined is as much as the run's limit. */
  cpuRequestMillicores: number | undefined;
  runtimeClass: string | undefined;
  nodeSelector: Readonly<Record<string, string>>;
  tolerations: readonly V1Toleration[];
  priorityClass: string | undefined;
  hostUsers: boolean | undefined;
  serviceAccount: string | undefined;
  /** Kueue's local queue. */
  queueName: string | undefined;
}

/**
 * A user id that no other sandbox of the node is likely to have: the kernel counts processes by user across containers
 * (RLIMIT_NPROC of setrlimit(2)). In a user namespace of its own a Pod counts alone.
 */
function userId(hostUsers: boolean | undefined): number {
  return hostUsers === false ? randomInt(1000, MAX_MAPPED_USER) : randomInt(100_000, 2_000_000_000);
}

export function seconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000);
}

/** Memory of the container, in bytes: the stage that may take most decides, and the runner ends the others at theirs. */
function memoryBytes(program: Program, packed: PackedProgram, least: number): number {
  const compiles = program.stages.some(({ name }) => name === "compile");
  const kept = program.tests === undefined ? 0 : compiles ? KEPT_BYTES : inputBytesOf(program).files;
  return Math.max(memoryBytesOf(program) + HEADROOM_BYTES + packed.memoryBytes + kept, least);
}

/** What a run's log may take of its node, in bytes. */
export function logBytes({ stages, limits, tests = [], artifacts }: Program): number {
  const own = tests.reduce((total, { limits: { output_bytes } }) => total + 2 * output_bytes, 0);
  return logBytesOf(
    2 * stages.length * limits.output_bytes +
      Math.min(own, TESTS_OUTPUT_BYTES) +
      (artifacts === undefined ? 0 : MAX_ARTIFACT_BYTES),
  );
}

/** The most that it is for programs of as many stages and of these limits, whatever tests and artifacts they have. */
export function mostLogBytes({ stages, limits }: Program): number {
  return logBytesOf(2 * stages.length * limits.output_bytes + TESTS_OUTPUT_BYTES + MAX_ARTIFACT_BYTES);
}

function logBytesOf(outputBytes: number): number {
  return LOG_BYTES + Math.ceil(LOG_FACTOR * outputBytes);
}

/** Suffixes of the API server's own notation of memory. */
const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  k: 1e3,
  M: 1e6,
  G: 1e9,
};

/** A quantity of memory of a template, in bytes; 0 for one that is not there or that the API server will refuse. */
function quantityBytes(quantity: string | undefined): number {
  const [, number = "0", unit = ""] = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(quantity ?? "0") ?? [];
  return Math.ceil(Number(number) * (UNITS[unit] ?? 0));
}

/** A template's container, volumes and the like that fields are set of; the template was checked to have them. */
export function find<T extends { name: string }>(list: readonly T[] | undefined, name: string): T {
  const found = list?.find((item) => item.name === name);
  if (found === undefined) throw new Error(`the Job template has nothing named ${name}`);
  return found;
}

/** How a run is spoken to, in the word that its Job says it with. */
export function interactionOf({ interaction }: Program): JobRecord["interaction"] {
  if (interaction === undefined) return undefined;
  return interaction.terminal === undefined ? "pipes" : "terminal";
}

/** The Job that executes `run`: the template, and on top of it what is this run's and what the settings say. */
export function makeJob(
  run: Run,
  language: Language,
  packed: PackedProgram,
  template: JobTemplate,
  settings: JobSettings,
  suspend: boolean,
): V1Job {
  const { program } = run;
  const interaction = interactionOf(program);
  const { job, spec, pod } = template.job();
  const container = find(pod.containers, CONTAINER);
  const labels = {
    ...MANAGED_BY,
    "app.kubernetes.io/component": "sandbox",
    [LABELS.language]: language.name,
    [LABELS.tenant]: labelValue(run.tenant),
    ...(program.network === true ? { [LABELS.network]: "allowed" } : {}),
  };

  const metadata = (job.metadata ??= {});
  metadata.name = run.id;
  metadata.labels = { ...metadata.labels, ...labels, ...queueLabel(settings) };
  metadata.annotations = {
    ...metadata.annotations,
    ...runAnnotations(run),
    ...(run.callbackUrl === undefined ? {} : { [ANNOTATIONS.callback]: run.callbackUrl }),
  };
  const podMetadata = (spec.template.metadata ??= {});
  podMetadata.labels = { ...podMetadata.labels, ...labels };
  spec.suspend = suspend || settings.queueName !== undefined;
  spec.ttlSecondsAfterFinished = settings.ttlSeconds;
  spec.activeDeadlineSeconds = settings.queueSeconds + seconds(wallMsOf(program)) + GRACE_SECONDS;

  const user = userId(settings.hostUsers ?? pod.hostUsers);
  // Not of the Pod: its pause container would be a process of the same user, and count.
  Object.assign((container.securityContext ??= {}), { runAsUser: user, runAsGroup: user });
  container.image = settings.images.get(language.name) ?? language.image;
  container.imagePullPolicy = settings.imagePullPolicy;
  container.args = ["--program-in-environment"];
  // For as many as attach, one after the other (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#debugging).
  if (interaction !== undefined) Object.assign(container, { stdin: true, stdinOnce: false });
  container.env = [...(container.env ?? []), ...packed.environment];

  const memory = memoryBytes(program, packed, quantityBytes(container.resources?.limits?.["memory"]));
  const cpu = program.limits.cpu_millicores;
  const shared = { memory: String(memory), "ephemeral-storage": String(logBytes(program)) };
  container.resources = {
    limits: { ...container.resources?.limits, ...shared, cpu: `${cpu}m` },
    requests: {
      ...container.resources?.requests,
      ...shared,
      cpu: `${Math.min(settings.cpuRequestMillicores ?? cpu, cpu)}m`,
    },
  };
  for (const name of ["work", "tmp", "shm"] satisfies SandboxVolume[]) {
    (find(pod.volumes, name).emptyDir ??= {}).sizeLimit = String(program.limits.work_bytes);
  }

  if (program.network === true) {
    // Names are resolved by the cluster's own DNS, the only one that every cluster has.
    pod.dnsPolicy = "ClusterFirst";
    delete pod.dnsConfig;
  }

  if (settings.runtimeClass !== undefined) pod.runtimeClassName = settings.runtimeClass;
  if (pod.runtimeClassName !== undefined) container.command ??= [READABLE_RUNNER];
  if (settings.priorityClass !== undefined) pod.priorityClassName = settings.priorityClass;
  if (settings.hostUsers !== undefined) pod.hostUsers = settings.hostUsers;
  if (settings.serviceAccount !== undefined) pod.serviceAccountName = settings.serviceAccount;
  pod.nodeSelector = { ...pod.nodeSelector, ...settings.nodeSelector };
  pod.tolerations = [...(pod.tolerations ?? []), ...settings.tolerations];
  pod.imagePullSecrets = [...(pod.imagePullSecrets ?? []), ...settings.imagePullSecrets.map((name) => ({ name }))];
  return job;
}

/** What makes a Job the run's for whoever reads it. */
export function runAnnotations({ tenant, fingerprint, createdAt, grading, program }: Run): Record<string, string> {
  const interaction = interactionOf(program);
  return {
    [ANNOTATIONS.tenant]: tenant,
    [ANNOTATIONS.fingerprint]: fingerprint,
    [ANNOTATIONS.createdAt]: createdAt.toISOString(),
    ...(grading === undefined ? {} : { [ANNOTATIONS.grading]: encodeGrading(grading) }),
    ...(interaction === undefined ? {} : { [ANNOTATIONS.interaction]: interaction }),
  };
}

function queueLabel({ queueName }: JobSettings): Record<string, string> {
  return queueName === undefined ? {} : { [QUEUE_LABEL]: queueName };
}
