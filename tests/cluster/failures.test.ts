import { describe, expect, test } from "vitest";

import { look, lookAll, make, patch, remove, serveIn, temporaryNamespace } from "../support/cluster.ts";
import type { Namespace } from "../support/cluster.ts";
import { source } from "../support/source.ts";
import { templates } from "../support/templates.ts";
import { eventually } from "../support/time.ts";

const MiB = 1024 * 1024;
const HELLO = { language: "bash", code: "echo hello" };
const SLEEPER = { language: "bash", code: "echo awake; sleep 120", limits: { wall_ms: 60_000 } };

async function quota({ name }: Namespace, hard: Record<string, string>): Promise<void> {
  const metadata = { name: "quota" };
  await make(`/api/v1/namespaces/${name}/resourcequotas`, {
    apiVersion: "v1",
    kind: "ResourceQuota",
    metadata,
    spec: { hard },
  });
  // Until the controller has counted what there is, the quota lets nothing in or everything.
  await eventually(30_000, "the quota", async () => {
    const found = await look(`/api/v1/namespaces/${name}/resourcequotas/quota`);
    return found?.status?.["hard"] === undefined ? undefined : true;
  });
}

test("a run is not given as its reason what its program left in the termination log", async () => {
  await using namespace = await temporaryNamespace();
  await using folder = await templates({
    "job.yaml": (text) =>
      text.replace(
        "          stdin: false\n",
        "          command: [bash, -c, echo forged >/dev/termination-log && exit 7, --]\n          stdin: false\n",
      ),
  });
  await using replica = await serveIn(namespace, { JOB_TEMPLATE_DIR: folder.path });
  const { status, reason } = await replica.api.run(HELLO);
  expect(status).toBe("lost");
  expect(reason).toBe("the runner ended with exit code 7 before it had finished (Error)");
});

