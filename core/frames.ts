import { isUtf8 } from "node:buffer";

import { z } from "zod";

const stage = z.enum(["compile", "run"]);
const seq = z.int().nonnegative();
const count = z.int().nonnegative();

const stream = z.enum(["stdout", "stderr"]);

/** A chunk of output: as text where its bytes are valid UTF-8 that JSON doesn't swell, so that a person can read it. */
const TEXT = z.strictObject({ type: stream, seq, text: z.string() });
const DATA = z.strictObject({ type: stream, seq, data: z.base64() });

const ENDED = z.strictObject({
  type: z.literal("ended"),
  seq,
  stage,
  exit_code: z.int().nullable(),
  signal: z.string().nullable(),
  error: z.string().nullable(),
  limit: z.enum(["wall", "idle", "cpu", "memory", "processes", "output", "file_size", "inodes"]).nullable(),
  wall_us: count,
  cpu_us: count.nullable(),
  memory_bytes: count.nullable(),
  stdout_truncated: z.boolean(),
  stderr_truncated: z.boolean(),
  /** Of a compile stage that was not executed again: what it said and was measured when it was. No runner writes this. */
  cached: z.literal(true).optional(),
});

/** Tests have numbers, from 0. */
const TEST = { stage: z.literal("test"), test: count };
const TEST_STARTED = z.strictObject({ type: z.literal("started"), seq, ...TEST });
const TEST_ENDED = z.strictObject({ ...ENDED.shape, ...TEST });

/** Every other kind, by its type. */
const OTHERS = {
  /** `version` is the toolchain's, where the sandbox's image tells it. */
  ready: z.strictObject({ type: z.literal("ready"), protocol: z.literal(1), version: z.string().nullable() }),
  started: z.strictObject({ type: z.literal("started"), seq, stage }),
  ended: ENDED,
  artifact: z.strictObject({
    type: z.literal("artifact"),
    seq,
    name: z.string().min(1).max(255),
    size_bytes: count,
    has_content: z.boolean(),
  }),
  content: z.strictObject({ type: z.literal("content"), seq, data: z.base64() }),
  artifacts_ended: z.strictObject({ type: z.literal("artifacts_ended"), seq, omitted: count }),
  /** How much an interactive program's stdin has taken in all: no part of what happened, so that it has no number. */
  fed: z.strictObject({ type: z.literal("fed"), bytes: count }),
  /** A piece of what the compile stage left, and after the last piece whether that is all of it (`runner/kept.c`). */
  kept: z.strictObject({ type: z.literal("kept"), seq, data: z.base64() }),
  kept_ended: z.strictObject({ type: z.literal("kept_ended"), seq, whole: z.boolean() }),
  finished: z.strictObject({ type: z.literal("finished"), seq }),
  failed: z.strictObject({ type: z.literal("failed"), seq, message: z.string() }),
};

type Output = z.infer<typeof TEXT> | z.infer<typeof DATA>;

/** One line of the runner's output: what is happening in the sandbox. */
export type Frame =
  | Output
  | z.infer<(typeof OTHERS)[keyof typeof OTHERS]>
  | z.infer<typeof TEST_STARTED>
  | z.infer<typeof TEST_ENDED>;
export type SequencedFrame = Exclude<Frame, { type: "ready" | "fed" }>;

/** The bytes of a chunk of output. */
export function bytesOfOutput(frame: Output): Buffer {
  return "text" in frame ? Buffer.from(frame.text, "utf8") : Buffer.from(frame.data, "base64");
}

/** The longest line that a runner writes: 48 KiB of output in base64, with its frame around it. */
export const MAX_LINE_BYTES = 128 * 1024;

const MAX_QUOTED_CHARS = 500;

/** The runner, or what stands where the runner should, wrote something that isn't the protocol. */
export class FrameError extends Error {
  override readonly name = "FrameError";
}

function notAFrame(line: string, cause?: unknown): FrameError {
  // What stands where the runner should says here what went wrong.
  return new FrameError(`not a frame: ${line.slice(0, MAX_QUOTED_CHARS)}`, { cause });
}

function isOther(type: unknown): type is keyof typeof OTHERS {
  return typeof type === "string" && Object.hasOwn(OTHERS, type);
}

/** What a value has to be, by the fields that tell frames apart: to try one kind after the other costs a multiple. */
function schemaOf(value: unknown): z.ZodType<Frame> | undefined {
  if (typeof value !== "object" || value === null || !("type" in value)) return undefined;
  const { type } = value;
  if (type === "stdout" || type === "stderr") return "text" in value ? TEXT : DATA;
  if ("stage" in value && value.stage === "test") return type === "started" ? TEST_STARTED : TEST_ENDED;
  return isOther(type) ? OTHERS[type] : undefined;
}

/** Parses one line; throws `FrameError`. */
export function parseFrame(line: string): Frame {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw notAFrame(line, cause);
  }
  const parsed = schemaOf(value)?.safeParse(value);
  if (parsed?.success !== true) throw new FrameError("the line is not a frame of protocol 1", { cause: parsed?.error });
  const frame = parsed.data;
  // Half a character, which only JSON's escapes can spell, has no bytes.
  if ("text" in frame && !frame.text.isWellFormed()) throw notAFrame(line);
  return frame;
}

const NEWLINE = 0x0a;

/** Splits a stream of bytes into lines and these into frames, wherever the chunks are cut. */
export class FrameDecoder {
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #nextSeq = 0;

  /** The frames that `chunk` completes; throws `FrameError` for a line too long, not a frame, or out of sequence. */
  push(chunk: Buffer): { frame: Frame; line: string }[] {
    const frames: { frame: Frame; line: string }[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const bytes = this.#take(chunk.subarray(start, end));
      const line = bytes.toString("utf8");
      start = end + 1;
      // What can't be read as it was written would be kept as something else.
      if (!isUtf8(bytes)) throw notAFrame(line);
      const frame = parseFrame(line);
      this.#checkSequence(frame);
      frames.push({ frame, line });
    }
    this.#hold(chunk.subarray(start));
    return frames;
  }

  #take(last: Buffer): Buffer {
    this.#hold(last);
    const [line = last] = this.#pending.length === 1 ? this.#pending : [Buffer.concat(this.#pending)];
    this.#pending = [];
    this.#pendingBytes = 0;
    return line;
  }

  #hold(part: Buffer): void {
    this.#pendingBytes += part.length;
    if (this.#pendingBytes > MAX_LINE_BYTES) throw new FrameError(`a line is longer than ${MAX_LINE_BYTES} bytes`);
    if (part.length > 0) this.#pending.push(part);
  }

  #checkSequence(frame: Frame): void {
    if (frame.type === "ready" || frame.type === "fed") return;
    if (frame.seq !== this.#nextSeq) {
      throw new FrameError(`frame ${frame.seq} came where ${this.#nextSeq} was due`);
    }
    this.#nextSeq += 1;
  }
}
