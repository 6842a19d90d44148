import { describe, expect, test } from "vitest";

import { expectationOf } from "../../core/comparison.ts";
import type { SequencedFrame } from "../../core/frames.ts";
import type { Grading } from "../../core/grading.ts";
import { Recording } from "../../core/recording.ts";
import type { RunEvent, RunResult } from "../../core/run.ts";
import { Transcript } from "../../core/transcript.ts";
import type { Interruption } from "../../core/transcript.ts";
import { COMPILED, FINISHED, RUN, at, ended, output, resultOf, started } from "./transcript-play.ts";
import type { Ending } from "./transcript-play.ts";

const LINES = { mode: "lines" } as const;

function graded(expected: (string | null)[], more: Partial<Grading> = {}): Grading {
  const expectations = expected.map((text) => (text === null ? null : expectationOf(more.comparison ?? LINES, text)));
  return { comparison: LINES, stopOnFailure: false, expectations, ...more };
}

function ran(number: number, printed: string, ending: Ending = { exit_code: 0 }): SequencedFrame[] {
  return [
    { type: "started", seq: 0, stage: "test", test: number },
    output("stdout", printed),
    { ...ended("run", ending), stage: "test", test: number },
  ];
}

function play(grading: Grading, frames: readonly SequencedFrame[], interruption?: Interruption): RunEvent[] {
  const transcript = new Transcript({ ...RUN, grading });
  const events = frames.flatMap((frame, index) => transcript.add(frame, at(index)));
  return interruption === undefined ? events : [...events, ...transcript.interrupt(interruption, at(frames.length))];
}

function statuses({ tests }: RunResult): string[] {
  return (tests?.results ?? []).map(({ status }) => status);
}

describe("the result of tests", () => {
  test("has each test's status and usage, and the verdict of the first that is not accepted", () => {
    const frames = [
      ...COMPILED,
      ...ran(0, "a"),
      ...ran(1, "x"),
      ...ran(2, "c", { exit_code: 1 }),
      ...ran(3, ""),
      FINISHED,
    ];
    const events = play(graded(["a", "b", "c", null]), frames);
    const result = resultOf(events);
    expect(statuses(result)).toEqual(["accepted", "wrong_answer", "failed", "accepted"]);
    expect(result).toMatchObject({ status: "failed", run: null, tests: { verdict: "wrong_answer" } });
    expect(result.tests?.results[1]).toMatchObject({ index: 1, wallMs: 1234, cpuMs: 7, memoryBytes: 4096 });
    expect(events.map(({ type }) => type).slice(3)).toEqual([
      "stage_started",
      "test",
      "test",
      "test",
      "test",
      "finished",
    ]);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index));
  });

  test("has what a limit ended as that, whatever was printed until then", () => {
    const limits = ["wall", "cpu", "memory", "output", "processes"] as const;
    const frames = limits.flatMap((limit, number) => ran(number, "a", { limit, exit_code: 0 }));
    expect(statuses(resultOf(play(graded(limits.map(() => "a")), [...frames, FINISHED])))).toEqual([
      "time_limit",
      "cpu_limit",
      "memory_limit",
      "output_limit",
      "process_limit",
    ]);
  });

  test("of a compile that failed has tests that were skipped, and its verdict", () => {
    const frames = [started("compile"), ended("compile", { exit_code: 1 }), FINISHED];
    const result = resultOf(play(graded(["a", "b"]), frames));
    expect(statuses(result)).toEqual(["skipped", "skipped"]);
    expect(result).toMatchObject({ status: "compile_failed", tests: { verdict: "compile_failed" } });
  });

  test.each([
    [{ status: "cancelled" } as const, "cancelled", "cancelled"],
    [{ status: "lost", reason: "why" } as const, "lost", "lost"],
    [{ status: "memory_limit" } as const, "failed", "memory_limit"],
  ])("that ends by %j is what that makes of it", (interruption, status, verdict) => {
    const grading = graded(["a", "b", "c"]);
    const during = resultOf(play(grading, [...ran(0, "a"), ...ran(1, "b").slice(0, 2)], interruption));
    expect(statuses(during)).toEqual(["accepted", verdict, "skipped"]);
    expect(during).toMatchObject({ status, tests: { verdict } });
    expect(Buffer.from(during.tests?.results[1]?.stdout ?? []).toString()).toBe("b");
  });

  test("of a command that could not be started is lost", () => {
    const result = resultOf(play(graded(["a", "b"]), [...ran(0, "", { error: "ENOENT" }), ...ran(1, "b"), FINISHED]));
    expect(result).toMatchObject({ status: "lost", reason: expect.stringContaining("ENOENT") });
    expect(statuses(result)).toEqual(["lost", "accepted"]);
  });

  test("waits for the checker where there is one, and tells no test until then", () => {
    const checker = { language: "python", code: "x", inputs: ["", "", ""] };
    const grading = graded(["a", null, "c"], { comparison: { mode: "checker" }, checker });
    const events = play(grading, [...ran(0, "x"), ...ran(1, "x"), ...ran(2, "x", { exit_code: 1 }), FINISHED]);
    expect(statuses(resultOf(events))).toEqual(["unchecked", "accepted", "failed"]);
    expect(events.map(({ type }) => type)).toEqual(["stage_started", "finished"]);
  });
});

describe("with stopOnFailure", () => {
  const grading = graded(["a", "b", "c"], { stopOnFailure: true });

  test("the first failure is the end, whatever else the runner says", () => {
    const frames = [...ran(0, "a"), ...ran(1, "x"), ...ran(2, "c"), FINISHED];
    const recording = new Recording({ ...RUN, grading });
    for (const [index, frame] of frames.entries()) recording.add(frame, JSON.stringify(frame), at(index));
    expect(statuses(resultOf(recording.events))).toEqual(["accepted", "wrong_answer", "skipped"]);
    expect(recording.result?.finishedAt).toEqual(at(5));
    const again = Recording.parse({ ...RUN, grading }, recording.serialize());
    expect(again.events).toEqual(recording.events);
  });

  test("without a failure all have their turn", () => {
    const result = resultOf(play(grading, [...ran(0, "a"), ...ran(1, "b"), ...ran(2, "c"), FINISHED]));
    expect(result).toMatchObject({ status: "succeeded", tests: { verdict: "accepted" } });
  });
});
