import { expect } from "vitest";

import { BACKEND, contractTest } from "../support/contract.ts";

const test = contractTest({ MAX_RUNNING: "1", CPU_LIMIT: "1" });

/** On a cluster each is a Pod. */
const RACES = BACKEND === "kubernetes" ? 8 : 20;

const SLEEPER = { language: "bash", code: "trap '' TERM INT; echo awake; sleep 60", limits: { wall_ms: 60_000 } };

test("a running program is cancelled: its output until then is kept and its slot is free", async ({ api }) => {
  const { id } = await api.submit(SLEEPER);
  for await (const event of await api.events(id)) if (event.event === "output") break;
  await api.cancel(id);
  const result = await api.finished(id);
  expect(result).toMatchObject({ status: "cancelled", stdout: "awake\n", exit_code: null, run: { limit: null } });
  expect(await api.run({ language: "bash", code: "echo next" })).toMatchObject({ stdout: "next\n" });
});

test("a queued run is cancelled and never starts", async ({ api }) => {
  const running = await api.submit(SLEEPER);
  const queued = await api.submit({ language: "bash", code: "echo started" });
  await api.cancel(queued.id);
  await api.cancel(running.id);
  expect(await api.finished(queued.id)).toMatchObject({
    status: "cancelled",
    started_at: null,
    run: null,
    compile: null,
    stdout: "",
  });
});

test("a program that is being compiled is cancelled", async ({ api }) => {
  const code = '#include <regex>\nstd::regex expression("a");\nint main() {}';
  const { id } = await api.submit({ language: "cpp", code, limits: { cpu_millicores: 100 } });
  await api.started(id);
  await api.cancel(id);
  expect(await api.finished(id)).toMatchObject({ status: "cancelled", run: null });
});

test("cancelling answers with what has become of the run, and again the same", async ({ api }) => {
  const { id } = await api.submit(SLEEPER);
  await api.started(id);
  const first = await api.cancel(id);
  expect(first).toMatchObject({ id, status: "cancelled" });
  expect(await api.cancel(id)).toEqual(first);
  expect(await api.result(id)).toEqual(first);
});

test("a finished run stays as it is", async ({ api }) => {
  const result = await api.run({ language: "bash", code: "echo done" });
  expect(await api.cancel(result.id)).toEqual(result);
  expect(await api.result(result.id)).toEqual(result);
});

test("many cancels at once agree with each other", async ({ api }) => {
  const { id } = await api.submit(SLEEPER);
  await api.started(id);
  const answers = await Promise.all(Array.from({ length: 10 }, () => api.cancel(id)));
  for (const answer of answers) expect(answer).toEqual(await api.result(id));
});

test("a cancel that races with the run's end leaves one result, which stays", async ({ api }) => {
  for (let attempt = 0; attempt < RACES; attempt += 1) {
    const { id } = await api.submit({ language: "bash", code: `echo ${attempt}` });
    for await (const event of await api.events(id)) {
      if (event.event === "output") break;
    }
    const cancelled = await api.cancel(id);
    expect(["succeeded", "cancelled"]).toContain(cancelled.status);
    expect(await api.result(id)).toEqual(cancelled);
  }
});
