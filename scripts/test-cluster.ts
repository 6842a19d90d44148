import { parseArgs } from "node:util";

import { runTests, stopOn } from "./test-run.ts";
import type { Count, TestRun } from "./test-run.ts";

const MINUTE_MS = 60_000;
/** Tests that disturb others: they kill the cluster's components, or fill it. */
const ALONE = "tests/cluster/alone";

function onCluster(filters: readonly string[], minutes: number, settings: Record<string, string> = {}): TestRun {
  return { filters, timeoutMs: minutes * MINUTE_MS, environment: { CONTRACT_BACKEND: "kubernetes", ...settings } };
}

const RUNS: readonly TestRun[] = [
  { ...onCluster(["tests/cluster", "tests/contract", "tests/hostile"], 25), options: ["--exclude", `${ALONE}/**`] },
  // Another kernel, which each toolchain may find different.
  onCluster(["tests/hostile", "tests/contract/cancel"], 12, { RUNTIME_CLASS: "gvisor" }),
  {
    ...onCluster(["tests/contract/languages"], 8, { RUNTIME_CLASS: "gvisor" }),
    options: ["--testNamePattern", "runs a program and tells all about its end"],
  },
  // Other users, which decide what may be reached and counted.
  onCluster(["tests/hostile", "tests/contract/statuses"], 8, { HOST_USERS: "false" }),
  { ...onCluster([ALONE], 20), options: ["--no-file-parallelism"] },
];

async function main(): Promise<void> {
  const { positionals: filters } = parseArgs({ allowPositionals: true });
  if (process.env["KUBECONFIG"] === undefined) {
    process.stderr.write("KUBECONFIG is not set: it names the cluster to test on\n");
    process.exitCode = 2;
    return;
  }
  stopOn("SIGINT");
  stopOn("SIGTERM");
  const count: Count = { passed: 0, failed: 0 };
  const runs = filters.length === 0 ? RUNS : [onCluster(filters, 25)];
  for (const run of runs) await runTests(run, count);
  console.log(`${count.passed} passed, ${count.failed} failed`);
  process.exitCode = count.failed === 0 ? 0 : 1;
}

await main();
