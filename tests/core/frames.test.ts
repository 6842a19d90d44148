import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { bytesOfOutput, FrameDecoder, FrameError, MAX_LINE_BYTES, parseFrame } from "../../core/frames.ts";
import type { Frame } from "../../core/frames.ts";
import { bytesOf, chunksOf, cuts, frames, lineOf, someFrames } from "./frame-arbitraries.ts";

function decode(chunks: readonly Buffer[]): { frame: Frame; line: string }[] {
  const decoder = new FrameDecoder();
  return chunks.flatMap((chunk) => decoder.push(chunk));
}

/** What `work` throws; undefined when it doesn't. */
function thrownBy(work: () => unknown): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return error;
  }
}

const finished = (seq: number): Buffer => Buffer.from(`{"type":"finished","seq":${seq}}\n`);

/** A frame whose line, without its newline, has exactly so many bytes. */
function frameOfBytes(bytes: number): Buffer {
  const line = lineOf({ type: "failed", seq: 0, message: "" });
  const frame = lineOf({ type: "failed", seq: 0, message: "m".repeat(bytes - line.length) });
  return Buffer.from(`${frame}\n`);
}

describe("frames that a runner writes", () => {
  test("come out the same wherever the stream is cut", () => {
    fc.assert(
      fc.property(frames, cuts, (list, places) => {
        const decoded = decode(chunksOf(bytesOf(list), places));
        expect(decoded).toEqual(list.map((frame) => ({ frame, line: lineOf(frame) })));
      }),
    );
  });

  test("come out the same byte by byte", () => {
    fc.assert(
      fc.property(frames, (list) => {
        const bytes = Array.from(bytesOf(list), (byte) => Buffer.of(byte));
        expect(decode(bytes).map(({ frame }) => frame)).toEqual(list);
      }),
    );
  });

  test("come out when their newline does, not before", () => {
    const decoder = new FrameDecoder();
    const line = finished(0);
    expect(decoder.push(line.subarray(0, -1))).toEqual([]);
    expect(decoder.push(line.subarray(-1))).toHaveLength(1);
  });

  test("may have characters of several bytes cut in the middle", () => {
    const frame: Frame = { type: "failed", seq: 0, message: "café 😀" };
    const bytes = bytesOf([frame]);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      expect(decode([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual([{ frame, line: lineOf(frame) }]);
    }
  });
});

describe("a chunk of output", () => {
  function received(frame: object): Buffer {
    const parsed = parseFrame(JSON.stringify(frame));
    if (parsed.type !== "stdout" && parsed.type !== "stderr") throw new Error("not output");
    return bytesOfOutput(parsed);
  }

  test("has the bytes of its text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(received({ type: "stdout", seq: 0, text })).toEqual(Buffer.from(text));
      }),
    );
    expect(received({ type: "stdout", seq: 0, text: "\ufeff\0" })).toEqual(Buffer.of(0xef, 0xbb, 0xbf, 0));
  });

  test("has the bytes of its base64, whatever they are", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const data = Buffer.from(bytes).toString("base64");
        expect(received({ type: "stderr", seq: 0, data })).toEqual(Buffer.from(bytes));
      }),
    );
  });
});

