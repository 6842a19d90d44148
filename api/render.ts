import { isUtf8 } from "node:buffer";

import type { z } from "zod";

import type { Artifact } from "../core/artifacts.ts";
import type { RunEvent, RunResult, RunState, StageResult, StageUsage, TestResult, TestStatus } from "../core/run.ts";
import type { EVENT_DATA, PENDING, RESULT } from "./schemas.ts";

export type RenderedResult = z.infer<typeof RESULT>;
export type RenderedPending = z.infer<typeof PENDING>;
type RenderedStage = NonNullable<RenderedResult["run"]>;
type RenderedTest = NonNullable<RenderedResult["tests"]>[number];
type RenderedArtifact = NonNullable<RenderedResult["artifacts"]>[number];
type RenderedUsage = Omit<z.infer<(typeof EVENT_DATA)["stage_ended"]>, "stage">;

export interface Text {
  data: string;
  encoding: "utf8" | "base64";
}

/** A character of UTF-8 has at most 4 bytes, so that at most 3 can be left of one that was cut. */
const MAX_PARTIAL_BYTES = 3;

/** Bytes as text where they are UTF-8, else as base64. */
export function renderBytes(bytes: Uint8Array): Text {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return isUtf8(bytes)
    ? { data: buffer.toString("utf8"), encoding: "utf8" }
    : { data: buffer.toString("base64"), encoding: "base64" };
}

/** Like `renderBytes`, for a whole stream: one that was cut loses the character that the cut went through. */
export function renderStream(bytes: Uint8Array, truncated: boolean): Text {
  if (truncated && !isUtf8(bytes)) {
    for (let partial = 1; partial <= Math.min(MAX_PARTIAL_BYTES, bytes.length); partial += 1) {
      const whole = bytes.subarray(0, bytes.length - partial);
      if (isPartialCharacter(bytes.subarray(bytes.length - partial)) && isUtf8(whole)) return renderBytes(whole);
    }
  }
  return renderBytes(bytes);
}

/** Whether `bytes` can be the beginning of a character, in which case a decoder that expects more keeps them. */
function isPartialCharacter(bytes: Uint8Array): boolean {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes, { stream: true }) === "";
  } catch {
    return false;
  }
}

function renderUsage(usage: StageUsage): RenderedUsage {
  return {
    exit_code: usage.exitCode,
    signal: usage.signal,
    wall_ms: usage.wallMs,
    cpu_ms: usage.cpuMs,
    memory_bytes: usage.memoryBytes,
    limit: usage.limit,
    truncated: usage.stdoutTruncated || usage.stderrTruncated,
    stdout_truncated: usage.stdoutTruncated,
    stderr_truncated: usage.stderrTruncated,
    ...(usage.cached && { cached: true }),
  };
}

/** An `unchecked` one is told to nobody: where there is no checker's word, there is none. */
function renderVerdict(status: TestStatus): RenderedTest["status"] {
  return status === "unchecked" ? "checker_failed" : status;
}

function renderTest(test: TestResult): RenderedTest {
  return { index: test.index, status: renderVerdict(test.status), ...renderStage(test) };
}

function renderStage(stage: StageResult): RenderedStage {
  const stdout = renderStream(stage.stdout, stage.stdoutTruncated);
  const stderr = renderStream(stage.stderr, stage.stderrTruncated);
  return {
    stdout: stdout.data,
    stdout_encoding: stdout.encoding,
    stderr: stderr.data,
    stderr_encoding: stderr.encoding,
    ...renderUsage(stage),
  };
}

function renderArtifact({ name, sizeBytes, content }: Artifact): RenderedArtifact {
  if (content === null) return { name, size_bytes: sizeBytes, truncated: true };
  const data = Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString("base64");
  return { name, size_bytes: sizeBytes, content: data, encoding: "base64", truncated: false };
}

/** A finished run as clients see it. */
export function renderResult(result: RunResult): RenderedResult {
  const compile = result.compile === null ? null : renderStage(result.compile);
  const run = result.run === null ? null : renderStage(result.run);
  // Where tests ran, each has what it printed.
  const last = result.tests?.results.some(({ status }) => status !== "skipped") === true ? null : (run ?? compile);
  return {
    id: result.id,
    language: result.language,
    version: result.version,
    status: result.status,
    reason: result.reason,
    stdout: last?.stdout ?? "",
    stdout_encoding: last?.stdout_encoding ?? "utf8",
    stderr: last?.stderr ?? "",
    stderr_encoding: last?.stderr_encoding ?? "utf8",
    exit_code: last?.exit_code ?? null,
    compile,
    run,
    ...(result.tests === undefined
      ? {}
      : { tests: result.tests.results.map(renderTest), verdict: renderVerdict(result.tests.verdict) }),
    ...(result.artifacts === undefined
      ? {}
      : { artifacts: result.artifacts.files.map(renderArtifact), artifacts_omitted: result.artifacts.omitted }),
    created_at: result.createdAt.toISOString(),
    started_at: result.startedAt?.toISOString() ?? null,
    finished_at: result.finishedAt.toISOString(),
  };
}

/** A run as clients see it, whatever has become of it. */
export function renderState(state: RunState): RenderedResult | RenderedPending {
  if (state.state === "finished") return renderResult(state.result);
  return {
    id: state.id,
    language: state.language,
    version: state.version,
    status: state.state,
    created_at: state.createdAt.toISOString(),
    started_at: state.state === "running" ? state.startedAt.toISOString() : null,
  };
}

/** The data of an event, as clients see it. */
export function renderEventData(event: RunEvent): z.infer<(typeof EVENT_DATA)[RunEvent["type"]]> {
  switch (event.type) {
    case "stage_started":
      return { stage: event.stage };
    case "output":
      return { stage: event.stage, stream: event.stream, ...renderBytes(event.bytes) };
    case "stage_ended":
      return { stage: event.stage, ...renderUsage(event.usage) };
    case "test":
      return renderTest(event.test);
    case "finished":
      return { result: renderResult(event.result) };
  }
}
