import type { Artifact, Result, RunRequest, Stage, Usage } from "../answers.ts";

/** What is read of a stage's complaints to find the lines that they name, in UTF-16 units. */
const COMPLAINT_UNITS = 100_000;

/** A finished run, without its output, which may be large. */
export interface Outcome {
  request: RunRequest;
  /** Whether it was spoken to while it ran. */
  inTerminal: boolean;
  status: string;
  reason: string | null;
  compile: Usage | null;
  run: Usage | null;
  artifacts: readonly Artifact[];
  /** How many more files there were. */
  omitted: number;
  /** The beginning of what the last stage said on stderr, or in its terminal. */
  complaint: string;
}

function usageOf(stage: Stage | null): Usage | null {
  if (stage === null) return null;
  const { stdout: _, stderr: __, ...usage } = stage;
  return usage;
}

/** `inTerminal`, where all that the program prints is one stream. */
export function outcomeOf(request: RunRequest, result: Result, inTerminal: boolean): Outcome {
  const { status, reason, compile, run, artifacts = [], artifacts_omitted: omitted = 0 } = result;
  const complaints = inTerminal && run !== null ? run.stdout : ((run ?? compile)?.stderr ?? "");
  return {
    request,
    inTerminal,
    status,
    reason,
    compile: usageOf(compile),
    run: usageOf(run),
    artifacts,
    omitted,
    complaint: complaints.slice(0, COMPLAINT_UNITS),
  };
}
