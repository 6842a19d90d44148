import { createHash } from "node:crypto";

import type { AheadProgram } from "./ahead.ts";
import type { Interaction } from "./interaction.ts";
import type { Language } from "./languages.ts";
import type { LimitBounds, Limits } from "./limits.ts";
import type { Program, ProgramFile, ProgramStage } from "./program.ts";
import { checkTests } from "./create-tests.ts";
import { runId } from "./run.ts";
import type { Run, RunId, Tenant } from "./run.ts";
import { invalid } from "./errors.ts";
import {
  checkArguments,
  checkArtifacts,
  checkEnvironment,
  checkFiles,
  checkFit,
  checkLimits,
  checkStdin,
} from "./validators.ts";
import type { RequestBounds, RunRequest } from "./validators.ts";

const WORK_FOLDER = "/work";
/** What an interpreter waits for that reads something else before its program; gone when there is one. */
const PRELUDE = ".prelude";

/** What every program finds in its environment; Node lies in a folder of its own where the machine's is not the one to use. */
export const BASE_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: "/opt/node/bin:/usr/local/bin:/usr/bin:/bin",
  HOME: WORK_FOLDER,
  TMPDIR: "/tmp",
  LANG: "C.UTF-8",
};

/** What a program finds besides where it has a terminal: which one it is, of those that browsers and most others imitate. */
const TERMINAL_ENVIRONMENT: Readonly<Record<string, string>> = { TERM: "xterm-256color" };

const MiB = 1024 * 1024;

function expand(
  command: readonly string[],
  language: Language,
  files: readonly ProgramFile[],
  limits: Limits,
): string[] {
  const names = files.map((file) => file.name);
  const [entry] = names as [string];
  return command.flatMap((word) => {
    if (word === "{entry}") return entry;
    if (!word.includes("{")) return word;
    if (word === "{sources}") {
      const sources = names.filter((name) => language.source_extensions.some((extension) => name.endsWith(extension)));
      return sources.includes(entry) ? sources : [entry, ...sources];
    }
    return word.replace(/\{(\w+)\}/g, (placeholder, name: string) => {
      if (name === "entry") return entry;
      if (name === "main_class") return entry.replace(/\.\w+$/, "").replaceAll("/", ".");
      if (name === "memory_mebibytes") return String(Math.max(1, Math.floor(limits.memory_bytes / MiB)));
      return placeholder;
    });
  });
}

/** The words before a program's own arguments. */
function runCommand(language: Language, files: readonly ProgramFile[], limits: Limits): string[] {
  return expand(language.run.command, language, files, limits);
}

function stagesOf(
  request: RunRequest,
  language: Language,
  files: ProgramFile[],
  stdin: Buffer,
  limits: Limits,
  terminal: Readonly<Record<string, string>> = {},
): ProgramStage[] {
  const environment = { ...BASE_ENVIRONMENT, ...language.environment };
  const stages: ProgramStage[] = [];
  if (language.compile !== undefined) {
    stages.push({
      name: "compile",
      command: expand(language.compile.command, language, files, limits),
      environment,
      stdin: Buffer.alloc(0),
      wallMs: limits.compile_wall_ms,
      cpuMs: limits.compile_cpu_ms,
      memoryBytes: limits.compile_memory_bytes,
    });
  }
  stages.push({
    name: "run",
    command: [...runCommand(language, files, limits), ...checkArguments(request.args)],
    environment: { ...environment, ...terminal, ...checkEnvironment(request.env) },
    stdin,
    wallMs: limits.wall_ms,
    cpuMs: limits.cpu_ms,
    memoryBytes: limits.memory_bytes,
  });
  return stages;
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, member]) => [key, canonical(member)]);
}

/** Two requests have the same fingerprint when they ask for the same, in whatever order they name it. */
export function fingerprint(request: RunRequest): string {
  return createHash("sha256")
    .update(JSON.stringify(canonical(request)))
    .digest("base64url");
}

