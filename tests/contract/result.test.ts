import { describe, expect } from "vitest";

import { contractTest } from "../support/contract.ts";
import { expectRefusal } from "../support/refusals.ts";

const test = contractTest({ MAX_RUNNING: "1", CPU_LIMIT: "1" });

const SLEEPER = { language: "bash", code: "echo awake; exec sleep 60", limits: { wall_ms: 60_000 } };

test("a run is accepted with its state and the place of its result", async ({ api }) => {
  const state = await api.submit({ language: "bash", code: "echo done" });
  expect(["queued", "running"]).toContain(state.status);
  expect(await api.finished(state.id)).toMatchObject({ id: state.id, status: "succeeded", stdout: "done\n" });
});

test("a run is queued, then running, then finished, and its times are in order", async ({ api }) => {
  const first = await api.submit(SLEEPER);
  const second = await api.submit({ language: "bash", code: "echo second" });
  await api.started(first.id);
  const running = await api.result(first.id);
  expect(running).toMatchObject({ status: "running" });
  expect(Date.parse(running.started_at ?? "")).toBeGreaterThanOrEqual(Date.parse(running.created_at));
  expect(await api.result(second.id)).toMatchObject({ status: "queued", started_at: null });
  await api.cancel(first.id);
  const result = await api.finished(second.id);
  expect(result).toMatchObject({ status: "succeeded", stdout: "second\n" });
  expect(Date.parse(result.started_at ?? "")).toBeGreaterThanOrEqual(Date.parse(result.created_at));
  expect(Date.parse(result.finished_at)).toBeGreaterThanOrEqual(Date.parse(result.started_at ?? ""));
});

test("a finished result stays as it is, also that of a sync run", async ({ api }) => {
  const result = await api.run({ language: "bash", code: "echo $RANDOM" });
  expect(await api.result(result.id)).toEqual(result);
  expect(await api.result(result.id, 0)).toEqual(result);
});

describe("wait_ms", () => {
  test("answers as soon as the run has ended", async ({ api }) => {
    const { id } = await api.submit({ language: "bash", code: "sleep 0.3; echo done" });
    const asked = performance.now();
    expect(await api.result(id, 60_000)).toMatchObject({ status: "succeeded" });
    expect(performance.now() - asked).toBeLessThan(20_000);
  });

  test("answers with the state when the run goes on", async ({ api }) => {
    const { id } = await api.submit(SLEEPER);
    await api.started(id);
    const asked = performance.now();
    expect(await api.result(id, 300)).toMatchObject({ status: "running" });
    expect(performance.now() - asked).toBeGreaterThanOrEqual(290);
    expect(await api.result(id, 0)).toMatchObject({ status: "running" });
    await api.cancel(id);
  });

  test("tells everyone who waits", async ({ api }) => {
    const { id } = await api.submit({ language: "bash", code: "sleep 0.3; echo $RANDOM" });
    const answers = await Promise.all(Array.from({ length: 20 }, () => api.result(id, 60_000)));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0]).toMatchObject({ status: "succeeded" });
  });

  test("ends with the client, not with the run", async ({ api }) => {
    const { id } = await api.submit(SLEEPER);
    await api.started(id);
    const waiting = Array.from({ length: 50 }, () => api.result(id, 60_000, { signal: AbortSignal.timeout(100) }));
    for (const answer of await Promise.allSettled(waiting)) expect(answer.status).toBe("rejected");
    expect(await api.result(id)).toMatchObject({ status: "running" });
    await api.cancel(id);
  });

  test.for(["-1", "60001", "1.5", "1e3", "abc", "", " 1", "0x10", "Infinity", "99999999999999999999"])(
    "of %j is refused",
    async (value, { api }) => {
      const { id } = await api.run({ language: "bash", code: ":" });
      const call = () => api.fetch("GET", `/api/result/${id}?wait_ms=${encodeURIComponent(value)}`);
      await expectRefusal(api, call, { status: 400, code: "invalid_request", field: "wait_ms", says: /0 to 60000/ });
    },
  );

  test("is the only parameter, given once", async ({ api }) => {
    const { id } = await api.run({ language: "bash", code: ":" });
    for (const query of ["wait=1", "wait_ms=1&wait_ms=2", "wait_ms[]=1"]) {
      const { status, error } = await api.refused(api.fetch("GET", `/api/result/${id}?${query}`));
      expect({ status, code: error.code }, query).toEqual({ status: 400, code: "invalid_request" });
    }
  });
});

describe("an id that isn't known", () => {
  const ids = [
    `r${"a".repeat(31)}`,
    `R${"A".repeat(31)}`,
    "x",
    "1",
    "..",
    "%2e%2e%2f",
    "%00",
    "%F0%9F%8C%8D",
    "r".repeat(5000),
    "*",
    "' OR 1=1 --",
  ];

  test.for(ids)("is not found on any route: %s", async (id, { api }) => {
    const path = id.startsWith("%") ? id : encodeURIComponent(id);
    for (const [method, route] of [
      ["GET", `/api/result/${path}`],
      ["GET", `/api/result/${path}?wait_ms=60000`],
      ["GET", `/api/result/${path}/events`],
      ["DELETE", `/api/run/${path}`],
    ] as const) {
      const { status, error } = await api.refused(api.fetch(method, route));
      expect({ status, code: error.code }, route.slice(0, 80)).toEqual({ status: 404, code: "not_found" });
    }
  });
});

test("a path that isn't there, and a method that a path doesn't have, are refused in the same shape", async ({
  api,
}) => {
  const paths = [
    ["GET", "/api/nothing"],
    ["GET", "/api/run/sync/more"],
    ["POST", "/api/results"],
    ["GET", "/../../etc/passwd"],
  ] as const;
  for (const [method, path] of paths) expect((await api.refused(api.fetch(method, path))).status, path).toBe(404);
  for (const [method, path] of [
    ["GET", "/api/run/sync"],
    ["PUT", "/api/run"],
    ["PATCH", "/api/languages"],
  ] as const) {
    expect([404, 405], path).toContain((await api.refused(api.fetch(method, path))).status);
  }
});
