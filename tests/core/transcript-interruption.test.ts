import { describe, expect, test } from "vitest";

import { Transcript } from "../../core/transcript.ts";
import { COMPILED, INTERRUPTIONS, RUN, at, ended, output, play, resultOf, started } from "./transcript-play.ts";

describe.each(INTERRUPTIONS)("an interruption as $status", (interruption) => {
  const { status } = interruption;
  const reason = interruption.status === "lost" ? interruption.reason : null;
  const limit = interruption.status === "memory_limit" ? "memory" : null;

  test("before the first stage leaves no stages", () => {
    const events = play([], interruption);
    expect(events.map((event) => [event.seq, event.type])).toEqual([[0, "finished"]]);
    expect(resultOf(events)).toMatchObject({
      status,
      reason,
      compile: null,
      run: null,
      startedAt: null,
      finishedAt: at(0),
    });
  });

  test.each(["compile", "run"] as const)("in the %s stage ends it with what it had written", (stage) => {
    const events = play([started(stage), output("stdout", "so far")], interruption);
    expect(events.map((event) => event.type)).toEqual(["stage_started", "output", "stage_ended", "finished"]);
    const result = resultOf(events);
    expect(result).toMatchObject({ status, reason, startedAt: at(0), finishedAt: at(2) });
    expect(result[stage]).toEqual({
      exitCode: null,
      signal: "SIGKILL",
      limit,
      wallMs: 2000,
      cpuMs: null,
      memoryBytes: null,
      stdoutTruncated: false,
      stderrTruncated: false,
      stdout: Buffer.from("so far"),
      stderr: Buffer.alloc(0),
    });
  });

  test("between the stages keeps the first", () => {
    const result = resultOf(play(COMPILED, interruption));
    expect(result).toMatchObject({ status, reason, compile: { exitCode: 0, limit: null }, run: null });
  });

  test("after the last stage keeps what it did", () => {
    const result = resultOf(play([started("run"), ended("run", { exit_code: 0 })], interruption));
    expect(result).toMatchObject({ status, reason, run: { exitCode: 0, limit: null } });
  });

  test("never gives a negative time, should the clock go back", () => {
    const transcript = new Transcript(RUN);
    transcript.add(started("run"), at(5));
    expect(resultOf(transcript.interrupt(interruption, at(0))).run?.wallMs).toBe(0);
  });
});
