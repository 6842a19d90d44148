import { expect, test } from "vitest";

import { lookAll, serveIn, temporaryNamespace } from "../support/cluster.ts";

const SLEEPER = { language: "bash", code: "trap '' TERM; echo awake; sleep 60", limits: { wall_ms: 60_000 } };
const ONCE = { language: "bash", code: "cat /proc/sys/kernel/random/uuid" };

test("any replica answers for any run: its state, events, result and cancellation", async () => {
  await using namespace = await temporaryNamespace();
  await using first = await serveIn(namespace);
  await using second = await serveIn(namespace);

  const { id } = await first.api.submit({ language: "bash", code: "echo one; sleep 1; echo two >&2; exit 3" });
  const told = await Array.fromAsync(await second.api.events(id));
  expect(told.map(({ event }) => event)).toEqual(["stage_started", "output", "output", "stage_ended", "finished"]);
  expect(await Array.fromAsync(await first.api.events(id))).toEqual(told);
  const result = await second.api.result(id);
  expect(result).toMatchObject({ status: "failed", exit_code: 3, stdout: "one\n", stderr: "two\n" });
  expect(await first.api.result(id)).toEqual(result);

  const sleeper = await first.api.submit(SLEEPER);
  await first.api.started(sleeper.id);
  expect(await second.api.result(sleeper.id)).toMatchObject({ status: "running" });
  const cancelled = await second.api.cancel(sleeper.id);
  expect(cancelled).toMatchObject({ status: "cancelled", stdout: "awake\n", started_at: expect.any(String) });
  expect(await first.api.result(sleeper.id)).toEqual(cancelled);
  expect(await first.api.finished(sleeper.id)).toEqual(cancelled);
});

test("an idempotency key is one run on all replicas, and another request of it a conflict", async () => {
  await using namespace = await temporaryNamespace();
  await using first = await serveIn(namespace);
  await using second = await serveIn(namespace);
  const headers = { "idempotency-key": "one" };
  const calls = [first, second, first, second].map(({ api }) => api.run(ONCE, { headers }));
  const [result, ...others] = await Promise.all(calls);
  for (const other of others) expect(other).toEqual(result);
  expect(await lookAll(namespace.jobs)).toHaveLength(1);
  for (const { api } of [first, second]) {
    const { status, error } = await api.refused(api.post("/api/run", { ...ONCE, stdin: "x" }, { headers }));
    expect({ status, code: error.code }).toEqual({ status: 409, code: "idempotency_conflict" });
  }
});

test("a server that is killed loses nothing: the next one answers for all that it had accepted", async () => {
  await using namespace = await temporaryNamespace();
  const running = { language: "bash", code: "echo started; sleep 6; echo done" };
  const ids: string[] = [];
  {
    await using killed = await serveIn(namespace, { MAX_RUNNING: "2" });
    for (const code of ["echo finished", running.code, running.code, "echo waited"]) {
      ids.push((await killed.api.submit({ ...running, code })).id);
    }
    await killed.api.finished(ids[0] ?? "");
    await killed.api.started(ids[1] ?? "");
    await killed.server.kill();
  }
  await using next = await serveIn(namespace, { MAX_RUNNING: "2" });
  const results = await Promise.all(ids.map((id) => next.api.finished(id)));
  const outputs = ["finished\n", "started\ndone\n", "started\ndone\n", "waited\n"];
  expect(results.map(({ stdout }) => stdout)).toEqual(outputs);
  for (const { status } of results) expect(status).toBe("succeeded");
  expect(await lookAll(namespace.pods)).toHaveLength(4);
});

test("two replicas keep the bound on running programs together, and start the oldest first", async () => {
  await using namespace = await temporaryNamespace();
  await using first = await serveIn(namespace, { MAX_RUNNING: "1" });
  await using second = await serveIn(namespace, { MAX_RUNNING: "1" });
  const blocker = await first.api.submit(SLEEPER);
  await first.api.started(blocker.id);
  const ids: string[] = [];
  for (const { api } of [first, second, second, first]) {
    ids.push((await api.submit({ language: "bash", code: "date +%s%N" })).id);
  }
  await first.api.cancel(blocker.id);
  const results = await Promise.all(ids.map((id) => second.api.finished(id)));
  const times = results.map(({ stdout }) => Number(stdout));
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});

test("a server that is asked to stop lets sync runs end, and leaves the others to those who stay", async () => {
  await using namespace = await temporaryNamespace();
  await using stays = await serveIn(namespace);
  await using leaves = await serveIn(namespace);
  const sync = leaves.api.run({ language: "bash", code: "echo started; sleep 3; echo done" });
  const { id } = await leaves.api.submit({ language: "bash", code: "sleep 5; echo later" });
  await leaves.api.started(id);
  leaves.server.terminate();
  expect(await sync).toMatchObject({ status: "succeeded", stdout: "started\ndone\n" });
  expect((await leaves.server.exited).code).toBe(0);
  expect(await stays.api.finished(id)).toMatchObject({ status: "succeeded", stdout: "later\n" });
});

test("runs that waited under one server's bound are started by the next, which has none", async () => {
  await using namespace = await temporaryNamespace();
  const ids: string[] = [];
  {
    await using bounded = await serveIn(namespace, { MAX_RUNNING: "1" });
    for (const code of [SLEEPER.code, "echo waited", "echo too"]) {
      ids.push((await bounded.api.submit({ ...SLEEPER, code })).id);
    }
    await bounded.api.started(ids[0] ?? "");
    await bounded.server.kill();
  }
  await using next = await serveIn(namespace);
  for (const id of ids.slice(1)) expect(await next.api.finished(id)).toMatchObject({ status: "succeeded" });
  expect(await next.api.result(ids[0] ?? ""), "they have not waited for its end").toMatchObject({ status: "running" });
  await next.api.cancel(ids[0] ?? "");
});
