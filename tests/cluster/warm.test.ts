import { describe, expect, test } from "vitest";

import { KubernetesJobs } from "../../backends/kubernetes/kubernetes-jobs.ts";
import { jobRecord } from "../../backends/kubernetes/kubernetes-objects.ts";
import type { JobRecord } from "../../backends/kubernetes/kubernetes-objects.ts";
import { runId } from "../../core/run.ts";
import type { Run } from "../../core/run.ts";
import { startRefused } from "../support/server.ts";
import { cluster, clusterSettings, lookAll, make, serveIn, temporaryNamespace } from "../support/cluster.ts";
import type { ClusterObject, Namespace, Replica } from "../support/cluster.ts";
import { InteractiveClient } from "../support/interactive.ts";
import { ApiProxy } from "../support/api-proxy.ts";
import { eventually } from "../support/time.ts";

const WAITING = { labelSelector: "sandbox-api/warm" };
const HELLO = { language: "python", code: "print(open(__file__).read())" };

/** Resolves when so many Jobs wait with their interpreters started. */
async function isWarm({ api }: Replica, count = 1): Promise<void> {
  await eventually(120_000, "a Job that waits", async () => {
    return (await api.metrics()).sum("sandbox_ahead_waiting") === count || undefined;
  });
}

async function jobOf(namespace: Namespace, run: string): Promise<ClusterObject | undefined> {
  return (await lookAll(namespace.jobs, { labelSelector: `sandbox-api/run=${run}` }))[0];
}

test("a run takes a Job that waits, any replica reads it, and another Job takes that one's place", async () => {
  await using namespace = await temporaryNamespace();
  await using other = await serveIn(namespace);
  await using replica = await serveIn(namespace, { WARM_POOL: "python=1" });
  await isWarm(replica);
  const result = await replica.api.run({ ...HELLO, stdin: "x" });
  expect(result).toMatchObject({ status: "succeeded", stdout: `${HELLO.code}\n` });
  const job = await jobOf(namespace, result.id);
  expect(job).toMatchObject({
    metadata: { labels: { "sandbox-api/tenant": "anonymous", "sandbox-api/language": "python" } },
    spec: { ttlSecondsAfterFinished: 600 },
  });
  expect(job?.metadata.labels).not.toHaveProperty("sandbox-api/warm");
  expect(await other.api.finished(result.id)).toMatchObject({ status: "succeeded", stdout: result.stdout });

  await isWarm(replica);
  // One that takes long has as much of the processors reserved as any other.
  const { id } = await replica.api.run({ ...HELLO, code: "import time; time.sleep(1.5); print(1)" });
  const long = await jobOf(namespace, id);
  const pod = await namespace.podOf(long?.metadata.name ?? "");
  expect(pod?.spec).toMatchObject({ containers: [{ resources: { requests: { cpu: "50m" } } }] });

  // What is to be there later, and what wants another Pod, gets a Job of its own.
  await isWarm(replica);
  const later = await replica.api.submit(HELLO);
  expect(await replica.api.finished(later.id)).toMatchObject({ status: "succeeded" });
  expect(await jobOf(namespace, later.id)).toBeUndefined();
  const small = await replica.api.run({ ...HELLO, limits: { memory_bytes: 100 * 1024 * 1024 } });
  expect(await jobOf(namespace, small.id)).toBeUndefined();
  const metrics = await replica.api.metrics();
  expect(metrics.sum("sandbox_ahead_claims_total", { result: "hit" })).toBe(2);
  expect(metrics.sum("sandbox_ahead_claims_total", { result: "miss" })).toBe(0);
});

