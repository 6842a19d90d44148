import { expect, test } from "vitest";

import { serveIn, temporaryNamespace } from "../support/cluster.ts";
import { ApiProxy } from "../support/api-proxy.ts";

const HELLO = { language: "bash", code: "echo hello" };
const RUNS = 8;

test("a run costs at most three calls besides the shared watches", async () => {
  await using namespace = await temporaryNamespace();
  await using proxy = await ApiProxy.open();
  // One at a time, so that most runs have to be resumed as well.
  await using replica = await serveIn(namespace, { KUBECONFIG: proxy.kubeconfig, MAX_RUNNING: "1" });
  proxy.calls.length = 0;
  const results = await Promise.all(Array.from({ length: RUNS }, () => replica.api.run(HELLO)));
  for (const result of results) expect(result).toMatchObject({ status: "succeeded", stdout: "hello\n" });
  for (const { id } of results) expect(await replica.api.result(id)).toMatchObject({ status: "succeeded" });
  const calls = proxy.callsForRuns.map(({ method, path }) => `${method} ${path.replace(/r[a-z2-7]{31}[^/]*/, "NAME")}`);
  expect(calls.length, calls.join("\n")).toBeLessThanOrEqual(3 * RUNS);
  expect(proxy.calls.filter(({ query }) => query.get("watch") === "true").length).toBeLessThanOrEqual(2);
});

test("connections that break are made again: nothing is lost, and nothing is told twice", async () => {
  await using namespace = await temporaryNamespace();
  await using proxy = await ApiProxy.open();
  await using replica = await serveIn(namespace, { KUBECONFIG: proxy.kubeconfig });
  const code = "for i in {1..40}; do echo $i; sleep 0.1; done";
  const { id } = await replica.api.submit({ language: "bash", code });
  await replica.api.started(id);
  for (let times = 0; times < 4; times += 1) {
    proxy.cut();
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  const expected = Array.from({ length: 40 }, (_, n) => `${n + 1}\n`).join("");
  expect(await replica.api.finished(id)).toMatchObject({ status: "succeeded", stdout: expected });
  expect(await replica.api.run(HELLO)).toMatchObject({ stdout: "hello\n" });
});

test("a watch whose version is too old begins anew with a list, and misses nothing", async () => {
  await using namespace = await temporaryNamespace();
  await using proxy = await ApiProxy.open();
  await using replica = await serveIn(namespace, { KUBECONFIG: proxy.kubeconfig });
  const { id } = await replica.api.submit({ language: "bash", code: "echo started; sleep 4; echo done" });
  await replica.api.started(id);
  const lists = () =>
    proxy.calls.filter(({ path, query }) => /\/(?:jobs|pods)$/.test(path) && query.get("limit") !== null);
  const before = lists().length;
  proxy.expireWatches(2);
  expect(await replica.api.finished(id)).toMatchObject({ status: "succeeded", stdout: "started\ndone\n" });
  expect(await replica.api.run(HELLO)).toMatchObject({ stdout: "hello\n" });
  expect(lists().length - before).toBe(2);
});
