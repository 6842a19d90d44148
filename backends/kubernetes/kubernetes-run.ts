import { FrameError } from "../../core/frames.ts";
import { Recording } from "../../core/recording.ts";
import { RunFeed } from "../../core/run-feed.ts";
import type { InteractiveInput } from "../../core/interaction.ts";
import type { RunResult } from "../../core/run.ts";
import type { Interruption, RunIdentity } from "../../core/transcript.ts";
import type { Attachment } from "./kubernetes-attach.ts";
import { backoff } from "./kubernetes-backoff.ts";
import { KubernetesError } from "./kubernetes-error.ts";
import { KubernetesInput } from "./kubernetes-input.ts";
import type { LogLine } from "./kubernetes-log.ts";
import type { JobRecord, PodRecord } from "./kubernetes-objects.ts";
import { decodeOutcome } from "./kubernetes-outcome.ts";
import { endWithoutFrame } from "./kubernetes-reasons.ts";

const MAX_BACKOFF_MS = 5000;

/** Opens the log of a Pod from one frame on; `follow` goes on until the container has ended. */
export type OpenLog = (pod: string, from: number, follow: boolean, signal: AbortSignal) => AsyncIterable<LogLine>;

/** Attaches to the stdin of a Pod's container. */
export type Attach = (pod: string, signal: AbortSignal) => Promise<Pick<Attachment, "write" | "closed" | "close">>;

export interface PodStreams {
  openLog: OpenLog;
  attach: Attach;
}

/** A run that this replica follows: its log is read from the program's start to its end, once for all who want it. */
export class KubernetesRun {
  readonly identity: RunIdentity;
  readonly feed: RunFeed;
  readonly #openLog: OpenLog;
  readonly #attach: Attach;
  readonly #onEnd: () => void;
  readonly #closing = new AbortController();
  #pod: PodRecord | undefined;
  #reading: { stop: AbortController; ended: Promise<void> } | undefined;
  #changed = Promise.withResolvers<void>();
  #frozen = false;
  #nextSeq = 0;
  #input: KubernetesInput | undefined;
  #wasAhead = false;
  /** Whether the run has its result although its runner goes on. */
  goesOn = false;

  /** `onEnd` is called when there is a result. */
  constructor(identity: RunIdentity, { openLog, attach }: PodStreams, onEnd: () => void) {
    this.identity = identity;
    this.#openLog = openLog;
    this.#attach = attach;
    this.#onEnd = onEnd;
    this.feed = new RunFeed(new Recording(identity));
  }

  get result(): RunResult | undefined {
    return this.feed.recording.result;
  }

  get startedAt(): Date | undefined {
    return this.feed.recording.startedAt ?? this.#pod?.startedAt;
  }

  /** What the cluster has of the run now; without a Job it is gone. */
  update(job: JobRecord | undefined, pod: PodRecord | undefined): void {
    this.#pod = pod;
    this.#wasAhead = job !== undefined && job.object !== job.name;
    this.#wake();
    if (this.result !== undefined) return;
    if (job === undefined) this.interrupt({ status: "lost", reason: "its Job was deleted" }, new Date());
    else if (job.outcome !== undefined) this.#adopt(job.outcome);
    else this.#read();
  }

