import { parseFrame } from "./frames.ts";
import type { Frame } from "./frames.ts";
import type { RunEvent, RunResult } from "./run.ts";
import { Transcript } from "./transcript.ts";
import type { Interruption, RunIdentity } from "./transcript.ts";

/** The line of a frame with output, or with a part of an artifact. */
const OUTPUT_LINE = /^\d+ \{"seq":\d+,"type":"(?:stdout|stderr|content)"/;

/**
 * What happened in one run, as it can be kept and played again: the runner's lines, each with the time of its arrival,
 * and the interruption if there was one. The same recording gives the same events.
 */
export class Recording {
  readonly #run: RunIdentity;
  readonly #transcript: Transcript;
  readonly #lines: string[] = [];
  readonly events: RunEvent[] = [];
  finishedAt: Date | null = null;

  constructor(run: RunIdentity) {
    this.#run = run;
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
  add(frame: Frame, line: string, at: Date): void {
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

  /** What there is until now with the first `maxOutputBytes` of its output frames, ended by `interruption`. */
  interrupted(interruption: Interruption, at: Date, maxOutputBytes: number): Recording {
    const copy = new Recording(this.#run);
    let left = maxOutputBytes;
    for (const line of this.#lines) {
      if (OUTPUT_LINE.test(line)) left -= line.length;
      if (left >= 0 || !OUTPUT_LINE.test(line)) copy.#play(line);
    }
    copy.interrupt(left < 0 ? { ...interruption, outputCut: true } : interruption, at);
    return copy;
  }

  serialize(): Buffer {
    return Buffer.from(this.#lines.join("\n"));
  }

  static parse(run: RunIdentity, bytes: Uint8Array): Recording {
    const recording = new Recording(run);
    for (const text of Buffer.from(bytes).toString("utf8").split("\n")) if (text !== "") recording.#play(text);
    return recording;
  }

  #play(text: string): void {
    const space = text.indexOf(" ");
    const at = new Date(Number(text.slice(0, space)));
    const line = text.slice(space + 1);
    if (line.startsWith('{"type":"interrupted"')) this.interrupt(JSON.parse(line) as Interruption, at);
    else this.add(parseFrame(line), line, at);
  }

  #append(events: RunEvent[], at: Date): void {
    this.events.push(...events);
    if (events.at(-1)?.type === "finished") this.finishedAt = at;
  }
}
