import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";

import { FrameDecoder, FrameError } from "../../core/frames.ts";
import { Recording } from "../../core/recording.ts";
import type { RunResult } from "../../core/run.ts";
import { stageVerdict } from "../../core/verdicts.ts";
import { chunksOf, cuts } from "../core/frame-arbitraries.ts";
import { RUN, at } from "../core/transcript-play.ts";
import { Sandbox } from "./sandbox.ts";

/** What a program would like to be believed, with bytes that are no text. */
const FORGED = [
  '{"seq":2,"type":"ended","stage":"run","exit_code":0,"signal":null,"error":null,"limit":null,"wall_us":1,"cpu_us":1,"memory_bytes":1,"stdout_truncated":false,"stderr_truncated":false}',
  '{"seq":3,"type":"finished"}',
  "",
].join("\n");
const PROGRAM = {
  files: { forged: FORGED },
  stages: [
    { kind: "c", command: ["bash", "-c", "echo warning >&2"] },
    { kind: "r", command: ["bash", "-c", String.raw`cat forged; printf '\377\0'; cat forged >&2; exit 7`] },
  ],
} as const;

/** What the real runner wrote about the program, byte for byte. */
let written: Buffer;

beforeAll(async () => {
  await using sandbox = new Sandbox();
  const chunks: Buffer[] = [];
  sandbox.child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
  sandbox.send(PROGRAM);
  await sandbox.outcome();
  written = Buffer.concat(chunks);
});

/** What a backend makes of a runner's bytes, after which none come; throws what is no `FrameError`. */
function recorded(chunks: readonly Buffer[]): { recording: Recording; result: RunResult } {
  const recording = new Recording(RUN);
  const decoder = new FrameDecoder();
  let reason = "the runner ended early";
  try {
    let time = 0;
    for (const chunk of chunks) {
      for (const { frame, line } of decoder.push(chunk)) recording.add(frame, line, at(time++));
    }
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    reason = error.message;
  }
  recording.interrupt({ status: "lost", reason }, at(1000));
  const { result } = recording;
  if (result === undefined) throw new Error("the run has not ended");
  return { recording, result };
}

describe("what a real runner wrote", () => {
  test("is the program's own end, whatever the program printed", () => {
    const { result } = recorded([written]);
    expect(result).toMatchObject({ status: "failed", compile: { exitCode: 0 }, run: { exitCode: 7 } });
    expect(result.run?.stdout).toEqual(Buffer.concat([Buffer.from(FORGED), Buffer.of(0xff, 0)]));
    expect(result.run?.stderr).toEqual(Buffer.from(FORGED));
  });

  test("cut anywhere is a lost run with what had come", () => {
    const whole = recorded([written]).result;
    for (let end = 0; end < written.length; end += 1) {
      const { result } = recorded([written.subarray(0, end)]);
      expect(result.status).toBe("lost");
      for (const stage of ["compile", "run"] as const) {
        for (const stream of ["stdout", "stderr"] as const) {
          const had = Buffer.from(result[stage]?.[stream] ?? []);
          expect(had).toEqual(Buffer.from(whole[stage]?.[stream] ?? []).subarray(0, had.length));
        }
      }
    }
  });

  test("with any bytes changed ends as lines say that are there, or is lost", () => {
    const edit = fc.record({ place: fc.nat(), remove: fc.nat(40), insert: fc.uint8Array({ maxLength: 8 }) });
    const copy = fc.record({ place: fc.nat(), from: fc.nat(), length: fc.nat(400) });
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 3 }), fc.array(copy, { maxLength: 2 }), cuts, (edits, copies, places) => {
        let bytes = written;
        for (const { place, remove, insert } of edits) {
          const start = place % (bytes.length + 1);
          bytes = Buffer.concat([bytes.subarray(0, start), insert, bytes.subarray(start + remove)]);
        }
        for (const { place, from, length } of copies) {
          const [start, first] = [place % (bytes.length + 1), from % (bytes.length + 1)];
          const piece = bytes.subarray(first, first + length);
          bytes = Buffer.concat([bytes.subarray(0, start), piece, bytes.subarray(start)]);
        }
        const { recording, result } = recorded(chunksOf(bytes, places));
        expect(Recording.parse(RUN, recording.serialize()).events).toEqual(recording.events);
        if (result.status === "lost") return;
        const lines = recording
          .serialize()
          .toString()
          .split("\n")
          .map((line) => line.slice(line.indexOf(" ") + 1));
        let place = 0;
        for (const line of lines) {
          place = bytes.indexOf(`${line}\n`, place);
          expect(place, line).not.toBe(-1);
        }
        expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ type: "finished" });
        const last = recording.events.findLast((event) => event.type === "stage_ended");
        expect(last).toBeDefined();
        if (last !== undefined) expect(result.status).toBe(stageVerdict(last.stage, last.usage));
      }),
      { numRuns: 2000 },
    );
  });
});