/**
 * The limits under which something waits in a sandbox of its own: the greatest, since they can only be lowered; but for the
 * folders, which can be given any size and are made in that which most programs have.
 */
export function waitingLimits({ default: usual, maximum }: LimitBounds): Limits {
  const { work_bytes, work_inodes } = usual;
  return { ...maximum, work_bytes, work_inodes };
}

/** The file that what is started before its program waits for, and what only that has in its environment. */
function awaitedBy({ file, ahead }: Language): { awaited: ProgramFile; added: ProgramStage["environment"] } {
  if (typeof ahead === "object" && "prelude" in ahead) {
    const awaited = { name: PRELUDE, content: Buffer.from(ahead.prelude) };
    return { awaited, added: { [ahead.variable]: `${WORK_FOLDER}/${PRELUDE}` } };
  }
  const added = typeof ahead === "object" ? ahead.environment : {};
  return { awaited: { name: file, content: Buffer.alloc(0) }, added };
}

/** What the language's interpreter or compiler is started with before there is a program; `limits` are lowered when there is one. */
export function aheadProgram(language: Language, limits: Limits): AheadProgram {
  const { name, file, ahead } = language;
  const nothing = Buffer.alloc(0);
  const [stage] = stagesOf({ language: name }, language, [{ name: file, content: nothing }], nothing, limits);
  if (stage === undefined) throw new Error(`${name} has no stage`);
  const { environment } = stage;
  const { awaited, added } = awaitedBy(language);
  const program = { files: [awaited], stages: [{ ...stage, environment: { ...environment, ...added } }], limits };
  return { language: name, whenUsed: ahead === "used", program, environment };
}

export interface RunOrigin {
  tenant: Tenant;
  durable: boolean;
  idempotencyKey?: string | undefined;
  /** Undefined for one by the idempotency key, or without a key a random one. */
  id?: RunId;
  /** The language's version where it is known. */
  version: string | null;
  /** Of a run that is spoken to while it runs. */
  interaction?: Interaction | undefined;
}

/** Checks a request against its language and makes it a run; throws `ServiceError` naming the first field that is wrong. */
export function createRun(
  request: RunRequest,
  language: Language,
  bounds: LimitBounds,
  requestBounds: RequestBounds,
  origin: RunOrigin,
): Run {
  const files = checkFiles(request, language.file, requestBounds);
  const stdin = checkStdin(request.stdin, requestBounds);
  const limits = checkLimits(request.limits, bounds);
  checkFit(files, limits);
  const terminal = origin.interaction?.terminal === undefined ? {} : TERMINAL_ENVIRONMENT;
  const stages = stagesOf(request, language, files, stdin, limits, terminal);
  if (origin.interaction !== undefined && request.tests !== undefined)
    throw invalid("tests", "are not for an interactive run, whose input is said while it runs");
  const graded = checkTests(request, {
    limits: { ...bounds, default: limits },
    request: requestBounds,
    programBytes: files.reduce((total, file) => total + file.content.length, 0),
    // A Java program's heap follows the limit of its memory.
    command: (ownLimits) => runCommand(language, files, { ...limits, ...ownLimits }),
    args: checkArguments(request.args),
    stdin,
  });
  const artifacts = checkArtifacts(request.artifacts);
  if (artifacts !== undefined && graded !== undefined)
    throw invalid("artifacts", "are not for a run with tests, each of which begins with a clean work folder");
  const network = request.network === true;
  const { interaction } = origin;
  const isUnique = origin.id === undefined && origin.idempotencyKey === undefined;
  const program: Program = { files, stages, limits, tests: graded?.tests, artifacts, interaction, network };
  return {
    id: origin.id ?? runId(origin.tenant, origin.idempotencyKey),
    tenant: origin.tenant,
    language: language.name,
    version: origin.version,
    fingerprint: isUnique ? "" : fingerprint(request),
    durable: origin.durable,
    isUnique,
    createdAt: new Date(),
    program,
    grading: graded?.grading,
    callbackUrl: request.callback_url,
  };
}
