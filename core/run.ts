import { createHash } from "node:crypto";

import type { Artifact } from "./artifacts.ts";
import type { Grading } from "./grading.ts";
import type { Program } from "./program.ts";
import { randomBytes } from "./random.ts";

/** `r` and 31 characters of base32 (lower case): also a valid name of a Kubernetes object. */
export type RunId = string;

/** Who a run belongs to: the name of an API key, or `anonymous`. */
export type Tenant = string;

export interface Run {
  id: RunId;
  tenant: Tenant;
  /** The language's canonical name. */
  language: string;
  /** The toolchain's version, as `/api/languages` reports it; null where it is not known. */
  version: string | null;
  /** SHA-256 of what was asked for: the same idempotency key with another fingerprint is a conflict. Empty where the run is unique. */
  fingerprint: string;
  /** True when the caller comes back for the result later, so that the run must survive a restart from the moment it is accepted. */
  durable: boolean;
  /** Whether its id is random, so that there is no need to look whether another run has it. */
  isUnique?: boolean;
  createdAt: Date;
  program: Program;
  /** Undefined for a run without tests. */
  grading?: Grading | undefined;
  /** Who is told the result when the run has ended; of durable runs only. */
  callbackUrl?: string | undefined;
}

export const STATUSES = [
  "queued",
  "running",
  "succeeded",
  "failed",
  "compile_failed",
  "signaled",
  "time_limit",
  "cpu_limit",
  "memory_limit",
  "output_limit",
  "process_limit",
  "cancelled",
  "lost",
] as const;

export type Status = (typeof STATUSES)[number];
export type FinalStatus = Exclude<Status, "queued" | "running">;
export type StageName = "compile" | "run";
export type StreamName = "stdout" | "stderr";

/** What ended a stage before its own end, or null. */
export type LimitHit = "wall" | "idle" | "cpu" | "memory" | "processes" | "output" | "file_size" | "inodes" | null;

export interface StageUsage {
  exitCode: number | null;
  /** A name such as `SIGSEGV`. */
  signal: string | null;
  limit: LimitHit;
  wallMs: number;
  /** Null where the kernel shows no account of it. */
  cpuMs: number | null;
  /** The peak, in bytes: of all processes, or of the largest where the kernel keeps no account of all; null without either. */
  memoryBytes: number | null;
  stdoutTruncated: boolean;
  stderrTruncated: boolean;
  /** Of a compile stage that was not executed, since its outcome was known: all else is of the time when it was. */
  cached?: true;
}

export interface StageResult extends StageUsage {
  stdout: Uint8Array;
  stderr: Uint8Array;
}

/** How a test ended; `unchecked` waits for its checker and is told to nobody. */
export type TestStatus =
  | Exclude<FinalStatus, "succeeded">
  | "accepted"
  | "wrong_answer"
  | "checker_failed"
  | "skipped"
  | "unchecked";

export interface TestResult extends StageResult {
  /** Counts from 0, as in the request. */
  index: number;
  status: TestStatus;
}

/** A run's tests, in their order, and what they come to. */
export interface TestsResult {
  results: readonly TestResult[];
  verdict: TestStatus;
  grading: Grading;
}

/** The artifacts by name, and how many more there were. */
export interface ArtifactsResult {
  files: readonly Artifact[];
  omitted: number;
}

export interface RunResult {
  id: RunId;
  language: string;
  version: string | null;
  status: FinalStatus;
  /** Why a run was lost or could not start, in words a person can act on. */
  reason: string | null;
  compile: StageResult | null;
  run: StageResult | null;
  /** Undefined for a run without tests. */
  tests?: TestsResult | undefined;
  /** Undefined for a run that asked for none, or did not come to the end of its program. */
  artifacts?: ArtifactsResult | undefined;
  createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date;
}

export type RunState =
  | { state: "queued"; id: RunId; language: string; version: string | null; createdAt: Date }
  | { state: "running"; id: RunId; language: string; version: string | null; createdAt: Date; startedAt: Date }
  | { state: "finished"; result: RunResult };

/** What happens to a run, in order; `seq` counts from 0 without gaps and is the same on every replay. */
export type RunEvent = { seq: number } & (
  | { type: "stage_started"; stage: StageName }
  | { type: "output"; stage: StageName; stream: StreamName; bytes: Uint8Array }
  | { type: "stage_ended"; stage: StageName; usage: StageUsage }
  | { type: "test"; test: TestResult }
  | { type: "finished"; result: RunResult }
);

const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

function base32(bytes: Uint8Array, length: number): string {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5 && text.length < length) {
      bits -= 5;
      text += BASE32[(held >> bits) & 31];
    }
    held &= (1 << bits) - 1;
  }
  return text;
}

/** A run's id: random, or made from the tenant and its idempotency key, so that the same key names the same run everywhere. */
export function runId(tenant: Tenant, idempotencyKey?: string): RunId {
  if (idempotencyKey === undefined) return `r${base32(randomBytes(20), 31)}`;
  const digest = createHash("sha256")
    .update(JSON.stringify([tenant, idempotencyKey]))
    .digest();
  return `r${base32(digest, 31)}`;
}

export function isRunId(text: string): text is RunId {
  return /^r[a-z2-7]{31}$/.test(text);
}
