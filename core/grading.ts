import { meets } from "./comparison.ts";
import type { Comparison } from "./comparison.ts";
import type { FinalStatus, StageResult, TestResult, TestStatus } from "./run.ts";
import { stageVerdict } from "./verdicts.ts";

/** The program that judges outputs, as its caller sent it, and what it needs of each test besides the output. */
export interface Checker {
  /** The language's canonical name. */
  language: string;
  code: string;
  inputs: readonly string[];
}

/** What decides about a run's tests. It is kept where no program can read it, and as little of it as is enough. */
export interface Grading {
  comparison: Comparison;
  stopOnFailure: boolean;
  /** By test, what `expectationOf` made; null where a test expects nothing but to end well. */
  expectations: readonly (string | null)[];
  /** Undefined unless it is the mode of comparison. */
  checker?: Checker | undefined;
}

/** A test that did not run. */
function withoutRun(index: number, status: TestStatus): TestResult {
  return {
    index,
    status,
    stdout: new Uint8Array(),
    stderr: new Uint8Array(),
    exitCode: null,
    signal: null,
    limit: null,
    wallMs: 0,
    cpuMs: null,
    memoryBytes: null,
    stdoutTruncated: false,
    stderrTruncated: false,
  };
}

/** The status of a test that has ended by itself or at a limit. */
function statusOf({ comparison, expectations }: Grading, index: number, ending: StageResult): TestStatus {
  const status = stageVerdict("run", ending);
  if (status === null) return "lost";
  if (status !== "succeeded") return status;
  const expectation = expectations[index] ?? null;
  if (expectation === null) return "accepted";
  if (comparison.mode === "checker") return "unchecked";
  return meets(comparison, expectation, ending.stdout) ? "accepted" : "wrong_answer";
}

/** The results of a run's tests, as they end. */
export class GradedTests {
  readonly #grading: Grading;
  readonly #results: TestResult[] = [];

  constructor(grading: Grading) {
    this.#grading = grading;
  }

  /** Grades a test's end; `status` says why it was ended from outside. */
  add(ending: StageResult, status?: TestStatus): TestResult {
    const index = this.#results.length;
    const result = { index, ...ending, status: status ?? statusOf(this.#grading, index, ending) };
    this.#results.push(result);
    return result;
  }

  get next(): number {
    return this.#results.length;
  }

  /** Whether nothing that may follow counts any more. */
  get isDecided(): boolean {
    const last = this.#results.at(-1);
    return this.#grading.stopOnFailure && last !== undefined && !isGood(last.status);
  }

  /** All tests, those that did not run as `skipped`. */
  results(): TestResult[] {
    const missing = this.#grading.expectations.slice(this.#results.length);
    return [...this.#results, ...missing.map((_, index) => withoutRun(this.#results.length + index, "skipped"))];
  }
}

function isGood(status: TestStatus): boolean {
  return status === "accepted" || status === "unchecked";
}

/** The verdict on all tests: that of the first one that is not accepted, or their run's where none could run. */
export function verdictOf(tests: readonly TestResult[], run: FinalStatus): TestStatus {
  const first = tests.find(({ status }) => status !== "accepted" && status !== "skipped");
  return first?.status ?? (run === "succeeded" ? "accepted" : run);
}

/** The status of a run whose tests all had their turn. */
export function runStatusOf(tests: readonly TestResult[]): FinalStatus {
  return tests.every(({ status }) => isGood(status)) ? "succeeded" : "failed";
}

/** With `stopOnFailure`, what follows the first failure counts as not run. */
export function afterFailure(tests: readonly TestResult[], stopOnFailure: boolean): TestResult[] {
  const first = tests.findIndex(({ status }) => !isGood(status));
  if (!stopOnFailure || first === -1) return [...tests];
  return tests.map((test) => (test.index > first ? withoutRun(test.index, "skipped") : test));
}
