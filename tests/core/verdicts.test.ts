import { describe, expect, test } from "vitest";

import type { FinalStatus, LimitHit } from "../../core/run.ts";
import { stageVerdict } from "../../core/verdicts.ts";

const LIMITS: [NonNullable<LimitHit>, FinalStatus][] = [
  ["wall", "time_limit"],
  ["cpu", "cpu_limit"],
  ["memory", "memory_limit"],
  ["processes", "process_limit"],
  ["output", "output_limit"],
  ["file_size", "signaled"],
  ["inodes", "signaled"],
];
const ENDINGS: [exitCode: number | null, signal: string | null][] = [
  [0, null],
  [1, null],
  [255, null],
  [null, "SIGKILL"],
  [null, "SIGXFSZ"],
  [null, "SIGSEGV"],
];

describe.each(["compile", "run"] as const)("the %s stage", (stage) => {
  describe.each(LIMITS)("ended by its limit %s", (limit, status) => {
    test.each(ENDINGS)(`with exit code %s and signal %s is ${status}`, (exitCode, signal) => {
      expect(stageVerdict(stage, { exitCode, signal, limit })).toBe(status);
    });
  });
});

test.each<["compile" | "run", number | null, string | null, FinalStatus | null]>([
  ["compile", 0, null, null],
  ["compile", 1, null, "compile_failed"],
  ["compile", 255, null, "compile_failed"],
  ["compile", null, "SIGSEGV", "compile_failed"],
  ["run", 0, null, "succeeded"],
  ["run", 1, null, "failed"],
  ["run", 255, null, "failed"],
  ["run", null, "SIGSEGV", "signaled"],
  ["run", null, "SIGKILL", "signaled"],
])("the %s stage with exit code %s and signal %s is %s", (stage, exitCode, signal, status) => {
  expect(stageVerdict(stage, { exitCode, signal, limit: null })).toBe(status);
});
