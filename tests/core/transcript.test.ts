import fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { SequencedFrame } from "../../core/frames.ts";
import type { FinalStatus, LimitHit, RunResult } from "../../core/run.ts";
import { frames } from "./frame-arbitraries.ts";
import {
  COMPILED,
  CREATED,
  FINISHED,
  INTERRUPTIONS,
  at,
  ended,
  output,
  play,
  resultOf,
  started,
} from "./transcript-play.ts";
import type { Ending } from "./transcript-play.ts";

test("a run of one stage becomes its events and its result", () => {
  const events = play([
    started("run"),
    output("stdout", "a\xff"),
    output("stderr", "e"),
    output("stdout", "\0b"),
    ended("run", { exit_code: 3, stdout_truncated: true }),
    FINISHED,
  ]);
  const usage = {
    exitCode: 3,
    signal: null,
    limit: null,
    wallMs: 1234,
    cpuMs: 7,
    memoryBytes: 4096,
    stdoutTruncated: true,
    stderrTruncated: false,
  };
  const result: RunResult = {
    id: "r",
    language: "c",
    version: "12",
    status: "failed",
    reason: null,
    compile: null,
    run: { ...usage, stdout: Buffer.from("a\xff\0b", "latin1"), stderr: Buffer.from("e") },
    createdAt: CREATED,
    startedAt: at(0),
    finishedAt: at(5),
  };
  expect(events).toEqual([
    { seq: 0, type: "stage_started", stage: "run" },
    { seq: 1, type: "output", stage: "run", stream: "stdout", bytes: Buffer.from("a\xff", "latin1") },
    { seq: 2, type: "output", stage: "run", stream: "stderr", bytes: Buffer.from("e") },
    { seq: 3, type: "output", stage: "run", stream: "stdout", bytes: Buffer.from("\0b") },
    { seq: 4, type: "stage_ended", stage: "run", usage },
    { seq: 5, type: "finished", result },
  ]);
});

test("a run of two stages keeps their output apart, and starts with the first", () => {
  const result = resultOf(
    play([...COMPILED, started("run"), output("stdout", "hi"), ended("run", { exit_code: 0 }), FINISHED]),
  );
  expect(result).toMatchObject({ status: "succeeded", reason: null, startedAt: at(0), finishedAt: at(6) });
  expect([result.compile, result.run].map((stage) => [String(stage?.stdout), String(stage?.stderr)])).toEqual([
    ["", "warning"],
    ["hi", ""],
  ]);
});

test("figures that the kernel does not show stay unknown", () => {
  const result = resultOf(
    play([started("run"), { ...ended("run", { exit_code: 0 }), cpu_us: null, memory_bytes: null }, FINISHED]),
  );
  expect(result.run).toMatchObject({ cpuMs: null, memoryBytes: null });
});

const LIMITS: [LimitHit, FinalStatus][] = [
  ["wall", "time_limit"],
  ["cpu", "cpu_limit"],
  ["memory", "memory_limit"],
  ["processes", "process_limit"],
  ["output", "output_limit"],
  ["file_size", "signaled"],
  ["inodes", "signaled"],
];
/** Every way in which a stage ends, with the status that this gives the run for a compile and for a run stage. */
const ENDINGS: [Ending, compile: FinalStatus | null, run: FinalStatus][] = [
  [{ exit_code: 0 }, null, "succeeded"],
  [{ exit_code: 1 }, "compile_failed", "failed"],
  [{ exit_code: 255 }, "compile_failed", "failed"],
  [{ signal: "SIGSEGV" }, "compile_failed", "signaled"],
  [{ signal: "SIGKILL" }, "compile_failed", "signaled"],
  [{ error: "ENOENT" }, "lost", "lost"],
  [{ error: "EACCES", limit: "wall" }, "lost", "lost"],
  ...LIMITS.flatMap(([limit, status]): [Ending, FinalStatus, FinalStatus][] =>
    [{ signal: "SIGKILL" }, { exit_code: 0 }, { exit_code: 137 }].map((ending) => [
      { ...ending, limit },
      status,
      status,
    ]),
  ),
];

