import { randomBytes } from "node:crypto";

import { describe, expect, test } from "vitest";

import { lookAll, look, serveIn, temporaryNamespace } from "../support/cluster.ts";
import { readPodLog } from "../support/pod-log.ts";
import { eventually } from "../support/time.ts";

const MiB = 1024 * 1024;
const ADDING = { language: "python", code: "a, b = 1, 2\nprint(a + b)" };

/** Text that no packing makes smaller than three quarters of it. */
function incompressible(bytes: number): string {
  return randomBytes(Math.ceil((bytes * 3) / 4))
    .toString("base64")
    .slice(0, bytes);
}

test("a run is a Job with its labels, which deletes itself some time after its end", async () => {
  await using namespace = await temporaryNamespace();
  await using replica = await serveIn(namespace, { JOB_TTL_SECONDS: "4" });
  const result = await replica.api.run(ADDING);
  expect(result).toMatchObject({ status: "succeeded", stdout: "3\n", exit_code: 0 });
  const job = await look(`${namespace.jobs}/${result.id}`);
  expect(job?.metadata.labels).toMatchObject({
    "app.kubernetes.io/managed-by": "sandbox-api",
    "sandbox-api/language": "python",
    "sandbox-api/tenant": "anonymous",
  });
  expect(job?.spec).toMatchObject({ ttlSecondsAfterFinished: 4 });
  await eventually(60_000, "the Job's end", async () => (await lookAll(namespace.jobs)).length === 0 || undefined);
  expect(await lookAll(namespace.pods)).toEqual([]);
  const { status } = await replica.api.refused(replica.api.fetch("GET", `/api/result/${result.id}`));
  expect(status).toBe(404);
});

test("a sandbox is as closed as Kubernetes can make it", async () => {
  await using namespace = await temporaryNamespace();
  await using replica = await serveIn(namespace, { CPU_LIMIT: "750m", CPU_REQUEST: "100m" });
  const { id } = await replica.api.submit({ ...ADDING, limits: { memory_bytes: 64 * MiB, work_bytes: MiB } });
  await replica.api.finished(id);
  expect((await look(`${namespace.jobs}/${id}`))?.spec).toMatchObject({
    backoffLimit: 0,
    completions: 1,
    parallelism: 1,
    podReplacementPolicy: "Failed",
  });
  const pod = await namespace.podOf(id);
  const size = { medium: "Memory", sizeLimit: String(MiB) };
  expect(pod?.spec).toMatchObject({
    restartPolicy: "Never",
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    dnsPolicy: "None",
    hostname: "sandbox",
    terminationGracePeriodSeconds: 1,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
    volumes: ["work", "tmp", "shm"].map((name) => ({ name, emptyDir: size })),
    containers: [
      {
        name: "sandbox",
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        },
        resources: { limits: { cpu: "750m" }, requests: { cpu: "100m" } },
      },
    ],
  });
  for (const name of ["hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"]) {
    expect(pod?.spec?.[name] ?? false, name).toBe(false);
  }
  const ids = /"runAsUser":(\d+),"runAsGroup":(\d+)/.exec(JSON.stringify(pod?.spec));
  expect(Number(ids?.[1])).toBeGreaterThanOrEqual(100_000);
  expect(ids?.[2]).toBe(ids?.[1]);
});

test("the log of a sandbox can be read by a person: one JSON object a line, with text as text", async () => {
  await using namespace = await temporaryNamespace();
  await using replica = await serveIn(namespace);
  const { id } = await replica.api.run({ language: "bash", code: 'echo "grüße, 🌍"' });
  const pod = await namespace.podOf(id);
  const lines = (await readPodLog(`${namespace.pods}/${pod?.metadata.name}`)).trimEnd().split("\n");
  expect(lines.map((line) => (JSON.parse(line) as { type: string }).type)).toEqual([
    "ready",
    "started",
    "stdout",
    "ended",
    "finished",
  ]);
  expect(lines[2]).toContain("grüße, 🌍");
});

describe("what travels in the Job", () => {
  test("are programs as large as MAX_PROGRAM_BYTES that can't be packed, and programs of many files", async () => {
    await using namespace = await temporaryNamespace();
    await using replica = await serveIn(namespace);
    const large = `: ${incompressible(MiB - 40)}\necho done`;
    expect(await replica.api.run({ language: "bash", code: large })).toMatchObject({ stdout: "done\n" });
    const files = [
      { name: "main.sh", content: "cat */*/* | wc -c" },
      ...Array.from({ length: 200 }, (_, n) => ({ name: `a/b${n}/file`, content: "x".repeat(n) })),
    ];
    expect(await replica.api.run({ language: "bash", files })).toMatchObject({ stdout: "19900\n" });
  });

  test("has an end: what does not fit is refused, and no Job is made", async () => {
    await using namespace = await temporaryNamespace();
    await using replica = await serveIn(namespace);
    const request = { language: "bash", code: "wc -c", stdin: incompressible(2 * MiB) };
    const { status, error } = await replica.api.refused(replica.api.post("/api/run", request));
    expect({ status, code: error.code }).toEqual({ status: 413, code: "program_too_large" });
    expect(error.details).toMatchObject({ field: "stdin", allowed: expect.any(Number) });
    expect(error.message).toContain("a Job has room for");
    expect(await lookAll(namespace.jobs)).toEqual([]);
  });
});

test("a language may have a floor of memory, and whatever else its own file changes", async () => {
  await using namespace = await temporaryNamespace();
  await using replica = await serveIn(namespace);
  const limits = { memory_bytes: 16 * MiB, compile_memory_bytes: 16 * MiB };
  const { id } = await replica.api.submit({ language: "java", code: "class Main {}", limits });
  const job = await look(`${namespace.jobs}/${id}`);
  expect(JSON.stringify(job?.spec)).toContain(`"memory":"${192 * MiB}"`);
  await replica.api.cancel(id);
});

test("settings reach the Pod: node selector, tolerations, pull policy, pull secrets, account, Kueue's queue", async () => {
  await using namespace = await temporaryNamespace();
  await using replica = await serveIn(namespace, {
    NODE_SELECTOR: "pool=sandboxes,example.org/zone=a",
    TOLERATIONS: "dedicated=sandboxes:NoSchedule,spot",
    IMAGE_PULL_POLICY: "Never",
    IMAGE_PULL_SECRETS: "first,second",
    QUEUE_NAME: "sandboxes",
    SERVICE_ACCOUNT: "sandbox",
    SANDBOX_IMAGE_PYTHON: "registry.example/python:1",
  });
  const { id } = await replica.api.submit(ADDING);
  const job = await look(`${namespace.jobs}/${id}`);
  expect(job?.metadata.labels).toMatchObject({ "kueue.x-k8s.io/queue-name": "sandboxes" });
  expect(job?.spec).toMatchObject({ suspend: true });
  expect(job?.spec?.["template"]).toMatchObject({
    spec: {
      nodeSelector: { pool: "sandboxes", "example.org/zone": "a" },
      tolerations: expect.arrayContaining([
        { key: "dedicated", operator: "Equal", value: "sandboxes", effect: "NoSchedule" },
        { key: "spot", operator: "Exists" },
      ]),
      serviceAccountName: "sandbox",
      imagePullSecrets: [{ name: "first" }, { name: "second" }],
      containers: [{ image: "registry.example/python:1", imagePullPolicy: "Never" }],
    },
  });
  await replica.api.cancel(id);
});
