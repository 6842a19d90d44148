import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join, relative } from "node:path";

import { z } from "zod";

export const ROOT = join(import.meta.dirname, "..");
const REPORT = join(ROOT, ".cache/test/vitest.json");

/** A program with its arguments. */
export type Command = readonly [program: string, ...words: string[]];

export interface Count {
  passed: number;
  failed: number;
}

/** What is read of vitest's JSON report. */
const VITEST_REPORT = z.object({
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  testResults: z.array(
    z.object({ name: z.string(), status: z.string(), assertionResults: z.array(z.object({ status: z.string() })) }),
  ),
});

let running: ChildProcess | undefined;

/** Runs a command of the repository with this process's output; true when it ended with 0 within its time. */
export async function succeeds(
  [program, ...words]: Command,
  timeoutMs: number,
  environment: Readonly<Record<string, string>> = {},
): Promise<boolean> {
  const child = spawn(program, words, {
    cwd: ROOT,
    env: { ...process.env, ...environment, PATH: `${join(ROOT, "node_modules/.bin")}:${process.env.PATH}` },
    stdio: ["ignore", "inherit", "inherit"],
    timeout: timeoutMs,
  });
  running = child;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  child.once("error", (error) => {
    console.log(error.message);
    resolve(false);
  });
  child.once("close", (code, signal) => {
    if (signal !== null) console.log(`${program} was ended by ${signal}`);
    resolve(code === 0);
  });
  return await promise;
}

/** Says how a check went and how long it took since `startMs`. */
export function report(name: string, passed: boolean, startMs: number): void {
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  console.log(`${passed ? "ok" : "FAILED"} ${name} (${seconds} s)`);
}

export interface TestRun {
  /** The tests whose path contains one of them are run; all when there is none. */
  filters: readonly string[];
  /** Further options of vitest. */
  options?: readonly string[];
  timeoutMs: number;
  environment?: Readonly<Record<string, string>>;
}

/** Runs tests and counts them. */
export async function runTests(
  { filters, options = [], timeoutMs, environment }: TestRun,
  count: Count,
): Promise<void> {
  const startMs = performance.now();
  mkdirSync(dirname(REPORT), { recursive: true });
  rmSync(REPORT, { force: true });
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${REPORT}`];
  const ended = await succeeds(["vitest", "run", ...reporters, ...options, ...filters], timeoutMs, environment);
  const counted = countTests();
  // Errors outside of tests and an end before the report are failures that no test stands for.
  if (counted.failed === 0 && (!ended || counted.passed === 0)) {
    if (counted.passed === 0) console.log("No test was executed.");
    counted.failed = 1;
  }
  report(`tests: ${counted.passed} passed, ${counted.failed} failed`, counted.failed === 0, startMs);
  count.passed += counted.passed;
  count.failed += counted.failed;
}

function countTests(): Count {
  let text: string;
  try {
    text = readFileSync(REPORT, "utf8");
  } catch {
    return { passed: 0, failed: 0 };
  }
  const { numPassedTests, numFailedTests, testResults } = VITEST_REPORT.parse(JSON.parse(text));
  // A file that fails as a whole, when it is loaded or in a hook, has no failed test.
  const files = testResults.filter(
    ({ status, assertionResults }) =>
      status === "failed" && assertionResults.every((assertion) => assertion.status !== "failed"),
  );
  for (const { name } of files) console.log(`FAILED ${relative(ROOT, name)} as a whole`);
  return { passed: numPassedTests, failed: numFailedTests + files.length };
}

/** Ends with whoever waits for it, and takes along the command that it waits for. */
export function stopOn(signal: "SIGINT" | "SIGTERM"): void {
  process.once(signal, () => {
    running?.kill(signal);
    process.exit(128 + constants.signals[signal]);
  });
}
