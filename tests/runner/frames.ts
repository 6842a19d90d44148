import { createInterface, type Interface } from "node:readline";
import type { Readable } from "node:stream";

export interface Ended {
  type: "ended";
  stage: "compile" | "run" | "test";
  test?: number;
  exit_code: number | null;
  signal: string | null;
  error: string | null;
  limit: string | null;
  wall_us: number;
  cpu_us: number | null;
  memory_bytes: number | null;
  stdout_truncated: boolean;
  stderr_truncated: boolean;
}

type Output = { text: string } | { data: string };

export type Frame = { seq: number } & (
  | { type: "ready"; protocol: number; version: string | null }
  | { type: "started"; stage: "compile" | "run" | "test"; test?: number }
  | ({ type: "stdout" } & Output)
  | ({ type: "stderr" } & Output)
  | Ended
  | { type: "artifact"; name: string; size_bytes: number; has_content: boolean }
  | { type: "content"; data: string }
  | { type: "artifacts_ended"; omitted: number }
  | { type: "fed"; bytes: number }
  | { type: "kept"; data: string }
  | { type: "kept_ended"; whole: boolean }
  | { type: "finished" }
  | { type: "failed"; message: string }
);

const USAGE = "exit_code,signal,error,limit,wall_us,cpu_us,memory_bytes,stdout_truncated,stderr_truncated";

/** The keys of each type in their order; a type may have several such lists, parted by a blank. */
const KEYS: Record<Frame["type"], string> = {
  ready: "type,protocol,version",
  started: "seq,type,stage seq,type,stage,test",
  stdout: "seq,type,text seq,type,data",
  stderr: "seq,type,text seq,type,data",
  ended: `seq,type,stage,${USAGE} seq,type,stage,test,${USAGE}`,
  artifact: "seq,type,name,size_bytes,has_content",
  content: "seq,type,data",
  artifacts_ended: "seq,type,omitted",
  fed: "type,bytes",
  kept: "seq,type,data",
  kept_ended: "seq,type,whole",
  finished: "seq,type",
  failed: "seq,type,message",
};

/** The bytes of a chunk of output. */
export function bytesOf(frame: Extract<Frame, { type: "stdout" | "stderr" }>): Buffer {
  return "text" in frame ? Buffer.from(frame.text) : Buffer.from(frame.data, "base64");
}

/** Reads frames, and throws at anything that isn't one or is out of sequence. */
export class FrameReader implements AsyncIterable<Frame> {
  readonly #lines: Interface;
  readonly #iterator: AsyncIterator<string>;
  #nextSeq = 0;

  constructor(stream: Readable) {
    this.#lines = createInterface({ input: stream, crlfDelay: Infinity });
    this.#iterator = this.#lines[Symbol.asyncIterator]();
  }

  async next(): Promise<Frame | undefined> {
    const line = await this.#iterator.next();
    if (line.done === true) return undefined;
    if (/\p{Cc}/u.test(line.value)) throw new Error(`a control character: ${line.value.slice(0, 300)}`);
    const frame: Frame = JSON.parse(line.value);
    if (!KEYS[frame.type].split(" ").includes(Object.keys(frame).join()))
      throw new Error(`not a frame: ${line.value.slice(0, 300)}`);
    if (frame.type !== "ready" && frame.type !== "fed" && frame.seq !== this.#nextSeq++)
      throw new Error(`out of sequence: ${frame.seq}`);
    return frame;
  }

  /** The next frame of this type; throws when the stream ends before. */
  async until<Type extends Frame["type"]>(type: Type): Promise<Extract<Frame, { type: Type }>> {
    for (;;) {
      const frame = await this.next();
      if (frame === undefined) throw new Error(`the runner ended without "${type}"`);
      if (frame.type === type) return frame as Extract<Frame, { type: Type }>;
    }
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Frame> {
    for (let frame = await this.next(); frame !== undefined; frame = await this.next()) yield frame;
  }
}

export interface StageOutcome extends Ended {
  stdout: Buffer;
  stderr: Buffer;
}

export interface Outcome {
  frames: Frame[];
  /** The types of all frames, with repeated ones told once. */
  course: string;
  stages: StageOutcome[];
  failed: string | null;
  exitCode: number | null;
  lastWords: string;
}

/** Puts a runner's frames together. */
export function collect(frames: Frame[], exitCode: number | null, lastWords: string): Outcome {
  const stages: StageOutcome[] = [];
  let parts: { stdout: Buffer[]; stderr: Buffer[] } = { stdout: [], stderr: [] };
  for (const frame of frames) {
    if (frame.type === "stdout" || frame.type === "stderr") parts[frame.type].push(bytesOf(frame));
    if (frame.type !== "ended") continue;
    stages.push({ ...frame, stdout: Buffer.concat(parts.stdout), stderr: Buffer.concat(parts.stderr) });
    parts = { stdout: [], stderr: [] };
  }
  const types = frames.map((frame) => frame.type).filter((type, index, all) => type !== all[index - 1]);
  const failed = frames.find((frame) => frame.type === "failed")?.message ?? null;
  return { frames, course: types.join(" "), stages, failed, exitCode, lastWords };
}

/** The outcome of the last stage; throws when there is none. */
export function last(outcome: Outcome): StageOutcome {
  const stage = outcome.stages.at(-1);
  if (stage === undefined) throw new Error(`no stage ended: ${outcome.failed ?? outcome.lastWords}`);
  return stage;
}