  /** What the Job says of the run's end is the same for all, whatever else was read. */
  #adopt(outcome: string): void {
    this.feed.replace(decodeOutcome(this.identity, outcome));
    this.#reading?.stop.abort();
    this.#end();
  }

  interrupt(interruption: Interruption, at: Date): void {
    this.feed.recording.interrupt(interruption, at);
    this.feed.notify();
    this.#end();
  }

  /** Says something to the program, once it runs; false when it has ended. Throws `KubernetesError`. */
  async write(hasTerminal: boolean, input: InteractiveInput): Promise<boolean> {
    if (this.result !== undefined) return false;
    this.#input ??= new KubernetesInput(hasTerminal, this.#closing.signal, async (signal) => {
      while (!this.#listens && this.result === undefined && !signal.aborted) await this.#nextChange(signal);
      if (this.#pod === undefined || this.#hasEnded() || this.result !== undefined || signal.aborted) return undefined;
      return await this.#attach(this.#pod.name, signal);
    });
    return await this.#input.write(input);
  }

  /** Stops reading, after all that the log has by now; `thaw` goes on with it. */
  async freeze(): Promise<void> {
    this.#frozen = true;
    this.#reading?.stop.abort();
    await this.#reading?.ended;
    const pod = this.#pod;
    if (pod?.startedAt === undefined || pod.gone || this.result !== undefined) return;
    try {
      for await (const entry of this.#openLog(pod.name, this.#nextSeq, false, this.#closing.signal)) this.#add(entry);
    } catch (error) {
      // What can't be read now is missing from the record of the run's end, and no more.
      if (!(error instanceof KubernetesError || error instanceof FrameError)) throw error;
    }
  }

  thaw(): void {
    this.#frozen = false;
    this.#read();
  }

  /** Resolves when nothing of the run is left on its node, or when `signal` is aborted. */
  async podEnd(signal: AbortSignal): Promise<void> {
    while (!this.#hasEnded() && !signal.aborted) await this.#nextChange(signal);
  }

  /** Lets go of the run; it goes on in the cluster. */
  close(): void {
    this.#closing.abort();
    this.#reading?.stop.abort();
    this.#input?.close();
  }

  #end(): void {
    this.#input?.close();
    this.#wake();
    this.#onEnd();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #add({ frame, line, at }: LogLine): void {
    if (frame.type === "fed") {
      this.#input?.fed(frame.bytes);
      return;
    }
    if (frame.type !== "ready") this.#nextSeq = frame.seq + 1;
    this.feed.recording.add(frame, line, at);
    this.feed.notify();
    if (frame.type === "started") this.#wake();
    if (this.result === undefined) return;
    this.goesOn = frame.type !== "finished" && frame.type !== "failed";
    this.#end();
  }

  /** Whether what is written to the container comes behind the program: one whose Job waited gets that by the same way. */
  get #listens(): boolean {
    return this.#wasAhead ? this.feed.recording.startedAt !== null : this.#pod?.startedAt !== undefined;
  }

  /** Begins to read as soon as there is something to read. */
  #read(): void {
    const pod = this.#pod;
    const readable = pod !== undefined && pod.startedAt !== undefined && !pod.gone;
    if (!readable || this.#reading !== undefined || this.#frozen || this.result !== undefined) return;
    const stop = new AbortController();
    const ended = this.#readToEnd(pod.name, stop.signal).finally(() => {
      this.#reading = undefined;
    });
    this.#reading = { stop, ended };
  }

  async #readToEnd(pod: string, signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted && this.result === undefined;) {
      await this.#removal(signal);
      // A log that is opened after the container's end is whole.
      const whole = this.#hasEnded();
      try {
        for await (const entry of this.#openLog(pod, this.#nextSeq, true, signal)) {
          this.#add(entry);
          failures = 0;
          if (this.result !== undefined) return;
        }
        await this.#removal(signal);
        if (whole && !signal.aborted) this.#endByPod();
        while (!this.#hasEnded() && !signal.aborted) await this.#nextChange(signal);
      } catch (error) {
        if (signal.aborted) return;
        await this.#recover(error, failures, signal);
        failures += 1;
      }
    }
  }

  async #recover(error: unknown, failures: number, signal: AbortSignal): Promise<void> {
    if (!(error instanceof KubernetesError) || error.status === 403) {
      const reason = error instanceof Error ? error.message : String(error);
      this.interrupt({ status: "lost", reason: `its log can't be read: ${reason}` }, this.#endTime());
    } else if (error.status === 400 || error.status === 404) {
      // The container is not there yet, or not any more: what the Pod becomes next says which.
      if (this.#hasEnded() && failures > 0) this.#endByPod();
      else if (!this.#hasEnded()) await this.#nextChange(signal);
    } else {
      await backoff(failures, MAX_BACKOFF_MS, signal);
    }
  }

  #hasEnded(): boolean {
    return this.#pod === undefined || this.#pod.terminal || this.#pod.terminated !== undefined || this.#pod.gone;
  }

  #endTime(): Date {
    return this.#pod?.terminated?.at ?? new Date();
  }

  #endByPod(): void {
    if (this.result === undefined && this.#pod !== undefined)
      this.interrupt(endWithoutFrame(this.#pod), this.#endTime());
  }

  /** A Pod that is taken away tells nothing: the reason is written into its Job, for all replicas alike. */
  async #removal(signal: AbortSignal): Promise<void> {
    const isTaken = (): boolean => this.#pod?.gone === true || (this.#pod?.deleting === true && this.#hasEnded());
    while (isTaken() && this.result === undefined && !signal.aborted) await this.#nextChange(signal);
  }

  /** Resolves when the Job or the Pod changes. */
  async #nextChange(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = this.#changed;
    signal.addEventListener("abort", () => resolve(), { once: true });
    if (!signal.aborted) await promise;
  }
}
