import { expect } from "vitest";

import { contractTest, serve } from "../support/contract.ts";

const test = contractTest({ MAX_RUNNING: "1", MAX_QUEUED: "2", CPU_LIMIT: "1" });

const SLEEPER = { language: "bash", code: "exec sleep 60", limits: { wall_ms: 60_000 } };
const HELLO = { language: "bash", code: "echo hello" };

test("beyond MAX_RUNNING and MAX_QUEUED a run is refused with a time to come back, and every accepted one ends", async ({
  api,
}) => {
  const first = await api.submit(SLEEPER);
  await api.started(first.id);
  const waiting = [await api.submit(HELLO), await api.submit(HELLO)];
  for (const path of ["/api/run", "/api/run/sync"]) {
    const { status, headers, error } = await api.refused(api.post(path, HELLO));
    expect({ status, code: error.code }).toEqual({ status: 429, code: "queue_full" });
    expect(headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
    expect(error.details?.retry_after_seconds).toBe(Number(headers.get("retry-after")));
  }
  expect((await api.metrics()).sum("sandbox_queue_length")).toBe(2);
  await api.cancel(first.id);
  for (const { id } of waiting) expect(await api.finished(id)).toMatchObject({ status: "succeeded" });
  expect(await api.run(HELLO)).toMatchObject({ stdout: "hello\n" });
});

test("an accepted run can be asked for again with its key while the queue is full", async ({ api }) => {
  const first = await api.submit(SLEEPER);
  await api.started(first.id);
  const headers = { "idempotency-key": "again" };
  const accepted = await api.submit(HELLO, { headers });
  const last = await api.submit(HELLO);
  expect((await api.submit(HELLO, { headers })).id).toBe(accepted.id);
  await api.cancel(first.id);
  for (const { id } of [accepted, last]) expect(await api.finished(id)).toMatchObject({ status: "succeeded" });
});

test("a burst far beyond the bounds: each request gets its result or a refusal, and the server goes on", async ({
  api,
}) => {
  const answers = await Promise.all(Array.from({ length: 60 }, () => api.post("/api/run/sync", HELLO)));
  const statuses = answers.map(({ status }) => status);
  for (const answer of answers) await answer.body?.cancel();
  expect(new Set(statuses)).toEqual(new Set([200, 429]));
  expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(3);
  expect(await api.run(HELLO)).toMatchObject({ stdout: "hello\n" });
});

test("as many programs run at once as MAX_RUNNING says", async () => {
  await using served = await serve({ MAX_RUNNING: "3" });
  const { api } = served;
  const runs = await Promise.all([1, 2, 3, 4].map(() => api.submit(SLEEPER)));
  await Promise.all(runs.slice(0, 3).map(({ id }) => api.started(id)));
  const metrics = await api.metrics();
  expect(metrics.sum("sandbox_running")).toBe(3);
  expect(metrics.sum("sandbox_queue_length")).toBe(1);
  for (const { id } of runs) await api.cancel(id);
});

test("a key that asks too often is told when to come back, and no other is kept waiting", async () => {
  const [ada, ben] = ["ada-secret-0123456789", "ben-secret-0123456789"];
  await using served = await serve({ RATE_LIMIT_PER_MINUTE: "3", API_KEYS: `ada:${ada},ben:${ben}` });
  const [asAda, asBen] = [served.api.with({ "x-api-key": ada }), served.api.with({ "x-api-key": ben })];
  const runs = [await asAda.run(HELLO), await asAda.submit(HELLO), await asAda.run(HELLO)];
  for (const path of ["/api/run", "/api/run/sync"]) {
    const { status, headers, error } = await asAda.refused(asAda.post(path, HELLO));
    expect({ status, code: error.code }).toEqual({ status: 429, code: "rate_limited" });
    expect(Number(headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect(Number(headers.get("retry-after"))).toBeLessThanOrEqual(60);
  }
  for (const { id } of runs) expect(await asAda.finished(id)).toMatchObject({ status: "succeeded" });
  expect(await asBen.run(HELLO)).toMatchObject({ stdout: "hello\n" });
});

test("an address without a key is held to the same rate", async () => {
  await using served = await serve({ RATE_LIMIT_PER_MINUTE: "2" });
  const { api } = served;
  await api.run(HELLO);
  await api.run(HELLO);
  const elsewhere = { headers: { "x-forwarded-for": "192.0.2.7", forwarded: "for=192.0.2.8" } };
  const { error } = await api.refused(api.post("/api/run/sync", HELLO, elsewhere));
  expect(error.code).toBe("rate_limited");
});
