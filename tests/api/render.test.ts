import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { renderBytes, renderEventData, renderResult, renderState, renderStream } from "../../api/render.ts";
import { EVENT_DATA, PENDING, RESULT } from "../../api/schemas.ts";
import type { RunResult, StageResult } from "../../core/run.ts";

const CREATED = new Date("2026-01-02T03:04:05.006Z");

function stage(change: Partial<StageResult> = {}): StageResult {
  return {
    exitCode: 0,
    signal: null,
    limit: null,
    wallMs: 12,
    cpuMs: 11,
    memoryBytes: 1000,
    stdout: Buffer.from("out\n"),
    stderr: Buffer.from("err\n"),
    stdoutTruncated: false,
    stderrTruncated: false,
    ...change,
  };
}

function result(change: Partial<RunResult> = {}): RunResult {
  return {
    id: "raaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    language: "python",
    version: "3.11.2",
    status: "succeeded",
    reason: null,
    compile: null,
    run: stage(),
    createdAt: CREATED,
    startedAt: CREATED,
    finishedAt: new Date("2026-01-02T03:04:06.000Z"),
    ...change,
  };
}

describe("bytes", () => {
  test.for(["", "text\n", "\0\u0001", "é€😀", "\ufeffmark", "\ufffd"])("that are UTF-8 come as text: %j", (text) => {
    expect(renderBytes(Buffer.from(text))).toEqual({ data: text, encoding: "utf8" });
  });

  test.for([[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80], [0xf5, 0x80, 0x80, 0x80]])(
    "that are not come as base64: %j",
    (bytes) => {
      expect(renderBytes(Buffer.from(bytes))).toEqual({
        data: Buffer.from(bytes).toString("base64"),
        encoding: "base64",
      });
    },
  );

  test("of a part of a larger buffer are that part", () => {
    expect(renderBytes(Buffer.from("abcdef").subarray(2, 4))).toEqual({ data: "cd", encoding: "utf8" });
    expect(renderBytes(new Uint8Array(Buffer.from([0x61, 0xff, 0x62])).subarray(1, 2))).toEqual({
      data: "/w==",
      encoding: "base64",
    });
  });

  test("come back as they were", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const { data, encoding } = renderBytes(bytes);
        expect(Buffer.from(data, encoding)).toEqual(Buffer.from(bytes));
      }),
    );
  });
});

describe("a stream that was cut within a character", () => {
  test("stays text, without the character", () => {
    for (const character of ["é", "€", "😀", "\u0800", "\u{10ffff}"]) {
      const bytes = Buffer.from(`ab${character}`);
      for (let end = 3; end < bytes.length; end += 1) {
        expect(renderStream(bytes.subarray(0, end), true)).toEqual({ data: "ab", encoding: "utf8" });
      }
      expect(renderStream(bytes, true)).toEqual({ data: `ab${character}`, encoding: "utf8" });
    }
  });

  test("is nothing when there was nothing else", () => {
    expect(renderStream(Buffer.from([0xe2, 0x82]), true)).toEqual({ data: "", encoding: "utf8" });
  });

  test.for([
    ["was not cut", [0x61, 0xe2, 0x82], false],
    ["has other bytes that are not UTF-8", [0xff, 0x61, 0xe2, 0x82], true],
    ["ends with a byte that begins no character", [0x61, 0xff], true],
    ["ends with a byte that continues none", [0x61, 0x82], true],
    ["ends with an overlong form", [0x61, 0xe0, 0x80], true],
    ["ends with half a surrogate pair", [0x61, 0xed, 0xa0], true],
    ["ends beyond the last character", [0x61, 0xf4, 0x90, 0x80], true],
  ] as const)("stays bytes when it %s", ([, bytes, truncated]) => {
    expect(renderStream(Buffer.from(bytes), truncated)).toEqual({
      data: Buffer.from(bytes).toString("base64"),
      encoding: "base64",
    });
  });

  test("loses at most three bytes, and only of text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1 }), fc.nat(), (text, cut) => {
        const whole = Buffer.from(text.toWellFormed());
        const bytes = whole.subarray(0, cut % (whole.length + 1));
        const { data, encoding } = renderStream(bytes, true);
        expect(encoding).toBe("utf8");
        expect(bytes.length - Buffer.byteLength(data)).toBeLessThanOrEqual(3);
        expect(text.toWellFormed().startsWith(data)).toBe(true);
      }),
    );
  });
});

