import { randomBytes } from "node:crypto";

import type { V1Job } from "@kubernetes/client-node";

import type { AheadProgram } from "../../core/ahead.ts";
import { waitsFor } from "../../core/ahead.ts";
import type { Language } from "../../core/languages.ts";
import type { LimitBounds, Limits } from "../../core/limits.ts";
import { encodeProgram, memoryBytesOf } from "../../core/program.ts";
import type { Program } from "../../core/program.ts";
import { GRACE_SECONDS, find, logBytes, makeJob, mostLogBytes } from "./kubernetes-job.ts";
import type { JobSettings } from "./kubernetes-job.ts";
import { CONTAINER, LABELS } from "./kubernetes-names.ts";
import { packProgram } from "./kubernetes-program.ts";
import type { JobTemplate } from "./kubernetes-template.ts";

/** What a Pod reserves of the processors while it waits, in thousandths of one. */
const WAITING_MILLICORES = 10;
/** The longest program, with its input, that is sent to what waits, in bytes; the Pod's memory has room for it twice. */
const MAX_SENT_BYTES = 1024 * 1024;
/** How long a Job may take to be ready, in seconds. */
const START_SECONDS = 120;

/** What is made ahead for one language. */
export interface WarmLanguage {
  ahead: AheadProgram;
  /** How many Jobs wait. */
  size: number;
  /** What its Pod reserves of the processors once it has a run, in thousandths of one. */
  claimedMillicores: number;
  make: (owner: string) => Promise<V1Job>;
}

/**
 * The greatest limits that a program may have which something in a Pod waits for: what the Pod itself is made with is as
 * usual, for that stays; what the runner sets can be lowered.
 */
export function podLimits({ default: usual, maximum }: LimitBounds): Limits {
  const { memory_bytes, cpu_millicores, work_bytes, output_bytes } = usual;
  return { ...maximum, memory_bytes, cpu_millicores, work_bytes, output_bytes };
}

/**
 * What is sent to the Pod that waits; undefined where the program needs another Pod. A program that the interpreter in it can't
 * execute takes that one's place.
 */
export function encodeFor(ahead: AheadProgram, program: Program): Buffer | undefined {
  const { limits } = ahead.program;
  if (!fitsPodOf(ahead.program, program)) return undefined;
  const isAwaited =
    waitsFor(ahead, program) && program.stages.length === 1 && program.limits.processes <= limits.processes;
  const encoded = encodeProgram(program, { processRlimit: true, as: isAwaited ? "program" : "anew" });
  return encoded.length <= MAX_SENT_BYTES ? encoded : undefined;
}

/** Whether the program's own Pod would be as the one of `ahead` is in all that bounds it, and that a network policy looks at. */
function fitsPodOf(ahead: Program, program: Program): boolean {
  const { limits } = program;
  return (
    program.network !== true &&
    memoryBytesOf(program) === memoryBytesOf(ahead) &&
    limits.cpu_millicores === ahead.limits.cpu_millicores &&
    limits.work_bytes === ahead.limits.work_bytes &&
    logBytes(program) <= mostLogBytes(ahead)
  );
}

/** How long a Job that waits lasts when nobody ends it, in seconds. */
export function waitingSeconds(maxAgeMs: number): number {
  return START_SECONDS + Math.ceil(maxAgeMs / 1000) + GRACE_SECONDS;
}

/** What is made before the runs that need it. */
export interface WarmSettings {
  /** How many Jobs of each language wait. */
  languages: readonly { language: Language; ahead: AheadProgram; size: number }[];
  /** How long they wait before others take their places, in milliseconds. */
  maxAgeMs: number;
}

/** The same with how the Jobs are made. */
export function warmLanguages(
  { languages, maxAgeMs }: WarmSettings,
  templates: ReadonlyMap<string, JobTemplate>,
  settings: JobSettings,
): WarmLanguage[] {
  return languages.map(({ language, ahead, size }) => ({
    ahead,
    size,
    claimedMillicores: claimedMillicores(ahead, settings),
    make: async (owner) => {
      const template = templates.get(language.name);
      if (template === undefined) throw new Error(`no Job template for ${language.name}`);
      return await makeWarmJob(owner, language, ahead, template, settings, maxAgeMs);
    },
  }));
}

/** What a run reserves of the processors once it has the Pod: less than the limit, for a Pod keeps its class of service. */
function claimedMillicores(ahead: AheadProgram, { cpuRequestMillicores }: JobSettings): number {
  const limit = ahead.program.limits.cpu_millicores;
  return Math.max(WAITING_MILLICORES, Math.min(cpuRequestMillicores ?? limit, limit - 1));
}

/** A Job in which the language's interpreter waits for a program from the container's stdin, as long as that says something. */
async function makeWarmJob(
  owner: string,
  language: Language,
  { program }: AheadProgram,
  template: JobTemplate,
  settings: JobSettings,
  maxAgeMs: number,
): Promise<V1Job> {
  const packed = await packProgram(program, { ahead: true });
  const run = {
    id: `warm-${language.name}-${randomBytes(8).toString("hex")}`,
    tenant: "",
    language: language.name,
    version: null,
    fingerprint: "",
    durable: false,
    createdAt: new Date(),
    program,
  };
  const room = { ...packed, memoryBytes: packed.memoryBytes + 2 * MAX_SENT_BYTES };
  const job = makeJob(run, language, room, template, settings, false);
  const { metadata = {}, spec } = job;
  const pod = spec?.template.spec;
  if (spec === undefined || pod === undefined) throw new Error("the Job template has no Pod");
  for (const { labels } of [metadata, spec.template.metadata ?? {}]) delete labels?.[LABELS.tenant];
  metadata.labels = { ...metadata.labels, [LABELS.warm]: owner };
  spec.ttlSecondsAfterFinished = 0;
  spec.activeDeadlineSeconds = waitingSeconds(maxAgeMs);
  const container = find(pod.containers, CONTAINER);
  // An interactive run is spoken to by whichever server is asked.
  Object.assign(container, { stdin: true, stdinOnce: false });
  const { limits = {}, requests = {} } = (container.resources ??= {});
  const log = { "ephemeral-storage": String(mostLogBytes(program)) };
  container.resources.limits = { ...limits, ...log };
  container.resources.requests = { ...requests, ...log, cpu: `${WAITING_MILLICORES}m` };
  return job;
}
