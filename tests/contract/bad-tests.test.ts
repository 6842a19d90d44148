import { describe } from "vitest";

import type { RequestBody } from "../support/client.ts";
import { contractTest } from "../support/contract.ts";
import { expectRefusal } from "../support/refusals.ts";
import type { ExpectedRefusal } from "../support/refusals.ts";

const MAX_PROGRAM_BYTES = 20_000;
const test = contractTest({ CPU_LIMIT: "1", MAX_PROGRAM_BYTES: String(MAX_PROGRAM_BYTES), MAX_STDIN_BYTES: "5000" });

const LONE = "a\uD800b";
const CHECKER = { mode: "checker", language: "python", code: "print()" };

type Case = [what: string, request: RequestBody, expected: Partial<ExpectedRefusal> & { field: string }];

function one(wrong: Record<string, unknown>, field: string, says?: RegExp): Case {
  return [JSON.stringify(wrong).slice(0, 60), { tests: [{}, wrong] }, { field, ...(says && { says }) }];
}

function compared(comparison: unknown, field: string, says?: RegExp): Case {
  return [JSON.stringify(comparison).slice(0, 60), { tests: [{}], comparison }, { field, ...(says && { says }) }];
}

const CASES: Case[] = [
  ["no tests", { tests: [] }, { field: "tests", says: /empty/ }],
  ["201 tests", { tests: Array.from({ length: 201 }, () => ({})) }, { field: "tests", says: /200/ }],
  ["tests that are none", { tests: {} }, { field: "tests", says: /array/ }],
  ["null", { tests: null }, { field: "tests" }],
  ["a test that is none", { tests: ["1"] }, { field: "tests[0]", says: /object/ }],
  one({ stdin: 1 }, "tests[1].stdin", /string/),
  one({ stdin: LONE }, "tests[1].stdin", /surrogate/),
  one({ expected_stdout: null }, "tests[1].expected_stdout", /string/),
  one({ expected_stdout: LONE }, "tests[1].expected_stdout", /surrogate/),
  one({ expected: "x" }, "tests[1].expected", /known are stdin, expected_stdout, args, limits/),
  one({ args: "x" }, "tests[1].args", /array/),
  one({ args: ["a", 1] }, "tests[1].args[1]", /string/),
  one({ args: ["a\0"] }, "tests[1].args[0]", /NUL/),
  one({ args: Array.from({ length: 257 }, () => "") }, "tests[1].args", /256/),
  one({ limits: { wall_ms: 0 } }, "tests[1].limits.wall_ms", /from 1 to/),
  one({ limits: { wall_ms: 1e9 } }, "tests[1].limits.wall_ms", /from 1 to/),
  one({ limits: { memory_bytes: 1.5 } }, "tests[1].limits.memory_bytes", /integer/),
  one({ limits: { work_bytes: 1_000_000 } }, "tests[1].limits.work_bytes", /known are wall_ms/),
  one({ limits: { compile_wall_ms: 100 } }, "tests[1].limits.compile_wall_ms", /known/),
  one({ stdin: "x".repeat(6000) }, "tests[1].stdin"),
  compared("lines", "comparison", /object/),
  compared({}, "comparison.mode", /exact, lines/),
  compared({ mode: "regex" }, "comparison.mode", /exact, lines, tokens, float, checker/),
  compared({ mode: "float", tolerance: -1 }, "comparison.tolerance", /from 0 to 1/),
  compared({ mode: "float", tolerance: 2 }, "comparison.tolerance", /from 0 to 1/),
  compared({ mode: "float", tolerance: "0.1" }, "comparison.tolerance", /number/),
  compared({ mode: "lines", tolerance: 0.1 }, "comparison.tolerance", /only for the mode float/),
  compared({ mode: "exact", code: "x" }, "comparison.code", /only for the mode checker/),
  compared({ mode: "checker", code: "x" }, "comparison.language", /missing/),
  compared({ mode: "checker", language: "python" }, "comparison.code", /missing/),
  compared({ ...CHECKER, code: "" }, "comparison.code", /empty/),
  compared({ ...CHECKER, code: LONE }, "comparison.code", /surrogate/),
  compared({ ...CHECKER, files: [] }, "comparison.files", /known/),
  [
    "stop_on_failure that is no boolean",
    { tests: [{}], stop_on_failure: 1 },
    { field: "stop_on_failure", says: /true or false/ },
  ],
  ["a comparison without tests", { comparison: { mode: "exact" } }, { field: "comparison", says: /tests/ }],
  ["stop_on_failure without tests", { stop_on_failure: true }, { field: "stop_on_failure", says: /tests/ }],
  [
    "a checker in an unknown language",
    { tests: [{}], comparison: { ...CHECKER, language: "cobol" } },
    { code: "unknown_language", field: "comparison.language", says: /bash/ },
  ],
];

describe("tests that can't be run", () => {
  test.for(CASES)("are refused by name: %s", async ([, request, expected], { api }) => {
    const tooLarge = request["tests"] !== undefined && JSON.stringify(request).length > 5000;
    const refusal =
      tooLarge && expected.field.endsWith("stdin")
        ? { status: 413, code: "program_too_large" }
        : { status: 400, code: "invalid_request" };
    const body = { language: "bash", code: "cat", ...request };
    await expectRefusal(api, () => api.post("/api/run/sync", body), { ...refusal, ...expected });
  });

  const filled = (bytes: number) => ({ stdin: "x".repeat(bytes / 2), expected_stdout: "y".repeat(bytes / 2) });

  test("count against the size of the program", async ({ api }) => {
    const many = (count: number) => ({
      language: "bash",
      code: "cat >&2",
      tests: Array.from({ length: count }, () => filled(4000)),
    });
    await api.run(many(4));
    await expectRefusal(api, () => api.post("/api/run/sync", many(5)), {
      status: 413,
      code: "program_too_large",
      field: "tests",
      says: /20000 are allowed/,
    });
  });

  test("count with their arguments and their checker", async ({ api }) => {
    const tests = [{ args: ["x".repeat(15_000)] }];
    const comparison = { ...CHECKER, code: `#${"x".repeat(10_000)}` };
    await expectRefusal(api, () => api.post("/api/run", { language: "bash", code: "cat", tests, comparison }), {
      status: 413,
      code: "program_too_large",
      field: "tests",
    });
  });
});
