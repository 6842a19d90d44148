import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { auditPackages } from "./npm-audit.ts";
import { ROOT, report, runTests, stopOn, succeeds } from "./test-run.ts";
import type { Command, Count } from "./test-run.ts";

const CHECK_MS = 10 * 60_000;
const TESTS_MS = 25 * 60_000;

interface Check {
  name: string;
  command: Command;
}

const CHECKS: Check[] = [
  { name: "types", command: ["tsc", "-p", "."] },
  { name: "types of the page", command: ["tsc", "-p", "web"] },
  { name: "lint", command: ["oxlint"] },
  { name: "format", command: ["oxfmt", "--check"] },
  { name: "dead code", command: ["knip"] },
  { name: "settings table", command: ["node", "scripts/settings-table.ts", "--check"] },
  { name: "figures and their picture", command: ["node", "tests/bench/plot.ts", "--check"] },
  ...shellScripts().map(({ shell, path }): Check => ({ name: `syntax of ${path}`, command: [shell, "-n", path] })),
  { name: "workflows, Dockerfiles and links", command: ["node", "scripts/lint-files.ts"] },
  { name: "runner", command: ["runner/build"] },
  { name: "launcher", command: ["launcher/build"] },
  { name: "runner with sanitizers", command: ["runner/build", "--sanitize"] },
  { name: "runner's input, fuzzed", command: ["tests/runner/fuzz/run"] },
];

/** The repository's own programs that name a shell in their first line. */
function shellScripts(): { shell: string; path: string }[] {
  return globSync(["scripts/*", "runner/*", "launcher/*", ".ci/*", "tests/runner/fuzz/run"], { cwd: ROOT })
    .toSorted()
    .flatMap((path) => {
      const shell = /^#!.*\b(sh|bash)\n/.exec(readFileSync(join(ROOT, path), "utf8"))?.[1];
      return shell === undefined ? [] : [{ shell, path }];
    });
}

async function runChecks(count: Count): Promise<void> {
  for (const { name, command } of CHECKS) {
    const startMs = performance.now();
    const passed = await succeeds(command, CHECK_MS);
    report(name, passed, startMs);
    count[passed ? "passed" : "failed"] += 1;
  }
}

/** A registry that answers no audits, or that can't be reached, makes the check neither passed nor failed. */
async function runAudit(count: Count): Promise<void> {
  const startMs = performance.now();
  const audit = await auditPackages(ROOT);
  if ("unknown" in audit) {
    console.log(`NOT CHECKED vulnerabilities of npm packages: ${audit.unknown}`);
    return;
  }
  for (const line of audit.vulnerable) console.log(line);
  const passed = audit.vulnerable.length === 0;
  report("vulnerabilities of npm packages", passed, startMs);
  count[passed ? "passed" : "failed"] += 1;
}

async function main(): Promise<void> {
  const { positionals: filters } = parseArgs({ allowPositionals: true });
  stopOn("SIGINT");
  stopOn("SIGTERM");
  const count: Count = { passed: 0, failed: 0 };
  if (filters.length === 0) {
    await runChecks(count);
    await runAudit(count);
  }
  await runTests({ filters, timeoutMs: TESTS_MS }, count);
  console.log(`${count.passed} passed, ${count.failed} failed`);
  process.exitCode = count.failed === 0 ? 0 : 1;
}

await main();
