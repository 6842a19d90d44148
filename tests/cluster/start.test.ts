import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { accountOf } from "../support/account.ts";
import type { Client } from "../support/client.ts";
import { HEALTH } from "../support/answers.ts";
import { clusterSettings, look, lookAll, make, serveIn, temporaryNamespace } from "../support/cluster.ts";
import type { Namespace } from "../support/cluster.ts";
import { startRefused } from "../support/server.ts";
import type { Settings } from "../support/server.ts";
import { templates } from "../support/templates.ts";
import { eventually } from "../support/time.ts";

const HELLO = { language: "bash", code: "echo hello" };

/** The one line with which a server refuses to start. */
async function refusal(namespace: Namespace, settings: Settings): Promise<string> {
  const { code, output } = await startRefused({ ...clusterSettings(namespace), ...settings });
  expect(code).toBe(1);
  expect(output.trim().split("\n")).toHaveLength(1);
  return output;
}

/** The number of the line that has the text. */
async function lineOf(path: string, text: string): Promise<number> {
  const line = (await readFile(path, "utf8")).split("\n").findIndex((each) => each.includes(text));
  expect(line).toBeGreaterThanOrEqual(0);
  return line + 1;
}

describe("a template that can't be used is refused at the start, with its file, line and field", () => {
  const cases: [what: string, file: string, change: (text: string) => string, place: string, says: RegExp][] = [
    [
      "a field that Kubernetes does not know",
      "job.yaml",
      (text) => text.replace("enableServiceLinks:", "enableServiceLink:"),
      "enableServiceLink:",
      /spec\.template\.spec\.enableServiceLink: is unknown/,
    ],
    [
      "a value of the wrong type",
      "job.yaml",
      (text) => text.replace("backoffLimit: 0", "backoffLimit: none"),
      "backoffLimit: none",
      /spec\.backoffLimit: is a string; int32 is wanted/,
    ],
    [
      "a value that is not allowed",
      "job.yaml",
      (text) => text.replace("restartPolicy: Never", "restartPolicy: Sometimes"),
      "restartPolicy: Sometimes",
      /spec\.template\.spec\.restartPolicy: .*Sometimes/,
    ],
    [
      "no container for the program",
      "job.yaml",
      (text) => text.replace("- name: sandbox", "- name: sandboxes"),
      "containers:",
      /spec\.template\.spec\.containers: a container named sandbox is wanted/,
    ],
    ["what is no YAML", "job.yaml", (text) => `${text}\n  - [\n`, "", /job\.yaml:\d+: /],
    [
      "a field of one language's own file",
      "bash.yaml",
      () => "spec:\n  template:\n    spec:\n      priority: high\n",
      "priority: high",
      /spec\.template\.spec\.priority/,
    ],
  ];

  test.for(cases)("%s", async ([, file, change, place, says]) => {
    await using namespace = await temporaryNamespace();
    await using folder = await templates({ [file]: change });
    const line = await refusal(namespace, { JOB_TEMPLATE_DIR: folder.path });
    expect(line).toMatch(says);
    if (place !== "")
      expect(line).toContain(`${folder.path}/${file}:${await lineOf(join(folder.path, file), place)}: `);
    expect(await lookAll(namespace.jobs)).toEqual([]);
  });

  test("no folder at all", async () => {
    await using namespace = await temporaryNamespace();
    expect(await refusal(namespace, { JOB_TEMPLATE_DIR: "/no/such/folder" })).toMatch(
      /\/no\/such\/folder\/job\.yaml is not there/,
    );
  });
});

