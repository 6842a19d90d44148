import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { KubeConfig } from "@kubernetes/client-node";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";

import { KubernetesClient } from "../../backends/kubernetes/kubernetes-client.ts";
import { cleanUpJobs } from "../../backends/kubernetes/kubernetes-cleanup.ts";
import { MANAGED_BY } from "../../backends/kubernetes/kubernetes-names.ts";
import { cluster, lookAll, make, patch, serveIn, temporaryNamespace } from "../support/cluster.ts";
import type { Namespace } from "../support/cluster.ts";
import { temporaryFolder } from "../support/server.ts";
import { eventually } from "../support/time.ts";

const SCRIPT = join(import.meta.dirname, "../../scripts/cleanup-jobs.ts");
const SCRIPT_MS = 120_000;
const MINUTE_MS = 60_000;
/** More than two pages of a list. */
const MANY = 110;
/** A Job of a controller that is not there: it stays as it is made, whatever its status says. */
const NOBODYS = { managedBy: "sandbox.example/nobody" };
/** A Job that waits for its turn, and is overdue soon. */
const WAITING = { suspend: true, activeDeadlineSeconds: 1 };

interface Ended {
  code: number | string | null | undefined;
  stdout: string;
  stderr: string;
}

/** Runs the script to its end. */
function cleanUp({ name }: Namespace, words: readonly string[], settings: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const env = { PATH: process.env["PATH"], KUBECONFIG: process.env["KUBECONFIG"], KUBERNETES_NAMESPACE: name };
  const options = { env: { ...env, ...settings }, timeout: SCRIPT_MS };
  return new Promise((resolve) => {
    execFile(process.execPath, [SCRIPT, ...words], options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code, stdout, stderr });
    });
  });
}

/** What the script says that it did. */
async function cleanedUp(namespace: Namespace, ...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await cleanUp(namespace, words);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^[^\n]+\n$/);
  return stdout.trim().replace(`namespace ${namespace.name}: `, "");
}

async function makeJob(namespace: Namespace, name: string, spec: object, labels: object = MANAGED_BY): Promise<void> {
  const pod = { restartPolicy: "Never", containers: [{ name: "sandbox", image: "sandbox/bash" }] };
  await make(namespace.jobs, {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, labels },
    spec: { template: { spec: pod }, ...spec },
  });
}

/** A Job that ended so long ago. */
async function makeEnded(
  namespace: Namespace,
  name: string,
  ageMs: number,
  { labels, failed = false }: { labels?: object; failed?: boolean } = {},
): Promise<void> {
  await makeJob(namespace, name, NOBODYS, labels);
  const time = new Date(Date.now() - ageMs).toISOString().replace(/\.\d+/, "");
  const condition = (type: string) => ({ type, status: "True", lastTransitionTime: time, lastProbeTime: time });
  const status = failed
    ? { conditions: [condition("FailureTarget"), condition("Failed")], startTime: time }
    : { conditions: [condition("SuccessCriteriaMet"), condition("Complete")], startTime: time, completionTime: time };
  await patch(`${namespace.jobs}/${name}/status`, { status });
}

async function namesOf(namespace: Namespace): Promise<string[]> {
  return (await lookAll(namespace.jobs)).map(({ metadata }) => metadata.name).toSorted();
}

describe("what has ended", () => {
  test("is removed after its time, and nothing that is younger or not the product's", async () => {
    await using namespace = await temporaryNamespace();
    await makeEnded(namespace, "complete", 11 * MINUTE_MS);
    await makeEnded(namespace, "failed", 11 * MINUTE_MS, { failed: true });
    await makeEnded(namespace, "young", 5 * MINUTE_MS);
    await makeEnded(namespace, "foreign", 60 * MINUTE_MS, { labels: {} });
    await makeEnded(namespace, "stranger", 60 * MINUTE_MS, { labels: { "app.kubernetes.io/managed-by": "Helm" } });
    const all = ["complete", "failed", "foreign", "stranger", "young"];
    expect(await cleanedUp(namespace, "--dry-run")).toBe(
      "would remove 2 Jobs: 2 finished, 0 overdue, 0 abandoned; 1 kept",
    );
    expect(await namesOf(namespace)).toEqual(all);
    expect(await cleanedUp(namespace, "--older-than", "2h")).toMatch(/^removed 0 Jobs: /);
    expect(await namesOf(namespace)).toEqual(all);
    expect(await cleanedUp(namespace)).toBe("removed 2 Jobs: 2 finished, 0 overdue, 0 abandoned; 1 kept");
    expect(await namesOf(namespace)).toEqual(["foreign", "stranger", "young"]);
    expect(await cleanedUp(namespace, "--older-than", "90s")).toMatch(/^removed 1 Jobs: 1 finished/);
    expect(await namesOf(namespace)).toEqual(["foreign", "stranger"]);
  });

  test("stays when it has changed since it was looked at", async () => {
    await using namespace = await temporaryNamespace();
    for (const name of ["a", "b", "c"]) await makeEnded(namespace, name, MINUTE_MS);
    const options = { client: cluster(), namespace: namespace.name, olderThanMs: 1000, dryRun: false };
    const verdicts = cleanUpJobs(options);
    expect(await verdicts.next()).toMatchObject({ value: "finished" });
    await patch(`${namespace.jobs}/b`, { metadata: { annotations: { "example.com/note": "kept" } } });
    expect(await verdicts.next()).toMatchObject({ value: "kept" });
    expect(await verdicts.next()).toMatchObject({ value: "finished" });
    expect(await namesOf(namespace)).toEqual(["b"]);
  });
});

