import { createRun } from "./create-run.ts";
import { afterFailure, runStatusOf, verdictOf } from "./grading.ts";
import type { Language } from "./languages.ts";
import type { LimitBounds } from "./limits.ts";
import type { ProgramFile, ProgramTest } from "./program.ts";
import { runId } from "./run.ts";
import type { Run, RunId, RunResult, Tenant, TestResult, TestStatus } from "./run.ts";

/** What the tests of one run of a checker may have together, in bytes: a Job of a cluster has little more room. */
const MAX_BATCH_BYTES = 768 * 1024;

/** What a checker is to say of one output. */
export interface Check {
  /** Of the test. */
  index: number;
  input: string;
  expected: string;
  output: Uint8Array;
}

/** The outputs that wait for the checker, in parts that one run of it can take each. */
export function batchesOf({ tests }: RunResult): Check[][] {
  const batches: Check[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const { index, status, stdout } of tests?.results ?? []) {
    if (status !== "unchecked") continue;
    const [input, expected] = [tests?.grading.checker?.inputs[index] ?? "", tests?.grading.expectations[index] ?? ""];
    const own = Buffer.byteLength(input) + Buffer.byteLength(expected) + stdout.length;
    if (bytes + own > MAX_BATCH_BYTES) {
      batches.push([]);
      bytes = 0;
    }
    batches.at(-1)?.push({ index, input, expected, output: stdout });
    bytes += own;
  }
  return batches;
}

function filesOf({ input, expected, output }: Check): ProgramFile[] {
  return [
    { name: "input", content: Buffer.from(input) },
    { name: "expected", content: Buffer.from(expected) },
    { name: "output", content: output },
  ];
}

/** The run of a checker for one batch of a run's outputs: a test for each, graded by how it ends. */
export function checkRun(
  result: RunResult,
  { checks, place }: { checks: readonly Check[]; place: number },
  tenant: Tenant,
  language: Language,
  bounds: LimitBounds,
): Run {
  const code = result.tests?.grading.checker?.code ?? "";
  const request = { language: language.name, code, tests: checks.map(() => ({})) };
  const unbounded = { maxProgramBytes: Number.MAX_SAFE_INTEGER, maxStdinBytes: 0 };
  const id = checkRunId(result, place, tenant);
  const run = createRun(request, language, bounds, unbounded, { tenant, durable: true, id, version: null });
  const tests: ProgramTest[] = [];
  for (const [index, test] of (run.program.tests ?? []).entries())
    tests.push({ ...test, files: checks.slice(index, index + 1).flatMap(filesOf) });
  return { ...run, program: { ...run.program, tests } };
}

/** The same for the same batch, whoever asks: no output is judged twice. */
export function checkRunId({ id }: RunResult, place: number, tenant: Tenant): RunId {
  return runId(`${tenant}\0checker`, `${id}/${place}`);
}

const MAX_QUOTED_CHARACTERS = 500;

function quote(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString("utf8").trim();
  return text === "" ? "" : `: ${text.slice(0, MAX_QUOTED_CHARACTERS)}`;
}

/** What a run of the checker says: the status of each test, and why the checker failed, if it did. */
export interface Judgement {
  statuses: ReadonlyMap<number, TestStatus>;
  reason: string | null;
}

/** Exit code 0 is accepted, 1 is wrong_answer; any other end is the checker's failure. */
export function judge(checks: readonly Check[], ended: RunResult): Judgement {
  let reason: string | null = null;
  const statuses = new Map<number, TestStatus>();
  for (const [place, { index }] of checks.entries()) {
    const test = ended.tests?.results[place];
    const isWrong = test?.status === "failed" && test.exitCode === 1;
    if (test?.status === "accepted" || isWrong) {
      statuses.set(index, isWrong ? "wrong_answer" : "accepted");
      continue;
    }
    statuses.set(index, "checker_failed");
    const ran = test !== undefined && test.status !== "skipped";
    reason ??= ran
      ? `the checker ended as ${test.status} at test ${index}${quote(test.stderr)}`
      : `the checker ended as ${ended.status}${ended.reason === null ? "" : ` (${ended.reason})`}${quote(ended.compile?.stderr ?? new Uint8Array())}`;
  }
  return { statuses, reason };
}

/** That the checker could not be run at all. */
export function refusedChecks(checks: readonly Check[], problem: string): Judgement {
  const statuses = new Map(checks.map(({ index }): [number, TestStatus] => [index, "checker_failed"]));
  return { statuses, reason: `the checker could not be run: ${problem}` };
}

/** The result with the checker's word on every test. */
export function checkedResult(result: RunResult, judgements: readonly Judgement[]): RunResult {
  const { tests } = result;
  if (tests === undefined) return result;
  const statusOf = (test: TestResult): TestStatus =>
    judgements.map(({ statuses }) => statuses.get(test.index)).find((status) => status !== undefined) ?? test.status;
  const judged = tests.results.map((test) => ({ ...test, status: statusOf(test) }));
  const results = afterFailure(judged, tests.grading.stopOnFailure);
  const hasEnded = result.status === "succeeded" || result.status === "failed";
  const status = hasEnded ? runStatusOf(results) : result.status;
  const reason = result.reason ?? judgements.find((each) => each.reason !== null)?.reason ?? null;
  return { ...result, status, reason, tests: { ...tests, results, verdict: verdictOf(results, status) } };
}

/** Whether tests of the run still wait for its checker. */
export function waitsForChecker({ tests }: RunResult): boolean {
  return tests?.results.some(({ status }) => status === "unchecked") === true;
}
