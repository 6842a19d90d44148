import { parseFrame } from "../../core/frames.ts";
import type { SequencedFrame } from "../../core/frames.ts";
import type { RunEvent, RunResult } from "../../core/run.ts";
import { Transcript } from "../../core/transcript.ts";
import type { Interruption, RunIdentity } from "../../core/transcript.ts";

/**
 * What happened in one run, as it can be kept and played again: the runner's lines, each with the time of its arrival,
 * and the interruption if there was one. The same recording gives the same events.
 */
export class Recording {
  readonly #transcript: Transcript;
  readonly #lines: string[] = [];
  readonly events: RunEvent[] = [];
  finishedAt: Date | null = null;

  constructor(run: RunIdentity) {
    this.#transcript = new Transcript(run);
  }

  get startedAt(): Date | null {
    return this.#transcript.startedAt;
  }

  get result(): RunResult | undefined {
    const last = this.events.at(-1);
    return last?.type === "finished" ? last.result : undefined;
  }

  /** Adds what the runner wrote. Nothing follows the run's end. */
  add(frame: SequencedFrame, line: string, at: Date): void {
    if (this.finishedAt !== null) return;
    this.#lines.push(`${at.getTime()} ${line}`);
    this.#append(this.#transcript.add(frame, at), at);
  }

  /** Ends a run that its runner does not. A run that has ended stays as it is. */
  interrupt(interruption: Interruption, at: Date): void {
    if (this.finishedAt !== null) return;
    this.#lines.push(`${at.getTime()} ${JSON.stringify({ type: "interrupted", ...interruption })}`);
    this.#append(this.#transcript.interrupt(interruption, at), at);
  }

  serialize(): Buffer {
    return Buffer.from(this.#lines.join("\n"));
  }

  static parse(run: RunIdentity, bytes: Uint8Array): Recording {
    const recording = new Recording(run);
    for (const text of Buffer.from(bytes).toString("utf8").split("\n")) {
      if (text === "") continue;
      const space = text.indexOf(" ");
      const at = new Date(Number(text.slice(0, space)));
      const line = text.slice(space + 1);
      if (line.startsWith('{"type":"interrupted"')) {
        recording.interrupt(JSON.parse(line) as Interruption, at);
        continue;
      }
      const frame = parseFrame(line);
      if (frame.type !== "ready") recording.add(frame, line, at);
    }
    return recording;
  }

  #append(events: RunEvent[], at: Date): void {
    this.events.push(...events);
    if (events.at(-1)?.type === "finished") this.finishedAt = at;
  }
}
