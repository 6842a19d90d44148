import { InputChannel } from "../../core/interaction.ts";
import { Recording } from "../../core/recording.ts";
import { RunFeed } from "../../core/run-feed.ts";
import type { Run, RunEvent, RunState } from "../../core/run.ts";
import type { Interruption } from "../../core/transcript.ts";
import type { PreparedProgram } from "./local-program.ts";
import type { LocalSandbox } from "./local-sandbox.ts";

/** A run without its program, which may be in the store only. */
export type RunHeader = Omit<Run, "program">;

/** A run that has not ended: queued, or executing. */
export class LocalRun {
  readonly run: RunHeader;
  readonly #feed: RunFeed;
  /** Undefined when only the store holds it. */
  program: PreparedProgram | undefined;
  /** Resolves when the store holds a durable run. */
  stored: Promise<void> = Promise.resolve();
  /** Whether the store was given the run's end. */
  endKept = false;
  sandbox: LocalSandbox | undefined;
  /** What is said to an interactive program goes through it; undefined of other runs. */
  readonly input: InputChannel | undefined;
  readonly #listening = Promise.withResolvers<LocalSandbox>();
  startedAt: Date | undefined;
  /** Why the run is to end before its own end; the first reason wins. */
  interruption: Interruption | { status: "requeued" } | undefined;

  constructor(run: RunHeader, program: PreparedProgram | undefined) {
    this.run = run;
    this.program = program;
    this.#feed = new RunFeed(new Recording(run));
    if (program?.interaction === undefined) return;
    const input = new InputChannel(program.interaction.terminal !== undefined, async (line) => {
      await (await this.#listening.promise).say(line, (bytes) => input.fed(bytes));
    });
    this.input = input;
  }

  /** Whether the store knows it before its end; it executes a durable run after a restart, and tells that another was lost. */
  get isStored(): boolean {
    return this.run.durable || this.input !== undefined;
  }

  get recording(): Recording {
    return this.#feed.recording;
  }

  /** Ends the run for `interruption`; where it executes, by killing its sandbox. */
  interrupt(interruption: NonNullable<LocalRun["interruption"]>): void {
    this.interruption ??= interruption;
    this.sandbox?.kill();
  }

  /** From now on `sandbox` has the run's program, and hears what is said to it. */
  listen(sandbox: LocalSandbox): void {
    this.#listening.resolve(sandbox);
  }

  /** Lets the followers see what the recording has got. */
  notify(): void {
    this.#feed.notify();
  }

  state(): RunState {
    const { result } = this.recording;
    if (result !== undefined) return { state: "finished", result };
    const { id, language, version, createdAt } = this.run;
    if (this.startedAt === undefined) return { state: "queued", id, language, version, createdAt };
    return { state: "running", id, language, version, createdAt, startedAt: this.startedAt };
  }

  /** The run's events from `from`; ends after the last, when `signal` is aborted, or when the run is left for another start. */
  follow(from: number, signal: AbortSignal): AsyncGenerator<RunEvent> {
    return this.#feed.follow(from, signal, () => this.#isLeft());
  }

  /** Resolves when the run has ended, when `signal` is aborted, or when the run is left for another start. */
  async ended(signal: AbortSignal): Promise<void> {
    await this.#feed.ended(signal, () => this.#isLeft());
  }

  #isLeft(): boolean {
    return this.interruption?.status === "requeued";
  }
}
