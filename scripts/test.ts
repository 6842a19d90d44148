import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { globSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join, relative } from "node:path";
import { parseArgs } from "node:util";

import { z } from "zod";

const ROOT = join(import.meta.dirname, "..");
const REPORT = join(ROOT, ".cache/test/vitest.json");
const CHECK_MS = 10 * 60_000;
const TESTS_MS = 25 * 60_000;

interface Check {
  name: string;
  command: [program: string, ...words: string[]];
}

interface Count {
  passed: number;
  failed: number;
}

const CHECKS: Check[] = [
  { name: "types", command: ["tsc", "-p", "."] },
  { name: "lint", command: ["oxlint"] },
  { name: "format", command: ["oxfmt", "--check"] },
  { name: "dead code", command: ["knip"] },
  { name: "settings table", command: ["node", "scripts/settings-table.ts", "--check"] },
  ...shellScripts().map(({ shell, path }): Check => ({ name: `syntax of ${path}`, command: [shell, "-n", path] })),
  { name: "runner", command: ["runner/build"] },
  { name: "launcher", command: ["launcher/build"] },
  { name: "runner with sanitizers", command: ["runner/build", "--sanitize"] },
];

/** What is read of vitest's JSON report. */
const VITEST_REPORT = z.object({
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  testResults: z.array(
    z.object({ name: z.string(), status: z.string(), assertionResults: z.array(z.object({ status: z.string() })) }),
  ),
});

/** The repository's own programs that name a shell in their first line. */
function shellScripts(): { shell: string; path: string }[] {
  return globSync(["scripts/*", "runner/*", "launcher/*", ".ci/*"], { cwd: ROOT })
    .toSorted()
    .flatMap((path) => {
      const shell = /^#!.*\b(sh|bash)\n/.exec(readFileSync(join(ROOT, path), "utf8"))?.[1];
      return shell === undefined ? [] : [{ shell, path }];
    });
}

let running: ChildProcess | undefined;

/** Runs a command of the repository with this process's output; true when it ended with 0 within its time. */
async function succeeds([program, ...words]: Check["command"], timeoutMs: number): Promise<boolean> {
  const child = spawn(program, words, {
    cwd: ROOT,
    env: { ...process.env, PATH: `${join(ROOT, "node_modules/.bin")}:${process.env.PATH}` },
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
function report(name: string, passed: boolean, startMs: number): void {
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  console.log(`${passed ? "ok" : "FAILED"} ${name} (${seconds} s)`);
}

async function runChecks(count: Count): Promise<void> {
  for (const { name, command } of CHECKS) {
    const startMs = performance.now();
    const passed = await succeeds(command, CHECK_MS);
    report(name, passed, startMs);
    count[passed ? "passed" : "failed"] += 1;
  }
}

/** Runs the tests whose path contains one of `filters`, or all, and counts them. */
async function runTests(filters: string[], count: Count): Promise<void> {
  const startMs = performance.now();
  mkdirSync(dirname(REPORT), { recursive: true });
  rmSync(REPORT, { force: true });
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${REPORT}`];
  const ended = await succeeds(["vitest", "run", ...reporters, ...filters], TESTS_MS);
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
function stopOn(signal: "SIGINT" | "SIGTERM"): void {
  process.once(signal, () => {
    running?.kill(signal);
    process.exit(128 + constants.signals[signal]);
  });
}

async function main(): Promise<void> {
  const { positionals: filters } = parseArgs({ allowPositionals: true });
  stopOn("SIGINT");
  stopOn("SIGTERM");
  const count: Count = { passed: 0, failed: 0 };
  if (filters.length === 0) await runChecks(count);
  await runTests(filters, count);
  console.log(`${count.passed} passed, ${count.failed} failed`);
  process.exitCode = count.failed === 0 ? 0 : 1;
}

await main();