describe("a cluster that can't be used is told in one line", () => {
  test("a namespace that is not there", async () => {
    await using namespace = await temporaryNamespace();
    const line = await refusal(namespace, { KUBERNETES_NAMESPACE: "no-such-namespace" });
    expect(line).toMatch(/^KUBERNETES_NAMESPACE="no-such-namespace" is not there: .*; create it, or name another/);
  });

  test("an API server that does not answer", async () => {
    await using namespace = await temporaryNamespace();
    await using folder = await templates({
      kubeconfig: () =>
        JSON.stringify({
          "current-context": "x",
          clusters: [{ name: "x", cluster: { server: "https://127.0.0.1:1" } }],
          users: [{ name: "x", user: {} }],
          contexts: [{ name: "x", context: { cluster: "x", user: "x" } }],
        }),
    });
    const line = await refusal(namespace, { KUBECONFIG: join(folder.path, "kubeconfig") });
    expect(line).toMatch(/^BACKEND=kubernetes: the API server can't be reached: .*ECONNREFUSED/);
  });

  test("a kubeconfig that is none", async () => {
    await using namespace = await temporaryNamespace();
    expect(await refusal(namespace, { KUBECONFIG: "/no/such/file" })).toMatch(
      /^KUBECONFIG="\/no\/such\/file" names no cluster that can be used: /,
    );
  });
});

describe("an account that lacks a right", () => {
  const full = [
    { apiGroups: ["batch"], resources: ["jobs"], verbs: ["create", "get", "list", "watch", "patch"] },
    { apiGroups: [""], resources: ["pods"], verbs: ["list", "watch"] },
    { apiGroups: [""], resources: ["pods/log"], verbs: ["get"] },
    { apiGroups: [""], resources: ["pods/attach"], verbs: ["create", "get"] },
    { apiGroups: [""], resources: ["events"], verbs: ["list"] },
  ];

  /** A kubeconfig of an account with all rights of `full` but those that `without` takes out. */
  async function accountWithout(namespace: Namespace, without: (rule: (typeof full)[number]) => string[]) {
    const { name } = namespace;
    const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${name}`;
    const metadata = { name: "limited" };
    const rules = full.map((rule) => ({ ...rule, verbs: without(rule) })).filter(({ verbs }) => verbs.length > 0);
    const group = "rbac.authorization.k8s.io";
    await make(`/api/v1/namespaces/${name}/serviceaccounts`, { apiVersion: "v1", kind: "ServiceAccount", metadata });
    await make(`${rbac}/roles`, { apiVersion: `${group}/v1`, kind: "Role", metadata, rules });
    await make(`${rbac}/rolebindings`, {
      apiVersion: `${group}/v1`,
      kind: "RoleBinding",
      metadata,
      roleRef: { apiGroup: group, kind: "Role", name: "limited" },
      subjects: [{ kind: "ServiceAccount", name: "limited", namespace: name }],
    });
    return await accountOf(name, "limited");
  }

  test("has all that is needed with those of the README", async () => {
    await using namespace = await temporaryNamespace();
    await using account = await accountWithout(namespace, ({ verbs }) => verbs);
    await using replica = await serveIn(namespace, { KUBECONFIG: account.kubeconfig });
    expect(await replica.api.run(HELLO)).toMatchObject({ status: "succeeded", stdout: "hello\n" });
    const response = await replica.api.fetch("GET", "/readyz");
    expect({ status: response.status, body: await response.json() }).toEqual({
      status: 200,
      body: { status: "ready", problems: [] },
    });
    const { id } = await replica.api.submit({ language: "bash", code: "sleep 60" });
    expect(await replica.api.cancel(id)).toMatchObject({ status: "cancelled" });
  });

  async function problemsOf(api: Client): Promise<string[]> {
    return await eventually(30_000, "the account's rights", async () => {
      const response = await api.fetch("GET", "/readyz");
      const { problems } = HEALTH.parse(await response.json());
      return response.status === 503 ? problems : undefined;
    });
  }

  test("for anything makes the server unready, with one line for them all", async () => {
    await using namespace = await temporaryNamespace();
    await using account = await accountWithout(namespace, () => []);
    await using replica = await serveIn(namespace, { KUBECONFIG: account.kubeconfig });
    const problems = await problemsOf(replica.api);
    // Beside it are the API server's own words for what the server tries to watch.
    expect(problems.filter((problem) => problem.startsWith("the account may"))).toEqual([
      `the account may do nothing in namespace ${namespace.name}: it is not there, or has no RoleBinding with a Role for the account`,
    ]);
  });

  test.for([
    ["jobs", "create", /^the account may not create jobs in API group batch in namespace/],
    ["pods", "watch", /^the account may not watch pods in namespace/],
    ["pods/log", "get", /^the account may not get pods\/log in namespace/],
  ] as const)("for %s: %s makes the server unready, with the verb that is missing", async ([resource, verb, says]) => {
    await using namespace = await temporaryNamespace();
    await using account = await accountWithout(namespace, ({ resources, verbs }) =>
      resources.includes(resource) ? verbs.filter((each) => each !== verb) : verbs,
    );
    await using replica = await serveIn(namespace, { KUBECONFIG: account.kubeconfig });
    const problems = await problemsOf(replica.api);
    expect(problems.filter((problem) => says.test(problem))).toHaveLength(1);
    if (resource === "jobs") {
      const { status, error } = await replica.api.refused(replica.api.post("/api/run", HELLO));
      expect({ status, code: error.code }).toEqual({ status: 503, code: "unavailable" });
      expect(error.message).toMatch(/cannot create resource "jobs" in API group "batch"/);
    }
    if (resource === "pods/log") {
      const result = await replica.api.run(HELLO);
      expect(result).toMatchObject({
        status: "lost",
        reason: expect.stringMatching(/cannot get resource "pods\/log"/),
      });
      expect(await look(`${namespace.jobs}/${result.id}`)).toBeDefined();
    }
  });
});
