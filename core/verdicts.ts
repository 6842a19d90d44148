import type { FinalStatus, LimitHit, StageName, StageResult } from "./run.ts";

const LIMIT_STATUS: Record<NonNullable<LimitHit>, FinalStatus> = {
  wall: "time_limit",
  idle: "time_limit",
  cpu: "cpu_limit",
  memory: "memory_limit",
  processes: "process_limit",
  output: "output_limit",
  file_size: "signaled",
  inodes: "signaled",
};

type Ending = Pick<StageResult, "exitCode" | "signal" | "limit">;

/** The status that one stage's end gives its run; null when the run goes on from there. */
export function stageVerdict(stage: StageName, ending: Ending): FinalStatus | null {
  if (ending.limit !== null) return LIMIT_STATUS[ending.limit];
  if (stage === "compile") return ending.exitCode === 0 ? null : "compile_failed";
  if (ending.signal !== null) return "signaled";
  return ending.exitCode === 0 ? "succeeded" : "failed";
}