describe("anything else is a FrameError", () => {
  function refused(line: string): void {
    expect(
      thrownBy(() => parseFrame(line)),
      line,
    ).toBeInstanceOf(FrameError);
  }

  test("whatever the bytes", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 5 }), (chunks) => {
        const error = thrownBy(() => decode([...chunks.map((chunk) => Buffer.from(chunk)), Buffer.from("\n")]));
        expect(error).toBeInstanceOf(FrameError);
      }),
    );
  });

  test("or nothing, when bytes of a good stream are changed", () => {
    const edit = fc.record({ place: fc.nat(), remove: fc.nat(4), insert: fc.uint8Array({ maxLength: 4 }) });
    fc.assert(
      fc.property(someFrames, fc.array(edit, { minLength: 1, maxLength: 3 }), cuts, (list, edits, places) => {
        let bytes = bytesOf(list);
        for (const { place, remove, insert } of edits) {
          const at = place % (bytes.length + 1);
          bytes = Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)]);
        }
        const error = thrownBy(() => decode(chunksOf(bytes, places)));
        if (error !== undefined) expect(error).toBeInstanceOf(FrameError);
      }),
    );
  });

  test("for a line that is not UTF-8, whatever else it is", () => {
    const [before, after] = ['{"type":"failed","seq":0,"message":"', '"}\n'].map((text) => Buffer.from(text));
    for (const bytes of [[0xff], [0xc3], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]]) {
      const line = Buffer.concat([before!, Buffer.from(bytes), after!]);
      expect(thrownBy(() => decode([line]))).toBeInstanceOf(FrameError);
    }
  });

  test("for any JSON that is not a frame", () => {
    fc.assert(fc.property(fc.json({ maxDepth: 4 }), (json) => refused(json)));
  });

  test("for JSON nested as deep as a line is long", () => {
    refused("[".repeat(MAX_LINE_BYTES));
    refused("[".repeat(MAX_LINE_BYTES / 2) + "]".repeat(MAX_LINE_BYTES / 2));
    refused('{"type":'.repeat(MAX_LINE_BYTES / 8));
  });

  test("for a field more", () => {
    fc.assert(
      fc.property(someFrames, fc.string(), fc.jsonValue(), ([frame], name, value) => {
        fc.pre(frame !== undefined && !Object.hasOwn(frame, name) && name !== "__proto__");
        refused(JSON.stringify({ ...frame, [name]: value }));
      }),
    );
    refused('{"type":"finished","seq":0,"__proto__":{"exit_code":0}}');
    refused('{"type":"ready","protocol":1,"version":null,"seq":0}');
  });

  test("for a field less", () => {
    fc.assert(
      fc.property(someFrames, fc.nat(), ([frame], choice) => {
        const entries = Object.entries(frame!);
        refused(JSON.stringify(Object.fromEntries(entries.toSpliced(choice % entries.length, 1))));
      }),
    );
  });

  test("for a field of another type", () => {
    fc.assert(
      fc.property(someFrames, fc.nat(), ([frame], choice) => {
        const entries = Object.entries(frame!);
        const name = entries[choice % entries.length]![0];
        refused(JSON.stringify({ ...frame, [name]: [] }));
      }),
    );
  });

  test.each([
    ['{"type":"ready","protocol":2,"version":null}'],
    ['{"type":"started","seq":0,"stage":"install"}'],
    ['{"type":"finished","seq":-1}'],
    ['{"type":"finished","seq":0.5}'],
    ['{"type":"finished","seq":1e300}'],
    ['{"type":"finished","seq":"0"}'],
    ['{"type":"stdout","seq":0,"data":"YQ"}'],
    ['{"type":"stdout","seq":0,"data":"Y Q="}'],
    ['{"type":"stdout","seq":0,"data":"__8="}'],
    ['{"type":"stdout","seq":0}'],
    ['{"type":"stdout","seq":0,"text":"a","data":"YQ=="}'],
    ['{"type":"stdout","seq":0,"text":"\\ud800"}'],
    ['{"type":"stdout","seq":0,"text":null}'],
    ['{"type":"Finished","seq":0}'],
    ['{"type":"finished","seq":0} {}'],
    ["null"],
    [""],
    ["NaN"],
  ])("for %s", (line) => refused(line));

  test.each([
    ["that does not begin with 0", [1]],
    ["with a gap", [0, 2]],
    ["with one twice", [0, 0]],
    ["that goes back", [0, 1, 0]],
  ])("for a sequence %s", (_, sequence) => {
    expect(thrownBy(() => decode(sequence.map(finished)))).toBeInstanceOf(FrameError);
  });
});

describe("a line's length", () => {
  test("may be the longest that a runner writes", () => {
    fc.assert(
      fc.property(cuts, (places) => {
        expect(decode(chunksOf(frameOfBytes(MAX_LINE_BYTES), places))).toHaveLength(1);
      }),
      { numRuns: 20 },
    );
  });

  test("may not be a byte more", () => {
    fc.assert(
      fc.property(cuts, (places) => {
        const error = thrownBy(() => decode(chunksOf(frameOfBytes(MAX_LINE_BYTES + 1), places)));
        expect(error).toBeInstanceOf(FrameError);
      }),
      { numRuns: 20 },
    );
  });

  test("is refused before its end, so that no more than that is held", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1024, max: 256 * 1024 }), (chunkBytes) => {
        const decoder = new FrameDecoder();
        const chunk = Buffer.alloc(chunkBytes, "a");
        let held = 0;
        const error = thrownBy(() => {
          while (held <= 2 * MAX_LINE_BYTES + chunkBytes) {
            decoder.push(chunk);
            held += chunkBytes;
          }
        });
        expect(error).toBeInstanceOf(FrameError);
        expect(held).toBeLessThanOrEqual(MAX_LINE_BYTES);
      }),
      { numRuns: 20 },
    );
  });

  test("counts anew for each line", () => {
    const decoder = new FrameDecoder();
    const lines = 3 * Math.ceil(MAX_LINE_BYTES / finished(0).length);
    const stream = Buffer.concat(Array.from({ length: lines }, (_, seq) => finished(seq)));
    const chunks = Array.from({ length: Math.ceil(stream.length / 1000) }, (_, index) =>
      stream.subarray(1000 * index, 1000 * (index + 1)),
    );
    expect(chunks.flatMap((chunk) => decoder.push(chunk))).toHaveLength(lines);
  });
});