describe("a run that will never start is lost, with the cluster's words", () => {
  test("when its image cannot be pulled", async () => {
    await using namespace = await temporaryNamespace();
    await using replica = await serveIn(namespace, { SANDBOX_IMAGE_BASH: "sandbox/bash:no-such-tag" });
    const result = await replica.api.run(HELLO);
    expect(result).toMatchObject({ status: "lost", run: null });
    expect(result.reason).toMatch(/^the image cannot be pulled \(ImagePullBackOff: .*sandbox\/bash:no-such-tag/);
    const listed = (await replica.api.languages()).find(({ name }) => name === "bash");
    expect(listed).toMatchObject({ available: false, reason: expect.stringContaining("sandbox/bash:no-such-tag") });
  });

  test("when no node takes it", async () => {
    await using namespace = await temporaryNamespace();
    await using replica = await serveIn(namespace, { NODE_SELECTOR: "no-such=node", QUEUE_SECONDS: "10" });
    const result = await replica.api.run(HELLO);
    expect(result.status).toBe("lost");
    expect(result.reason).toMatch(
      /^unschedulable: the run had no node within 10 s \(Unschedulable: 0\/\d+ nodes are available/,
    );
    await eventually(
      30_000,
      "the Pod's end",
      async () => (await namespace.podOf(result.id)) === undefined || undefined,
    );
  });

  test("when a quota holds it back for too long; and when it frees in time, it runs", async () => {
    await using namespace = await temporaryNamespace();
    await quota(namespace, { pods: "1" });
    await using replica = await serveIn(namespace, { QUEUE_SECONDS: "30" });
    const blocker = await replica.api.submit(SLEEPER);
    await replica.api.started(blocker.id);
    const patient = await replica.api.submit(HELLO);
    await eventually(30_000, "the refusal", async () => {
      const { items } = await events(namespace);
      return items.some(({ message }) => message.includes("exceeded quota")) || undefined;
    });
    await replica.api.cancel(blocker.id);
    expect(await replica.api.finished(patient.id)).toMatchObject({ status: "succeeded", stdout: "hello\n" });

    await using impatient = await serveIn(namespace, { QUEUE_SECONDS: "6" });
    const second = await replica.api.submit(SLEEPER);
    await replica.api.started(second.id);
    const result = await impatient.api.run(HELLO);
    expect(result.status).toBe("lost");
    expect(result.reason).toMatch(/^the cluster's quota held the run back for 6 s \(.*exceeded quota/);
    await replica.api.cancel(second.id);
  });

  test("when admission denies its Pod", async () => {
    await using namespace = await temporaryNamespace();
    await using folder = await templates({
      "job.yaml": (text) => text.replace("hostNetwork: false", "hostNetwork: true"),
    });
    await using replica = await serveIn(namespace, { JOB_TEMPLATE_DIR: folder.path });
    const result = await replica.api.run(HELLO);
    expect(result.status).toBe("lost");
    expect(result.reason).toMatch(/^the cluster refused the sandbox \(.*violates PodSecurity "restricted/);
  });
});

async function events({ name }: Namespace): Promise<{ items: { message: string }[] }> {
  const found = await lookAll(`/api/v1/namespaces/${name}/events`);
  return { items: found.map((event) => ({ message: String(event["message"]) })) };
}

test("a quota on Jobs is a full queue: 429 with the cluster's words, and nothing is kept", async () => {
  await using namespace = await temporaryNamespace();
  await quota(namespace, { "count/jobs.batch": "0" });
  await using replica = await serveIn(namespace);
  const { status, headers, error } = await replica.api.refused(replica.api.post("/api/run", HELLO));
  expect({ status, code: error.code }).toEqual({ status: 429, code: "queue_full" });
  expect(error.message).toMatch(/exceeded quota/);
  expect(headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
});

describe("a run whose sandbox is taken away is lost, keeps the output until then, and says why", () => {
  test("by an eviction", async () => {
    await using namespace = await temporaryNamespace();
    await using replica = await serveIn(namespace);
    const { id } = await replica.api.submit(SLEEPER);
    for await (const event of await replica.api.events(id)) if (event.event === "output") break;
    const pod = await namespace.podOf(id);
    const metadata = { name: pod?.metadata.name, namespace: namespace.name };
    const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata };
    await make(`${namespace.pods}/${pod?.metadata.name}/eviction`, eviction).catch((error: unknown) => {
      // The answer is a Status, which is no object with a name.
      if (!String(error).includes("metadata")) throw error;
    });
    const result = await replica.api.finished(id);
    expect(result).toMatchObject({ status: "lost", stdout: "awake\n" });
    expect(result.reason).toMatch(/^the sandbox was evicted \(EvictionByEvictionAPI/);
  });

  test("by somebody who deletes its Pod", async () => {
    await using namespace = await temporaryNamespace();
    await using replica = await serveIn(namespace);
    const { id } = await replica.api.submit(SLEEPER);
    for await (const event of await replica.api.events(id)) if (event.event === "output") break;
    const pod = await namespace.podOf(id);
    await remove(`${namespace.pods}/${pod?.metadata.name}`);
    const result = await replica.api.finished(id);
    expect(result.status).toBe("lost");
    expect(result.reason).toMatch(/its pod was deleted, and with it its log|the runner ended with exit code/);
  });

  test("by its deadline", async () => {
    await using namespace = await temporaryNamespace();
    await using replica = await serveIn(namespace);
    const { id } = await replica.api.submit(SLEEPER);
    await replica.api.started(id);
    await patch(`${namespace.jobs}/${id}`, { spec: { activeDeadlineSeconds: 1 } });
    const result = await replica.api.finished(id);
    expect(result.status).toBe("lost");
    expect(result.reason).toMatch(/^the run took longer than its deadline \(DeadlineExceeded/);
  });

  test("by somebody who deletes its Job", async () => {
    await using namespace = await temporaryNamespace();
    await using replica = await serveIn(namespace);
    const waiting = replica.api.run(SLEEPER);
    const job = await eventually(60_000, "the Job", async () => {
      return (await lookAll(namespace.jobs))[0];
    });
    await remove(`${namespace.jobs}/${job.metadata.name}`);
    expect(await waiting).toMatchObject({ status: "lost", reason: "its Job was deleted" });
  });
});

describe("a program that takes too much memory has met its limit", () => {
  const hoard = "hoard = []\nwhile True: hoard.append(bytearray(b'x') * (1 << 20))";

  test("when the kernel ends it and the runner tells", async () => {
    await using namespace = await temporaryNamespace();
    await using replica = await serveIn(namespace);
    const result = await replica.api.run({ language: "python", code: hoard, limits: { memory_bytes: 64 * MiB } });
    expect(result).toMatchObject({ status: "memory_limit", run: { limit: "memory" }, reason: null });
  });

  test("when the runner dies with it", async () => {
    await using namespace = await temporaryNamespace();
    await using replica = await serveIn(namespace);
    // Files that fill the limit outlive every process: in the end the runner is the only one left to be killed.
    const code = source`
      echo before
      for folder in /tmp /dev/shm /work; do head -c 60M /dev/zero > $folder/big & done
      wait
      echo after
    `;
    const limits = { memory_bytes: 64 * MiB, work_bytes: 64 * MiB, file_bytes: 64 * MiB };
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const result = await replica.api.run({ language: "bash", code, limits });
      expect(result).toMatchObject({ status: "memory_limit", stdout: "before\n", run: { limit: "memory" } });
    }
  });
});

test("what is read once stays: a result outlives its Pod in the replica that has it, and elsewhere its loss has a reason", async () => {
  await using namespace = await temporaryNamespace();
  await using first = await serveIn(namespace);
  const result = await first.api.run(HELLO);
  await eventually(60_000, "the Job's end", async () => {
    const job = await look(`${namespace.jobs}/${result.id}`);
    return JSON.stringify(job?.status).includes('"Complete"') || undefined;
  });
  const pod = await namespace.podOf(result.id);
  await remove(`${namespace.pods}/${pod?.metadata.name}`);
  await eventually(60_000, "the Pod's end", async () => (await namespace.podOf(result.id)) === undefined || undefined);
  expect(await first.api.result(result.id)).toEqual(result);
  await using second = await serveIn(namespace);
  const lost = await second.api.result(result.id);
  expect(lost).toMatchObject({ status: "lost", reason: expect.stringContaining("its log") });
});
