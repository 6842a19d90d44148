import fc from "fast-check";

import type { Frame, SequencedFrame } from "../../core/frames.ts";

type WithoutSeq<F> = F extends unknown ? Omit<F, "seq"> : never;
type FrameBody = WithoutSeq<SequencedFrame>;

const stage = fc.constantFrom("compile", "run");
const count = fc.maxSafeNat();
const data = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString("base64"));
const text = fc.string({ unit: "binary" });

const wellFormed = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString("utf8"));

const ready = fc.record({
  type: fc.constant("ready"),
  protocol: fc.constant(1),
  version: fc.option(text),
});

const ending = {
  exit_code: fc.option(fc.integer({ min: 0, max: 255 })),
  signal: fc.option(fc.constantFrom("SIGSEGV", "SIGKILL", "SIGXFSZ")),
  error: fc.option(text),
  limit: fc.option(fc.constantFrom("wall", "idle", "cpu", "memory", "processes", "output", "file_size", "inodes")),
  wall_us: count,
  cpu_us: fc.option(count),
  memory_bytes: fc.option(count),
  stdout_truncated: fc.boolean(),
  stderr_truncated: fc.boolean(),
};
const test = { stage: fc.constant("test"), test: count };

const frameBody: fc.Arbitrary<FrameBody> = fc.oneof(
  fc.record({ type: fc.constant("started"), stage }),
  fc.record({ type: fc.constant("started"), ...test }),
  fc.record({ type: fc.constantFrom("stdout", "stderr"), data }),
  fc.record({ type: fc.constantFrom("stdout", "stderr"), text: wellFormed }),
  fc.record({ type: fc.constant("ended"), stage, ...ending }),
  fc.record({ type: fc.constant("ended"), ...test, ...ending }),
  fc.record({ type: fc.constant("kept"), data }),
  fc.record({ type: fc.constant("kept_ended"), whole: fc.boolean() }),
  fc.record({ type: fc.constant("finished") }),
  fc.record({ type: fc.constant("failed"), message: text }),
);

/** What a runner can write: at times `ready`, and frames whose `seq` counts from 0. */
export const frames: fc.Arbitrary<Frame[]> = fc
  .array(fc.oneof({ weight: 1, arbitrary: ready }, { weight: 8, arbitrary: frameBody }), { maxLength: 20 })
  .map((bodies) => {
    let seq = 0;
    return bodies.map((body): Frame => (body.type === "ready" ? body : { ...body, seq: seq++ }));
  });

export const someFrames = frames.filter((list) => list.length > 0);

export function lineOf(frame: Frame): string {
  return JSON.stringify(frame);
}

export function bytesOf(list: readonly Frame[]): Buffer {
  return Buffer.from(list.map((frame) => `${lineOf(frame)}\n`).join(""));
}

/** `bytes` cut wherever `cuts`, from 0 to 1 each, say; chunks may be empty. */
export function chunksOf(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => Math.round(cut * bytes.length)), bytes.length].toSorted((a, b) => a - b);
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

export const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 });
