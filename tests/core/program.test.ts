import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { LIMITS, LIMIT_NAMES, limitsFrom } from "../../core/limits.ts";
import { encodeProgram } from "../../core/program.ts";
import type { Program } from "../../core/program.ts";
import { readProgram } from "./program-reader.ts";

const text = fc.string({ unit: "binary" });
const bytes = fc.uint8Array({ maxLength: 200 }).map((content) => Buffer.from(content));
const milliseconds = fc.integer({ min: 1, max: Math.floor(Number.MAX_SAFE_INTEGER / 1000) });

function stage(name: "compile" | "run") {
  return fc.record({
    name: fc.constant(name),
    command: fc.array(text, { minLength: 1, maxLength: 5 }),
    environment: fc.dictionary(fc.stringMatching(/^[A-Za-z_]\w{0,10}$/), text, { maxKeys: 5 }),
    stdin: bytes,
    wallMs: milliseconds,
    cpuMs: milliseconds,
    memoryBytes: fc.maxSafeNat(),
  });
}

const files = fc.array(fc.record({ name: text, content: bytes }), { maxLength: 5 });
const testLimits = fc.record({
  wall_ms: milliseconds,
  cpu_ms: milliseconds,
  memory_bytes: fc.maxSafeNat(),
  open_files: fc.maxSafeNat(),
  file_bytes: fc.maxSafeNat(),
  output_bytes: fc.maxSafeNat(),
});

const program: fc.Arbitrary<Program> = fc.record({
  files,
  network: fc.boolean(),
  tests: fc.array(
    fc.record({
      command: fc.option(fc.array(text, { minLength: 1, maxLength: 5 }), { nil: undefined }),
      stdin: fc.option(bytes, { nil: undefined }),
      files,
      limits: testLimits,
    }),
    { maxLength: 4 },
  ),
  stages: fc.oneof(fc.tuple(stage("run")), fc.tuple(stage("compile"), stage("run"))),
  limits: fc.array(fc.maxSafeNat(), { minLength: LIMIT_NAMES.length, maxLength: LIMIT_NAMES.length }).map((values) => {
    return limitsFrom((name) => values[LIMIT_NAMES.indexOf(name)] ?? 0);
  }),
});

describe("encodeProgram", () => {
  test("carries every program to a reader of the documented format", () => {
    fc.assert(
      fc.property(program, fc.boolean(), (original, processRlimit) => {
        const { limits } = original;
        expect(readProgram(encodeProgram(original, { processRlimit }))).toEqual({
          files: original.files,
          workBytes: limits.work_bytes,
          workInodes: limits.work_inodes,
          network: original.network,
          stages: original.stages.map(({ name, command, environment, stdin, wallMs, cpuMs, memoryBytes }) => ({
            kind: name === "compile" ? "c" : "r",
            command,
            environment: Object.entries(environment).map(([key, value]) => `${key}=${value}`),
            stdin,
            limits: {
              wallUs: wallMs * 1000,
              cpuUs: cpuMs * 1000,
              memoryBytes,
              openFiles: limits.open_files,
              fileBytes: limits.file_bytes,
              outputBytes: limits.output_bytes,
              ...(processRlimit ? { processes: limits.processes } : {}),
            },
          })),
          tests: (original.tests ?? []).map(({ command = [], limits: own, ...rest }) => ({
            ...rest,
            command,
            limits: {
              wallUs: own.wall_ms * 1000,
              cpuUs: own.cpu_ms * 1000,
              memoryBytes: own.memory_bytes,
              openFiles: own.open_files,
              fileBytes: own.file_bytes,
              outputBytes: own.output_bytes,
            },
          })),
        });
      }),
    );
  });

  test("is the same bytes each time", () => {
    fc.assert(
      fc.property(program, (original) => {
        const options = { processRlimit: true };
        expect(encodeProgram(original, options).equals(encodeProgram(original, options))).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  test("writes no stdin record for an empty stdin, of which the format allows at most one", () => {
    const limits = limitsFrom((name) => LIMITS[name].default);
    const run = { name: "run" as const, command: ["x"], environment: {}, wallMs: 1, cpuMs: 1, memoryBytes: 1 };
    const size = (stdin: Buffer): number =>
      encodeProgram({ files: [], limits, stages: [{ ...run, stdin }] }, { processRlimit: false }).length;
    expect(size(Buffer.of(0)) - size(Buffer.alloc(0))).toBe(1 + 4 + 1);
  });
});