describe("a result", () => {
  test("has the run stage's output at its top", () => {
    const rendered = renderResult(
      result({ compile: stage({ stdout: Buffer.from("made\n") }), run: stage({ exitCode: 3 }) }),
    );
    expect(rendered).toMatchObject({ stdout: "out\n", stderr: "err\n", exit_code: 3, compile: { stdout: "made\n" } });
    expect(rendered).toMatchObject({ created_at: "2026-01-02T03:04:05.006Z", finished_at: "2026-01-02T03:04:06.000Z" });
  });

  test("has the compile stage's output there when nothing ran", () => {
    const compile = stage({ exitCode: 1, stderr: Buffer.from([0xff]) });
    expect(renderResult(result({ status: "compile_failed", compile, run: null }))).toMatchObject({
      stderr: "/w==",
      stderr_encoding: "base64",
      exit_code: 1,
      run: null,
    });
  });

  test("has nothing there when there was no stage", () => {
    const lost = result({ status: "lost", reason: "the machine went down", run: null, startedAt: null });
    expect(renderResult(lost)).toMatchObject({
      stdout: "",
      stdout_encoding: "utf8",
      stderr: "",
      exit_code: null,
      compile: null,
      run: null,
      reason: "the machine went down",
      started_at: null,
    });
  });

  test("tells which stream was cut", () => {
    const { run } = renderResult(result({ run: stage({ stderrTruncated: true }) }));
    expect(run).toMatchObject({ truncated: true, stdout_truncated: false, stderr_truncated: true });
  });

  test("is what the schema says", () => {
    for (const change of [
      {},
      { compile: stage() },
      { run: null },
      { run: stage({ exitCode: null, signal: "SIGKILL", limit: "cpu" as const, cpuMs: null, memoryBytes: null }) },
    ]) {
      RESULT.parse(renderResult(result(change)));
    }
  });
});

test("a run that has not ended is rendered by its state", () => {
  const identity = { id: "r", language: "c", version: null, createdAt: CREATED };
  const queued = renderState({ state: "queued", ...identity });
  const running = renderState({ state: "running", ...identity, startedAt: CREATED });
  expect([PENDING.parse(queued), PENDING.parse(running)]).toEqual([
    {
      id: "r",
      language: "c",
      version: null,
      status: "queued",
      created_at: "2026-01-02T03:04:05.006Z",
      started_at: null,
    },
    {
      id: "r",
      language: "c",
      version: null,
      status: "running",
      created_at: "2026-01-02T03:04:05.006Z",
      started_at: "2026-01-02T03:04:05.006Z",
    },
  ]);
  expect(renderState({ state: "finished", result: result() })).toEqual(renderResult(result()));
});

test("events are rendered as their schemas say", () => {
  EVENT_DATA.stage_started.parse(renderEventData({ seq: 0, type: "stage_started", stage: "run" }));
  const output = renderEventData({ seq: 1, type: "output", stage: "run", stream: "stdout", bytes: Buffer.from("x") });
  expect(EVENT_DATA.output.parse(output)).toEqual({ stage: "run", stream: "stdout", data: "x", encoding: "utf8" });
  EVENT_DATA.stage_ended.parse(renderEventData({ seq: 2, type: "stage_ended", stage: "run", usage: stage() }));
  EVENT_DATA.finished.parse(renderEventData({ seq: 3, type: "finished", result: result() }));
});
