import { ArtifactCollector } from "./artifacts.ts";
import { bytesOfOutput } from "./frames.ts";
import type { Frame, SequencedFrame } from "./frames.ts";
import { GradedTests, runStatusOf, verdictOf } from "./grading.ts";
import type {
  FinalStatus,
  Run,
  RunEvent,
  RunResult,
  StageName,
  StageResult,
  StageUsage,
  TestStatus,
  TestsResult,
} from "./run.ts";
import { stageVerdict } from "./verdicts.ts";

/** Why a run ended that its runner did not finish, and whether some of its output was dropped from the record of it. */
export type Interruption = { outputCut?: boolean } & (
  | { status: "cancelled" }
  | { status: "lost"; reason: string }
  /** The runner was killed together with the program, for want of memory (`memory.oom.group`, or as the victim itself). */
  | { status: "memory_limit" }
);

interface OpenStage {
  name: StageName | "test";
  startedAt: Date;
  stdout: Uint8Array[];
  stderr: Uint8Array[];
}

export type RunIdentity = Pick<Run, "id" | "language" | "version" | "createdAt" | "grading">;

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
    ...(frame.cached && { cached: true }),
  };
}

/** Turns a runner's frames into the run's events and, in the end, into its result. The same frames give the same events. */
export class Transcript {
  readonly #run: RunIdentity;
  readonly #stages: Partial<Record<StageName, StageResult>> = {};
  readonly #tests: GradedTests | undefined;
  #artifacts: ArtifactCollector | undefined;
  #open: OpenStage | undefined;
  #version: string | null;
  #startedAt: Date | null = null;
  #verdict: FinalStatus | null = null;
  #reason: string | null = null;
  #seq = 0;

  constructor(run: RunIdentity) {
    this.#run = run;
    this.#version = run.version;
    this.#tests = run.grading === undefined ? undefined : new GradedTests(run.grading);
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
      case "fed":
        return [];
      case "started":
        return this.#start(frame, at);
      case "stdout":
      case "stderr": {
        if (this.#open === undefined) return [];
        const bytes = bytesOfOutput(frame);
        this.#open[frame.type].push(bytes);
        if (this.#open.name === "test") return [];
        return [{ seq: this.#seq++, type: "output", stage: this.#open.name, stream: frame.type, bytes }];
      }
      case "ended":
        return this.#end(frame, at);
      case "artifact":
        this.#artifacts ??= new ArtifactCollector();
        this.#artifacts.begin(frame);
        return [];
      case "content":
        this.#artifacts?.add(frame);
        return [];
      case "artifacts_ended":
        this.#artifacts ??= new ArtifactCollector();
        this.#artifacts.omitted = frame.omitted;
        return [];
      case "kept":
      case "kept_ended":
        return [];
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
    let status: FinalStatus = interruption.status;
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
      // A test that takes the runner with it is a test that failed.
      if (this.#open.name === "test" && status === "memory_limit") status = "failed";
      events.push(...this.#closeStage(this.#open.name, usage, interruption.status));
    }
    events.push(this.#finish(status, at));
    return events;
  }

  #start(frame: Extract<Frame, { type: "started" }>, at: Date): RunEvent[] {
    const first = this.#open === undefined && this.#tests?.next === 0;
    this.#startedAt ??= at;
    this.#open = { name: frame.stage, startedAt: at, stdout: [], stderr: [] };
    // All tests together are the run stage to those who follow.
    if (frame.stage === "test") return first ? [{ seq: this.#seq++, type: "stage_started", stage: "run" }] : [];
    return [{ seq: this.#seq++, type: "stage_started", stage: frame.stage }];
  }

  #end(frame: Extract<Frame, { type: "ended" }>, at: Date): RunEvent[] {
    const usage = usageOf(frame);
    const error = frame.error === null ? undefined : `the ${frame.stage} command could not be started: ${frame.error}`;
    const status = error === undefined ? undefined : "lost";
    const events = this.#closeStage(frame.stage, usage, status);
    if (error !== undefined) {
      this.#verdict = "lost";
      this.#reason = error;
    } else if (frame.stage !== "test") {
      this.#verdict = stageVerdict(frame.stage, usage);
    } else if (this.#tests === undefined) {
      this.#verdict = "lost";
      this.#reason = "what is expected of its tests is not known any more";
    } else if (this.#verdict !== "lost") {
      this.#verdict = runStatusOf(this.#tests.results());
      if (this.#tests.isDecided) events.push(this.#finish(this.#verdict, at));
    }
    return events;
  }

  /** `status` says of a test why it was ended from outside. */
  #closeStage(name: OpenStage["name"], usage: StageUsage, status?: TestStatus): RunEvent[] {
    const open = this.#open;
    this.#open = undefined;
    if (open !== undefined) {
      const result = { ...usage, stdout: Buffer.concat(open.stdout), stderr: Buffer.concat(open.stderr) };
      if (open.name === "test") return this.#endTest(result, status);
      this.#stages[open.name] = result;
    }
    return name === "test" ? [] : [{ seq: this.#seq++, type: "stage_ended", stage: name, usage }];
  }

  #endTest(result: StageResult, status: TestStatus | undefined): RunEvent[] {
    const test = this.#tests?.add(result, status);
    // Where a program of the caller's judges, it says how each test ended.
    if (test === undefined || this.#run.grading?.checker !== undefined) return [];
    return [{ seq: this.#seq++, type: "test", test }];
  }

  #testsResult(status: FinalStatus): TestsResult | undefined {
    const { grading } = this.#run;
    if (grading === undefined || this.#tests === undefined) return undefined;
    const results = this.#tests.results();
    return { results, verdict: verdictOf(results, status), grading };
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
      tests: this.#testsResult(status),
      artifacts: this.#artifacts && { files: this.#artifacts.collected(), omitted: this.#artifacts.omitted },
      createdAt: this.#run.createdAt,
      startedAt: this.#startedAt,
      finishedAt: at,
    };
    return { seq: this.#seq++, type: "finished", result };
  }
}