test.each(ENDINGS)("a compile stage that ends with %j gives the status %s", (ending, status) => {
  const events = play([started("compile"), ended("compile", ending), FINISHED]);
  if (status !== null) expect(resultOf(events)).toMatchObject({ status, run: null });
});

test.each(ENDINGS)("a run stage that ends with %j gives the status %s, or %s", (ending, _, status) => {
  for (const before of [[], COMPILED]) {
    expect(resultOf(play([...before, started("run"), ended("run", ending), FINISHED])).status).toBe(status);
  }
});

test.each(["compile", "run"] as const)("a %s command that can't be started is lost, with its reason", (stage) => {
  const result = resultOf(play([started(stage), ended(stage, { error: "ENOENT" }), FINISHED]));
  expect(result).toMatchObject({ status: "lost", reason: `the ${stage} command could not be started: ENOENT` });
});

test.each<[string, SequencedFrame[]]>([
  ["without having run anything", [FINISHED]],
  ["after it had only compiled", [...COMPILED, FINISHED]],
])("a runner that finishes %s has lost the run, and the result says so", (_, list) => {
  const result = resultOf(play(list));
  expect(result.status).toBe("lost");
  expect(result.reason).toMatch(/\w/);
});

test("a runner that fails has lost the run, with what it said", () => {
  const result = resultOf(
    play([started("run"), output("stdout", "x"), { type: "failed", seq: 0, message: "mount: EPERM" }]),
  );
  expect(result).toMatchObject({ status: "lost", reason: "the runner failed: mount: EPERM" });
  expect(String(result.run?.stdout)).toBe("x");
});

test("output outside a stage belongs to nothing", () => {
  expect(play([output("stdout", "x")])).toEqual([]);
  const result = resultOf(
    play([...COMPILED, output("stdout", "x"), started("run"), ended("run", { exit_code: 0 }), FINISHED]),
  );
  expect([String(result.compile?.stdout), String(result.run?.stdout)]).toEqual(["", ""]);
});

describe("whatever the runner writes", () => {
  const sequenced = frames.map((list) => list.filter((frame) => frame.type !== "ready" && frame.type !== "fed"));
  const perhaps = fc.option(fc.constantFrom(...INTERRUPTIONS), { nil: undefined });

  test("events are numbered from 0 without gaps", () => {
    fc.assert(
      fc.property(sequenced, perhaps, (list, interruption) => {
        const events = play(list, interruption);
        expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index));
      }),
    );
  });

  test("the same frames give the same events", () => {
    fc.assert(
      fc.property(sequenced, perhaps, (list, interruption) => {
        expect(play(list, interruption)).toEqual(play(list, interruption));
      }),
    );
  });

  test("a result's output is what was written, stream by stream", () => {
    const written = fc.array(
      fc.record({ stream: fc.constantFrom("stdout", "stderr"), bytes: fc.uint8Array({ maxLength: 20 }) }),
    );
    fc.assert(
      fc.property(written, (pieces) => {
        const outputs = pieces.map(({ stream, bytes }) => output(stream, Buffer.from(bytes).toString("latin1")));
        const { run } = resultOf(
          play([...COMPILED, started("run"), ...outputs, ended("run", { exit_code: 0 }), FINISHED]),
        );
        for (const stream of ["stdout", "stderr"] as const) {
          const expected = pieces.filter((piece) => piece.stream === stream).map((piece) => piece.bytes);
          expect(run?.[stream]).toEqual(Buffer.concat(expected));
        }
      }),
    );
  });

  test("no result is lost without a reason", () => {
    fc.assert(
      fc.property(sequenced, (list) => {
        for (const event of play(list)) {
          if (event.type === "finished" && event.result.status === "lost") expect(event.result.reason).not.toBeNull();
        }
      }),
    );
  });
});
