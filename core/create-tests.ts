import { expectationOf } from "./comparison.ts";
import type { Comparison } from "./comparison.ts";
import { ServiceError, invalid } from "./errors.ts";
import type { Grading } from "./grading.ts";
import type { LimitBounds } from "./limits.ts";
import type { ProgramTest, TestLimits } from "./program.ts";
import { checkArguments, checkLimits, checkStdin, wellFormed } from "./validators.ts";
import type { ComparisonRequest, RequestBounds, RunRequest, TestRequest } from "./validators.ts";

export const MAX_TESTS = 200;
const DEFAULT_TOLERANCE = 1e-6;

/** What the run says of its tests: its own limits, arguments and input are the defaults of each. */
export interface TestsContext {
  limits: LimitBounds;
  request: RequestBounds;
  programBytes: number;
  /** The command of a test with these limits, without arguments. */
  command: (limits: TestLimits) => readonly string[];
  args: readonly string[];
  stdin: Uint8Array;
}

export interface Tests {
  tests: ProgramTest[];
  grading: Grading;
}

function checkComparison(asked: ComparisonRequest = { mode: "lines" }): Comparison {
  const { mode, tolerance = DEFAULT_TOLERANCE, language, code } = asked;
  if (asked.tolerance !== undefined && mode !== "float")
    throw invalid("comparison.tolerance", "is only for the mode float");
  if (language !== undefined && mode !== "checker")
    throw invalid("comparison.language", "is only for the mode checker");
  if (code !== undefined && mode !== "checker") throw invalid("comparison.code", "is only for the mode checker");
  if (mode === "float" && !(tolerance >= 0 && tolerance <= 1))
    throw invalid("comparison.tolerance", "a number from 0 to 1 is wanted", "0..1");
  if (mode === "checker" && language === undefined)
    throw invalid("comparison.language", "is missing; the language of the checker is wanted");
  if (mode === "checker" && (code === undefined || code === ""))
    throw invalid("comparison.code", `is ${code === undefined ? "missing" : "empty"}; the checker's program is wanted`);
  wellFormed(code ?? "", "comparison.code");
  return mode === "float" ? { mode, tolerance } : { mode };
}

function checkTest(test: TestRequest, index: number, context: TestsContext): ProgramTest {
  const field = `tests[${index}]`;
  const { stdin, args, expected_stdout: expected } = test;
  const limits = checkLimits(test.limits, context.limits, `${field}.limits`);
  if (expected !== undefined) wellFormed(expected, `${field}.expected_stdout`);
  const own = args !== undefined || limits.memory_bytes !== context.limits.default.memory_bytes;
  return {
    command: own
      ? [...context.command(limits), ...(args === undefined ? context.args : checkArguments(args, `${field}.args`))]
      : undefined,
    stdin: stdin === undefined ? undefined : checkStdin(stdin, context.request, `${field}.stdin`),
    files: [],
    limits,
  };
}

/** `inherited` is the input that every test without one of its own keeps a copy of. */
function checkSize(tests: readonly TestRequest[], code: string, inherited: string, context: TestsContext): void {
  const bytesOf = (text = ""): number => Buffer.byteLength(text);
  const bytes = tests.reduce(
    (total, { stdin = inherited, expected_stdout, args = [] }) => {
      return args.reduce((sum, argument) => sum + bytesOf(argument), total + bytesOf(stdin) + bytesOf(expected_stdout));
    },
    bytesOf(code) + context.programBytes,
  );
  const allowed = context.request.maxProgramBytes;
  if (bytes <= allowed) return;
  throw new ServiceError(
    "program_too_large",
    `tests: have ${bytes} bytes together with the program; ${allowed} are allowed`,
    { field: "tests", allowed },
  );
}

/** The tests that a request asks for, and how they are graded; undefined when there are none. Throws `ServiceError`. */
export function checkTests(request: RunRequest, context: TestsContext): Tests | undefined {
  const { tests, stop_on_failure: stopOnFailure = false } = request;
  if (tests === undefined) {
    for (const field of ["comparison", "stop_on_failure"] as const)
      if (request[field] !== undefined) throw invalid(field, "is only for a run with tests");
    return undefined;
  }
  if (tests.length === 0) throw invalid("tests", "is empty; leave it out to run the program once");
  if (tests.length > MAX_TESTS) throw invalid("tests", `are more than ${MAX_TESTS}`, MAX_TESTS);
  const comparison = checkComparison(request.comparison);
  const { language, code } = request.comparison ?? {};
  const stdin = Buffer.from(context.stdin).toString("utf8");
  checkSize(tests, code ?? "", comparison.mode === "checker" ? stdin : "", context);
  const programTests = tests.map((test, index) => checkTest(test, index, context));
  const expectations = tests.map(({ expected_stdout: expected }) =>
    expected === undefined ? null : expectationOf(comparison, expected),
  );
  const checker =
    language === undefined || code === undefined
      ? undefined
      : { language, code, inputs: tests.map((test) => test.stdin ?? stdin) };
  return { tests: programTests, grading: { comparison, stopOnFailure, expectations, checker } };
}