describe("what nothing will end", () => {
  test("is removed when its deadline is long over and nothing of it has changed since", async () => {
    await using namespace = await temporaryNamespace();
    await makeJob(namespace, "overdue", { ...NOBODYS, activeDeadlineSeconds: 1 });
    await makeJob(namespace, "in-time", { ...NOBODYS, activeDeadlineSeconds: 3600 });
    const judged = () => cleanedUp(namespace, "--older-than", "20s", "--dry-run");
    const overdue = /^would remove 1 Jobs: 0 finished, 1 overdue, 0 abandoned; 1 kept$/;
    await eventually(120_000, "an overdue Job", async () => overdue.test(await judged()) || undefined);
    await patch(`${namespace.jobs}/overdue`, { metadata: { annotations: { "example.com/note": "changed" } } });
    expect(await judged()).toMatch(/; 2 kept$/);
    expect(await cleanedUp(namespace, "--older-than", "20s")).toMatch(/^removed 0 Jobs: /);
    await eventually(120_000, "an overdue Job", async () => overdue.test(await judged()) || undefined);
    expect(await cleanedUp(namespace, "--older-than", "20s")).toMatch(/^removed 1 Jobs: 0 finished, 1 overdue/);
    expect(await namesOf(namespace)).toEqual(["in-time"]);
  });

  test("is removed page by page when it waits and no server is there, but for what Kueue holds back", async () => {
    await using namespace = await temporaryNamespace();
    const names = Array.from({ length: MANY }, (_, index) => `waiting-${index}`);
    for (const name of names) await makeJob(namespace, name, WAITING);
    await makeJob(namespace, "kueue", WAITING, { ...MANAGED_BY, "kueue.x-k8s.io/queue-name": "sandboxes" });
    expect(await cleanedUp(namespace)).toBe(`removed 0 Jobs: 0 finished, 0 overdue, 0 abandoned; ${MANY + 1} kept`);
    const done = `removed ${MANY} Jobs: 0 finished, 0 overdue, ${MANY} abandoned; 1 kept`;
    await eventually(60_000, "their age", async () => {
      const said = await cleanedUp(namespace, "--older-than", "5s", "--dry-run");
      return said === `would ${done.replace("removed", "remove")}` || undefined;
    });
    expect(await namesOf(namespace)).toHaveLength(MANY + 1);
    expect(await cleanedUp(namespace, "--older-than", "5s")).toBe(done);
    expect(await namesOf(namespace)).toEqual(["kueue"]);
  });
});

describe("beside a server", () => {
  test("no run is removed that executes, and none that waits as long as runs are executed", async () => {
    await using namespace = await temporaryNamespace();
    await using replica = await serveIn(namespace);
    const { id } = await replica.api.submit({ language: "bash", code: "sleep 600", limits: { wall_ms: 60_000 } });
    await makeJob(namespace, "waiting", WAITING);
    await replica.api.started(id);
    const whole = replica.api.run({ language: "bash", code: "echo whole" });
    for (const _ of "123") expect(await cleanedUp(namespace, "--older-than", "2s")).toMatch(/0 overdue, 0 abandoned/);
    expect(await whole).toMatchObject({ status: "succeeded", stdout: "whole\n" });
    expect(await namesOf(namespace)).toEqual(expect.arrayContaining([id, "waiting"]));
    expect(await replica.api.cancel(id)).toMatchObject({ status: "cancelled" });
    await eventually(60_000, "the end of what waits", async () => {
      await cleanedUp(namespace, "--older-than", "2s");
      return (await namesOf(namespace)).length === 0 || undefined;
    });
  });

  test("nothing that waits is removed when a server comes and resumes the first of it", async () => {
    await using namespace = await temporaryNamespace();
    for (const name of ["first", "second"]) await makeJob(namespace, name, { ...WAITING, ...NOBODYS });
    await eventually(60_000, "their age", async () => {
      return /2 abandoned/.test(await cleanedUp(namespace, "--older-than", "1s", "--dry-run")) || undefined;
    });
    const client = KubernetesClient.load(process.env["KUBECONFIG"]);
    const calls = vi.spyOn(client, "call");
    const verdicts = cleanUpJobs({ client, namespace: namespace.name, olderThanMs: 1000, dryRun: false });
    const first = verdicts.next();
    // The cluster's time and the first list have come, and the second is yet to be asked for.
    await eventually(30_000, "the first look", () => {
      return calls.mock.settledResults.filter(({ type }) => type === "fulfilled").length === 2 || undefined;
    });
    await patch(`${namespace.jobs}/first`, { spec: { suspend: false } });
    expect(await first).toMatchObject({ value: "kept" });
    expect(await verdicts.next()).toMatchObject({ value: "kept" });
    expect(await namesOf(namespace)).toEqual(["first", "second"]);
  });
});