test("what the interpreter that waits can't execute, and what is spoken to, takes such a Job all the same", async () => {
  await using namespace = await temporaryNamespace();
  await using other = await serveIn(namespace);
  await using replica = await serveIn(namespace, { WARM_POOL: "python=3" });
  await isWarm(replica, 3);
  const code = "import os, sys; print(sys.argv, os.getenv('A'), os.listdir(), input())";
  const mirrored = await replica.api.run({ language: "python", code, args: ["x y"], env: { A: "b" }, stdin: "in" });
  expect(mirrored).toMatchObject({ status: "succeeded", stdout: "['main.py', 'x y'] b ['main.py'] in\n", stderr: "" });
  const tests = [
    { stdin: "1", expected_stdout: "1" },
    { stdin: "2", expected_stdout: "3" },
  ];
  const graded = await replica.api.run({ language: "python", code: "print(input())", tests });
  expect(graded.tests).toMatchObject([{ status: "accepted" }, { status: "wrong_answer" }]);

  // Of an interactive one other servers read the log, and write to the same stdin.
  await using own = await InteractiveClient.open(replica.api.url);
  const echo = "import os\nprint(os.isatty(0), flush=True)\nwhile line := input(): print('got', line.upper())";
  own.send({ type: "start", request: { language: "python", code: echo }, tty: { cols: 80, rows: 24 } });
  own.type("first\r");
  await own.prints("got FIRST");
  const id = await own.accepted();
  await using another = await InteractiveClient.open(other.api.url);
  another.send({ type: "attach", id });
  await another.prints("got FIRST");
  another.type("second\r");
  await own.prints("got SECOND");
  await another[Symbol.asyncDispose]();
  own.type("third\r");
  await own.prints("got THIRD");
  own.type("\r");
  expect(await own.finished()).toMatchObject({ id, status: "succeeded" });
  for (const run of [mirrored, graded, { id }]) expect(await jobOf(namespace, run.id)).toBeDefined();
  const metrics = await replica.api.metrics();
  expect(metrics.sum("sandbox_ahead_claims_total", { result: "hit" })).toBe(3);
});

test("of all who give the same Job a run one succeeds", async () => {
  await using namespace = await temporaryNamespace();
  await using replica = await serveIn(namespace, { WARM_POOL: "python=1" });
  await isWarm(replica);
  const jobs = new KubernetesJobs(cluster(), namespace.name);
  // The Job controller's last word before the run; it is the version from then on.
  const object = await eventually(60_000, "the Job's Pod to be ready", async () => {
    const [found] = await lookAll(namespace.jobs, WAITING);
    return found?.status?.["ready"] === 1 ? found : undefined;
  });
  const waiting: JobRecord = jobRecord(object);
  const run = (): Run => ({
    ...{ id: runId("racer"), tenant: "racer", language: "python", version: null, fingerprint: "", durable: false },
    ...{ createdAt: new Date(), program: { files: [], stages: [], limits: {} as Run["program"]["limits"] } },
  });
  const runs = [run(), run(), run()];
  const settings = { ttlSeconds: 600, deadlineSeconds: 600 };
  const outcomes = await Promise.allSettled(runs.map((each) => jobs.claim(waiting, each, settings)));
  const winners = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value.name] : []));
  expect(winners).toHaveLength(1);
  const losers = outcomes.filter((outcome) => outcome.status === "rejected");
  for (const { reason } of losers) expect(reason).toMatchObject({ status: 409, reason: "Conflict" });
  expect((await jobs.get(winners[0] ?? ""))?.object).toBe(waiting.object);
  // The replica that had made it finds another one for its run, or makes one.
  expect(await replica.api.run(HELLO)).toMatchObject({ status: "succeeded" });
});

