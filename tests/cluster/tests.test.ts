import { randomBytes } from "node:crypto";

import { expect, test } from "vitest";

import { look, lookAll, serveIn, temporaryNamespace } from "../support/cluster.ts";
import { eventually } from "../support/time.ts";

const ECHO = { language: "bash", code: "cat" };

test("what tests expect is in their Job and not in its Pod, and a server that comes later has the same verdicts", async () => {
  await using namespace = await temporaryNamespace();
  const tests = [
    { stdin: "1", expected_stdout: "1" },
    { stdin: "0.5", expected_stdout: "0.75" },
  ];
  const comparison = { mode: "float", tolerance: 0.01 };
  const { id } = await (async () => {
    await using first = await serveIn(namespace);
    return await first.api.submit({ ...ECHO, tests, comparison });
  })();
  // Nobody watches while it runs.
  const job = await eventually(120_000, "the Job's end", async () => {
    const found = await look(`${namespace.jobs}/${id}`);
    return JSON.stringify(found?.status ?? {}).includes('"Complete"') ? found : undefined;
  });
  const grading = job.metadata.annotations?.["sandbox-api/grading"];
  expect(grading).toMatch(/^[A-Za-z0-9+/=]+$/);
  const pod = JSON.stringify(await namespace.podOf(id));
  expect(pod).toContain("SANDBOX_PROGRAM_0");
  expect(pod).not.toContain(grading);
  await using second = await serveIn(namespace);
  expect(await second.api.finished(id)).toMatchObject({
    status: "failed",
    verdict: "wrong_answer",
    tests: [{ status: "accepted" }, { status: "wrong_answer", stdout: "0.5" }],
  });
});

test("more than a Job has room for is refused before there is one", async () => {
  await using namespace = await temporaryNamespace();
  await using replica = await serveIn(namespace, { MAX_PROGRAM_BYTES: "4000000" });
  const text = randomBytes(80_000).toString("base64");
  const comparison = { mode: "float" };
  const expected = [{ expected_stdout: text }];
  const stdin = [{ stdin: randomBytes(1_200_000).toString("base64") }];
  for (const request of [
    { ...ECHO, tests: expected, comparison },
    { ...ECHO, tests: stdin },
  ]) {
    const { status, error } = await replica.api.refused(replica.api.post("/api/run/sync", request));
    expect({ status, code: error.code, field: error.details?.field }, error.message).toEqual({
      status: 413,
      code: "program_too_large",
      field: "tests",
    });
  }
  expect(await lookAll(namespace.jobs)).toEqual([]);
  // A digest takes the same room, whatever it is of.
  const result = await replica.api.run({ ...ECHO, tests: [{ stdin: text, expected_stdout: text }] });
  expect(result).toMatchObject({ verdict: "accepted" });
});

test("a failure that decides ends the Pod, and every server has the same result", async () => {
  await using namespace = await temporaryNamespace();
  await using first = await serveIn(namespace);
  const tests = [{ args: ["0"], expected_stdout: "x" }, { args: ["600"] }];
  const request = { language: "bash", code: "sleep $1", tests, stop_on_failure: true, limits: { wall_ms: 60_000 } };
  const result = await first.api.run(request);
  expect(result).toMatchObject({ verdict: "wrong_answer", tests: [{ status: "wrong_answer" }, { status: "skipped" }] });
  await eventually(40_000, "the Pod's end", async () => ((await namespace.podOf(result.id)) ? undefined : true));
  await using second = await serveIn(namespace);
  expect(await second.api.result(result.id)).toEqual(await first.api.result(result.id));
  expect(await second.api.result(result.id)).toMatchObject({ verdict: "wrong_answer", status: "failed" });
});