describe("a refusal", () => {
  /** A kubeconfig file of an account of the namespace that may do so much with Jobs. */
  async function accountMay(namespace: Namespace, folder: string, verbs: readonly string[]): Promise<string> {
    const metadata = { name: "cleaner", namespace: namespace.name };
    const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace.name}`;
    const group = "rbac.authorization.k8s.io";
    await make(`/api/v1/namespaces/${namespace.name}/serviceaccounts`, { metadata });
    await make(`${rbac}/roles`, { metadata, rules: [{ apiGroups: ["batch"], resources: ["jobs"], verbs }] });
    const subjects = [{ kind: "ServiceAccount", ...metadata }];
    await make(`${rbac}/rolebindings`, {
      metadata,
      subjects,
      roleRef: { apiGroup: group, kind: "Role", name: "cleaner" },
    });
    const answer = z.object({ status: z.object({ token: z.string() }) });
    const tokens = `/api/v1/namespaces/${namespace.name}/serviceaccounts/cleaner/token`;
    const { status } = await cluster().call(answer, "POST", tokens, { body: { spec: { expirationSeconds: 3600 } } });
    const admin = new KubeConfig();
    admin.loadFromFile(process.env["KUBECONFIG"] ?? "");
    const config = new KubeConfig();
    config.loadFromClusterAndUser(admin.getCurrentCluster()!, { name: "cleaner", token: status.token });
    const path = join(folder, "kubeconfig");
    await writeFile(path, config.exportConfig());
    return path;
  }

  test("names the verb that the account lacks, in the cluster's words", async () => {
    await using namespace = await temporaryNamespace();
    await using folder = await temporaryFolder();
    await makeEnded(namespace, "ended", 11 * MINUTE_MS);
    const KUBECONFIG = await accountMay(namespace, folder.path, ["list"]);
    const seen = await cleanUp(namespace, ["--dry-run"], { KUBECONFIG });
    expect(seen).toMatchObject({ code: 0, stdout: expect.stringContaining("would remove 1 Jobs: 1 finished") });
    const refused = await cleanUp(namespace, [], { KUBECONFIG });
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toMatch(/^[^\n]*cannot delete resource "jobs"[^\n]*; removed before: 0 Jobs[^\n]*\n$/);
    expect(await namesOf(namespace)).toEqual(["ended"]);
    const elsewhere = await cleanUp(namespace, ["--namespace", "default"], { KUBECONFIG });
    expect(elsewhere).toMatchObject({ code: 1, stdout: "" });
    expect(elsewhere.stderr).toMatch(/^[^\n]*cannot list resource "jobs"[^\n]* "default"[^\n]*\n$/);
  });

  test("of wrong arguments ends with 2 and the usage", async () => {
    await using namespace = await temporaryNamespace();
    await makeEnded(namespace, "ended", 60 * MINUTE_MS);
    for (const [words, said] of [
      [["--older-than", "10"], /^--older-than "10": a time such as 90s, 10m, 2h or 1d is wanted\nusage: /],
      [["--older-than", "1w"], /^--older-than "1w": /],
      [["--namespace", "Not_A_Name"], /^--namespace "Not_A_Name": /],
      [["--namespace", ""], /^--namespace "": /],
      [["--force"], /^[^\n]*--force[^\n]*\nusage: /],
      [["everything"], /^[^\n]*everything[^\n]*\nusage: /],
    ] as const) {
      expect(await cleanUp(namespace, words)).toEqual({ code: 2, stdout: "", stderr: expect.stringMatching(said) });
    }
    expect(await namesOf(namespace)).toEqual(["ended"]);
  });

  test("of a cluster that can't be reached is one line", async () => {
    await using namespace = await temporaryNamespace();
    const refused = await cleanUp(namespace, [], { KUBECONFIG: "/nowhere/kubeconfig" });
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toMatch(/^KUBECONFIG="\/nowhere\/kubeconfig" names no cluster that can be used: [^\n]*\n$/);
  });
});
