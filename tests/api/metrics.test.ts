import { expect, test } from "vitest";

import { Metrics } from "../../api/metrics.ts";
import type { RunResult } from "../../core/run.ts";

const CAPACITY = { running: 1, maxRunning: 2, queued: 3, maxQueued: 4 };

function result(change: Partial<RunResult>): RunResult {
  return {
    id: "r",
    language: "c",
    version: null,
    status: "succeeded",
    reason: null,
    compile: null,
    run: null,
    createdAt: new Date(1000),
    startedAt: null,
    finishedAt: new Date(1250),
    ...change,
  };
}

const STAGE = {
  exitCode: null,
  signal: "SIGKILL",
  wallMs: 150,
  cpuMs: 1,
  memoryBytes: 1,
  stdout: Buffer.alloc(0),
  stderr: Buffer.alloc(0),
  stdoutTruncated: false,
  stderrTruncated: false,
};

test("runs are counted by language and status, with their durations and limits", async () => {
  const metrics = new Metrics(["c", "python"]);
  metrics.finished(result({ status: "time_limit", run: { ...STAGE, limit: "wall" } }));
  metrics.finished(result({ status: "memory_limit", compile: { ...STAGE, limit: "memory" } }));
  const text = await metrics.render(CAPACITY);
  for (const line of [
    'sandbox_runs_total{language="c",status="time_limit"} 1',
    'sandbox_runs_total{language="c",status="memory_limit"} 1',
    'sandbox_run_duration_seconds_sum{language="c"} 0.5',
    'sandbox_run_wall_seconds_bucket{le="0.1",language="c"} 0',
    'sandbox_run_wall_seconds_bucket{le="0.2",language="c"} 1',
    'sandbox_run_wall_seconds_count{language="c"} 1',
    'sandbox_limits_hit_total{limit="wall"} 1',
    'sandbox_limits_hit_total{limit="memory"} 1',
    "sandbox_queue_length 3",
    "sandbox_running 1",
  ]) {
    expect(text).toContain(`${line}\n`);
  }
});

test("a language that is not known any more makes no label of its own", async () => {
  const metrics = new Metrics(["c"]);
  metrics.finished(result({ language: "cobol" }));
  const text = await metrics.render(CAPACITY);
  expect(text).toContain('sandbox_runs_total{language="other",status="succeeded"} 1');
  expect(text).not.toContain("cobol");
});

test("requests are counted by route, and those that lead nowhere together", async () => {
  const metrics = new Metrics([]);
  metrics.answered("/api/result/:id", "GET", 200);
  metrics.answered(undefined, "GET", 404);
  metrics.answered(undefined, "GET", 404);
  const text = await metrics.render(CAPACITY);
  expect(text).toContain('sandbox_http_requests_total{route="/api/result/:id",method="GET",status="200"} 1');
  expect(text).toContain('sandbox_http_requests_total{route="none",method="GET",status="404"} 2');
  expect(text).toMatch(/^process_resident_memory_bytes \d/m);
});
