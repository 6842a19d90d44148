import { bytesOfOutput } from "./frames.ts";
import type { Frame, SequencedFrame } from "./frames.ts";
import type { FinalStatus, Run, RunEvent, RunResult, StageName, StageResult, StageUsage } from "./run.ts";
import { stageVerdict } from "./verdicts.ts";

/** Why a run ended that its runner did not finish, and whether some of its output was dropped from the record of it. */
export type Interruption = { outputCut?: boolean } & (
  | { status: "cancelled" }
  | { status: "lost"; reason: string }
  /** The runner was killed together with the program, for want of memory (`memory.oom.group`, or as the victim itself). */
  | { status: "memory_limit" }
);

interface OpenStage {
  name: StageName;
  startedAt: Date;
  stdout: Uint8Array[];
  stderr: Uint8Array[];
}

export type RunIdentity = Pick<Run, "id" | "language" | "version" | "createdAt">;

function usageOf(frame: Extract<SequencedFrame, { type: "ended" }>): StageUsage {
  return {
    exitCode: frame.exit_code,
    signal: frame.signal,
    limit: frame.limit,
    wallMs: Math.round(frame.wall_us / 1000),
    cpuMs: frame.cpu_us === null ? null : Math.round(frame.cpu_us / 1000),
    memoryBytes: frame.memory_bytes,
    stdoutTruncated: frame.stdout_truncated,
    stderrTruncated: frame.stderr_truncated,
  };
}

/** Turns a runner's frames into the run's events and, in the end, into its result. The same frames give the same events. */
export class Transcript {
  readonly #run: RunIdentity;
  readonly #stages: Partial<Record<StageName, StageResult>> = {};
  #open: OpenStage | undefined;
  #version: string | null;
  #startedAt: Date | null = null;
  #verdict: FinalStatus | null = null;
  #reason: string | null = null;
  #seq = 0;

  constructor(run: RunIdentity) {
    this.#run = run;
    this.#version = run.version;
  }

  get startedAt(): Date | null {
    return this.#startedAt;
  }

  /** The events that `frame`, received at `at`, brings; the last one is `finished` when the run is over. */
  add(frame: Frame, at: Date): RunEvent[] {
    switch (frame.type) {
      case "ready":
        // Known better than before the run: an image brings its own toolchain.
        this.#version = frame.version ?? this.#version;
        return [];
      case "started":
        this.#startedAt ??= at;
        this.#open = { name: frame.stage, startedAt: at, stdout: [], stderr: [] };
        return [{ seq: this.#seq++, type: "stage_started", stage: frame.stage }];
      case "stdout":
      case "stderr": {
        if (this.#open === undefined) return [];
        const bytes = bytesOfOutput(frame);
        this.#open[frame.type].push(bytes);
        return [{ seq: this.#seq++, type: "output", stage: this.#open.name, stream: frame.type, bytes }];
      }
      case "ended": {
        const usage = usageOf(frame);
        this.#closeStage(usage);
        if (frame.error === null) {
          this.#verdict = stageVerdict(frame.stage, usage);
        } else {
          this.#verdict = "lost";
          this.#reason = `the ${frame.stage} command could not be started: ${frame.error}`;
        }
        return [{ seq: this.#seq++, type: "stage_ended", stage: frame.stage, usage }];
      }
      case "finished":
        if (this.#verdict === null) this.#reason = "the runner finished without having run the program";
        return [this.#finish(this.#verdict ?? "lost", at)];
      case "failed":
        return this.interrupt({ status: "lost", reason: `the runner failed: ${frame.message}` }, at);
      default:
        frame satisfies never;
        return [];
    }
  }

  /** The events that end a run whose runner will say no more. */
  interrupt(interruption: Interruption, at: Date): RunEvent[] {
    if (interruption.status === "lost") this.#reason = interruption.reason;
    const events: RunEvent[] = [];
    if (this.#open !== undefined) {
      const usage: StageUsage = {
        exitCode: null,
        signal: "SIGKILL",
        limit: interruption.status === "memory_limit" ? "memory" : null,
        wallMs: Math.max(0, at.getTime() - this.#open.startedAt.getTime()),
        cpuMs: null,
        memoryBytes: null,
        stdoutTruncated: interruption.outputCut ?? false,
        stderrTruncated: interruption.outputCut ?? false,
      };
      events.push({ seq: this.#seq++, type: "stage_ended", stage: this.#open.name, usage });
      this.#closeStage(usage);
    }
    events.push(this.#finish(interruption.status, at));
    return events;
  }

  #closeStage(usage: StageUsage): void {
    if (this.#open === undefined) return;
    const { name, stdout, stderr } = this.#open;
    this.#stages[name] = { ...usage, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) };
    this.#open = undefined;
  }

  #finish(status: FinalStatus, at: Date): RunEvent {
    const result: RunResult = {
      id: this.#run.id,
      language: this.#run.language,
      version: this.#version,
      status,
      reason: this.#reason,
      compile: this.#stages.compile ?? null,
      run: this.#stages.run ?? null,
      createdAt: this.#run.createdAt,
      startedAt: this.#startedAt,
      finishedAt: at,
    };
    return { seq: this.#seq++, type: "finished", result };
  }
}