test("a run whose connection breaks is read from its log, and nothing is lost or told twice", async () => {
  await using namespace = await temporaryNamespace();
  await using proxy = await ApiProxy.open();
  await using replica = await serveIn(namespace, { KUBECONFIG: proxy.kubeconfig, WARM_POOL: "python=1" });
  await isWarm(replica);
  proxy.calls.length = 0;
  const code = "import time\nfor n in range(20):\n print(n, flush=True)\n time.sleep(0.1)";
  const running = replica.api.run({ language: "python", code });
  const [job] = await eventually(60_000, "the run", async () => {
    const taken = await lookAll(namespace.jobs, { labelSelector: "sandbox-api/run" });
    return taken.length > 0 ? taken : undefined;
  });
  const id = job?.metadata.labels?.["sandbox-api/run"] ?? "";
  for await (const event of await replica.api.events(id)) if (event.event === "output") break;
  proxy.cut();
  const stdout = Array.from({ length: 20 }, (_, n) => `${n}\n`).join("");
  expect(await running).toMatchObject({ id, status: "succeeded", stdout });
  const followed = proxy.calls.filter(({ path, query }) => path.endsWith("/log") && query.get("follow") === "true");
  expect(followed.length).toBeGreaterThan(0);
});

describe.concurrent("Jobs that wait", () => {
  test.for(["count/jobs.batch", "pods"])(
    "make way for runs where a quota of %s has no room for both",
    async (quota) => {
      await using namespace = await temporaryNamespace();
      const spec = { hard: { [quota]: "1" } };
      await make(`/api/v1/namespaces/${namespace.name}/resourcequotas`, { metadata: { name: "jobs" }, spec });
      await using replica = await serveIn(namespace, { WARM_POOL: "python=1" });
      await isWarm(replica);
      const result = await replica.api.run({ language: "bash", code: "echo hello" });
      expect(result).toMatchObject({ status: "succeeded", stdout: "hello\n" });
    },
  );

  test("may be those of Python, whose own objects are frozen", async () => {
    await using namespace = await temporaryNamespace();
    await using replica = await serveIn(namespace, { WARM_POOL: "python=1" });
    await isWarm(replica);
    const code = 'import gc, os; print(gc.get_freeze_count() > 1000, os.environ.get("LD_PRELOAD"))';
    const result = await replica.api.run({ language: "python", code });
    expect(result).toMatchObject({ status: "succeeded", stdout: "True None\n", stderr: "" });
    const cold = await replica.api.finished((await replica.api.submit({ language: "python", code })).id);
    expect(cold).toMatchObject({ status: "succeeded", stdout: "False None\n", stderr: "" });
  });

  test("may be those of Bash, which reads its program as a file", async () => {
    await using namespace = await temporaryNamespace();
    await using replica = await serveIn(namespace, { WARM_POOL: "bash=1" });
    await isWarm(replica);
    // What is longer than a FIFO takes; the interpreter that waits is used, since nothing else can be seen of it.
    const code = `echo "$0 $SECONDS \${BASH_ENV-none}"; cat; ls -A; tr '\\0' '\\n' </proc/$$/environ | grep BASH_ENV\n#${"x".repeat(70_000)}`;
    const result = await replica.api.run({ language: "bash", code, stdin: "in\n" });
    const stdout = "main.sh 0 none\nin\nmain.sh\nBASH_ENV=/work/.prelude\n";
    expect(result).toMatchObject({ status: "succeeded", stdout, stderr: "" });
  });

  test("end with the server that made them, however that ends", async () => {
    await using namespace = await temporaryNamespace();
    await using replica = await serveIn(namespace, { WARM_POOL: "python=2" });
    await isWarm(replica, 2);
    await replica.server.kill();
    await eventually(60_000, "no Job", async () => (await lookAll(namespace.jobs)).length === 0 || undefined);
  });
});

test.for([
  ["cobol=1", /^WARM_POOL: "cobol" is no language whose programs can be waited for; one of .*python.* is wanted$/m],
  ["java=1", /^WARM_POOL: "java" is no language/],
] as const)("WARM_POOL=%s is refused, with what is allowed", async ([pool, says]) => {
  const { code, output } = await startRefused({
    ...clusterSettings({ name: "default" } as Namespace),
    WARM_POOL: pool,
  });
  expect(code).toBe(1);
  expect(output).toMatch(says);
});
