import type { SequencedFrame } from "../../core/frames.ts";
import type { RunEvent, RunResult, StageName } from "../../core/run.ts";
import { Transcript } from "../../core/transcript.ts";
import type { Interruption } from "../../core/transcript.ts";

export const CREATED = new Date("2026-01-01T00:00:00.000Z");
export const RUN = { id: "r", language: "c", version: "12", createdAt: CREATED };
export const INTERRUPTIONS: Interruption[] = [
  { status: "cancelled" },
  { status: "lost", reason: "why" },
  { status: "memory_limit" },
];

/** The time at which frame number `index` arrives. */
export function at(index: number): Date {
  return new Date(CREATED.getTime() + 1000 * (index + 1));
}

export function play(list: readonly SequencedFrame[], interruption?: Interruption): RunEvent[] {
  const transcript = new Transcript(RUN);
  const events = list.flatMap((frame, index) => transcript.add(frame, at(index)));
  return interruption === undefined ? events : [...events, ...transcript.interrupt(interruption, at(list.length))];
}

export function resultOf(events: readonly RunEvent[]): RunResult {
  const last = events.at(-1);
  if (last?.type !== "finished") throw new Error("the run has not finished");
  return last.result;
}

type Ended = Extract<SequencedFrame, { type: "ended" }>;
export type Ending = Partial<
  Pick<Ended, "exit_code" | "signal" | "error" | "limit" | "stdout_truncated" | "stderr_truncated">
>;

export function started(stage: StageName): SequencedFrame {
  return { type: "started", seq: 0, stage };
}

export function output(type: "stdout" | "stderr", bytes: string): SequencedFrame {
  return { type, seq: 0, data: Buffer.from(bytes, "latin1").toString("base64") };
}

export function ended(stage: StageName, ending: Ending): Ended {
  const figures = {
    wall_us: 1_234_499,
    cpu_us: 7499,
    memory_bytes: 4096,
    stdout_truncated: false,
    stderr_truncated: false,
  };
  return {
    type: "ended",
    seq: 0,
    stage,
    exit_code: null,
    signal: null,
    error: null,
    limit: null,
    ...figures,
    ...ending,
  };
}

export const FINISHED: SequencedFrame = { type: "finished", seq: 0 };
export const COMPILED = [started("compile"), output("stderr", "warning"), ended("compile", { exit_code: 0 })];
