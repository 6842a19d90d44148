import { expect } from "vitest";

import { CROWD, contractTest } from "../support/contract.ts";
import { eventually } from "../support/time.ts";

const test = contractTest({ MAX_RUNNING: "1", CPU_LIMIT: "1" });

const SLEEPER = { language: "bash", code: "exec sleep 60", limits: { wall_ms: 60_000 } };

test("sync stays open as long as the run's limits allow", async ({ api }) => {
  const result = await api.run({ language: "bash", code: "sleep 12; echo awake", limits: { wall_ms: 30_000 } });
  expect(result).toMatchObject({ status: "succeeded", stdout: "awake\n" });
});

test("a client that disconnects from sync cancels its run", async ({ api }) => {
  const before = await api.metrics();
  const gone = new AbortController();
  const call = api.run(SLEEPER, { signal: gone.signal });
  await eventually(
    30_000,
    "the run's start",
    async () => (await api.metrics()).sum("sandbox_running") === 1 || undefined,
  );
  gone.abort();
  await expect(call).rejects.toThrow();
  expect(await api.run({ language: "bash", code: "echo next" })).toMatchObject({ stdout: "next\n" });
  const cancelled = (await api.metrics()).sum("sandbox_runs_total", { status: "cancelled" });
  expect(cancelled - before.sum("sandbox_runs_total", { status: "cancelled" })).toBe(1);
});

test("a client that disconnects while its run is queued takes it out of the queue", async ({ api }) => {
  const running = await api.submit(SLEEPER);
  await api.started(running.id);
  const gone = new AbortController();
  const call = api.run({ language: "bash", code: "echo never" }, { signal: gone.signal });
  await eventually(
    30_000,
    "the queue",
    async () => (await api.metrics()).sum("sandbox_queue_length") === 1 || undefined,
  );
  gone.abort();
  await expect(call).rejects.toThrow();
  await eventually(
    30_000,
    "an empty queue",
    async () => (await api.metrics()).sum("sandbox_queue_length") === 0 || undefined,
  );
  await api.cancel(running.id);
});

test("a client with an Idempotency-Key may disconnect and come back for the same run", async ({ api }) => {
  const before = (await api.metrics()).sum("sandbox_runs_total");
  const request = { language: "bash", code: "sleep 1; echo $RANDOM$RANDOM" };
  const headers = { "idempotency-key": "comes back" };
  const gone = new AbortController();
  const call = api.run(request, { headers, signal: gone.signal });
  await eventually(
    30_000,
    "the run's start",
    async () => (await api.metrics()).sum("sandbox_running") === 1 || undefined,
  );
  gone.abort();
  await expect(call).rejects.toThrow();
  const result = await api.run(request, { headers });
  expect(result.status).toBe("succeeded");
  expect(await api.run(request, { headers })).toEqual(result);
  expect((await api.metrics()).sum("sandbox_runs_total")).toBe(before + 1);
});

test(`${CROWD} sync requests at once are all answered, each with its own output`, async ({ api }) => {
  const outputs = await Promise.all(
    Array.from({ length: CROWD }, async (_, n) => (await api.run({ language: "bash", code: `echo ${n}` })).stdout),
  );
  expect(outputs).toEqual(Array.from({ length: CROWD }, (_, n) => `${n}\n`));
});
