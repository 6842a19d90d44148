import { test as base, describe, expect } from "vitest";
import { z } from "zod";

import { KubernetesClient } from "../../backends/kubernetes/kubernetes-client.ts";
import { accountOf } from "../support/account.ts";
import { Release } from "../support/chart.ts";
import { look, lookAll } from "../support/cluster.ts";
import { helm, kubectl } from "../support/commands.ts";

const ADDING = { language: "python", code: "a, b = 1, 2\nprint(a + b)" };

/** One installation for the whole file. */
const test = base.extend("release", { scope: "file" }, async ({}, { onCleanup }) => {
  const release = new Release();
  onCleanup(() => release[Symbol.asyncDispose]());
  const notes = await release.install();
  expect(notes).toContain(`kubectl -n ${release.namespace} port-forward service/sandbox-api 8080:80`);
  expect(notes).toContain("curl -s http://localhost:8080/api/run/sync");
  return release;
});

test("one command makes an API that answers through its Service, to whoever has the key", async ({ release }) => {
  await using reached = await release.reach();
  expect(await reached.api.run(ADDING)).toMatchObject({ status: "succeeded", stdout: "3\n", exit_code: 0 });
  const stranger = reached.api.with({ "x-api-key": "not-the-key-at-all" });
  expect((await stranger.refused(stranger.post("/api/run/sync", ADDING))).status).toBe(401);
  const ready = await reached.api.fetch("GET", "/readyz");
  expect(await ready.json()).toEqual({ status: "ready", problems: [] });
});

test("helm test runs a program inside the cluster and leaves nothing", async ({ release }) => {
  expect(await helm(["test", release.name, "-n", release.namespace, "--timeout", "4m"])).toContain("Succeeded");
  expect(await look(`/api/v1/namespaces/${release.namespace}/pods/sandbox-api-test`)).toBeUndefined();
});

test("servers and sandboxes are as closed as Kubernetes can make them", async ({ release }) => {
  const [server] = await release.servers();
  expect(server?.spec).toMatchObject({
    enableServiceLinks: false,
    securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: "RuntimeDefault" } },
    containers: [
      {
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        },
      },
    ],
  });
  const namespace = await look(`/api/v1/namespaces/${release.sandboxes}`);
  expect(namespace?.metadata.labels).toMatchObject({ "pod-security.kubernetes.io/enforce": "restricted" });
  const [pod] = await lookAll(`/api/v1/namespaces/${release.sandboxes}/pods`);
  expect(pod?.spec).toMatchObject({
    serviceAccountName: "sandbox",
    automountServiceAccountToken: false,
    priority: -10,
    preemptionPolicy: "Never",
  });
});

const REVIEW = z.object({ status: z.object({ allowed: z.boolean() }) });
const RULES = z.object({
  status: z.object({
    resourceRules: z.array(
      z.object({
        verbs: z.array(z.string()),
        apiGroups: z.array(z.string()).optional(),
        resources: z.array(z.string()).optional(),
      }),
    ),
  }),
});

/** `verb group/resource` of each rule that the account has in the namespace, as the API server itself says. */
async function rightsIn(client: KubernetesClient, namespace: string): Promise<string[]> {
  const path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
  const body = { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectRulesReview", spec: { namespace } };
  const { status } = await client.call(RULES, "POST", path, { body });
  return status.resourceRules
    .flatMap(({ verbs, apiGroups = [""], resources = [] }) =>
      apiGroups.flatMap((group) => resources.flatMap((name) => verbs.map((verb) => `${verb} ${group}/${name}`))),
    )
    .toSorted();
}

/** What everybody may who has an account: ask what they may (system:basic-user). */
const EVERYBODY = [
  "create authentication.k8s.io/selfsubjectreviews",
  "create authorization.k8s.io/selfsubjectaccessreviews",
  "create authorization.k8s.io/selfsubjectrulesreviews",
];
const IN_SANDBOXES = [
  ...["create", "get", "list", "patch", "watch"].map((verb) => `${verb} batch/jobs`),
  ...["create /pods/attach", "get /pods/attach", "get /pods/log", "list /events", "list /pods", "watch /pods"],
];

describe("the servers' account", () => {
  test("may what its Role says in the sandboxes' namespace, and nothing in any other", async ({ release }) => {
    await using account = await accountOf(release.namespace, "sandbox-api");
    const client = KubernetesClient.load(account.kubeconfig);
    expect(await rightsIn(client, release.sandboxes)).toEqual([...EVERYBODY, ...IN_SANDBOXES].toSorted());
    for (const namespace of [release.namespace, "default", "kube-system"]) {
      expect(await rightsIn(client, namespace)).toEqual(EVERYBODY);
    }
  });

  test.for([
    ["get", "", "secrets", ""],
    ["get", "", "pods", ""],
    ["create", "", "pods", ""],
    ["delete", "", "pods", ""],
    ["create", "", "pods", "exec"],
    ["create", "", "pods", "portforward"],
    ["create", "", "pods", "ephemeralcontainers"],
    ["delete", "batch", "jobs", ""],
    ["update", "batch", "jobs", ""],
    ["create", "batch", "cronjobs", ""],
    ["create", "", "serviceaccounts", "token"],
    ["create", "rbac.authorization.k8s.io", "rolebindings", ""],
    ["escalate", "rbac.authorization.k8s.io", "roles", ""],
    ["delete", "networking.k8s.io", "networkpolicies", ""],
    ["*", "*", "*", ""],
  ] as const)("may not %s %s/%s %s", async ([verb, group, resource, subresource], { release }) => {
    await using account = await accountOf(release.namespace, "sandbox-api");
    const client = KubernetesClient.load(account.kubeconfig);
    const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    const resourceAttributes = { namespace: release.sandboxes, verb, group, resource, subresource };
    const body = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes },
    };
    expect(await client.call(REVIEW, "POST", path, { body })).toEqual({ status: { allowed: false } });
  });

  test("of sandboxes has no right at all", async ({ release }) => {
    await using account = await accountOf(release.sandboxes, "sandbox");
    expect(await rightsIn(KubernetesClient.load(account.kubeconfig), release.sandboxes)).toEqual(EVERYBODY);
  });
});

test("an upgrade leaves the keys as they are", async ({ release }) => {
  const keys = await release.key("api-keys");
  expect(keys).toMatch(/^default:[A-Za-z0-9]{40}\n$/);
  await release.install({ settings: { MAX_QUEUED: 77 } });
  expect(await release.key("api-keys")).toBe(keys);
});

const GVISOR = await look("/apis/node.k8s.io/v1/runtimeclasses/gvisor");

describe("sandboxes that are closed further run programs too, as helm test shows", () => {
  test.for([
    ...(GVISOR === undefined ? [] : [[{ RUNTIME_CLASS: "gvisor" }, { runtimeClassName: "gvisor" }] as const]),
    [{ HOST_USERS: false }, { hostUsers: false }],
  ] as const)("%j", { timeout: 600_000 }, async ([settings, spec], { release }) => {
    await release.install({ settings });
    const before = new Set(
      (await lookAll(`/api/v1/namespaces/${release.sandboxes}/pods`)).map(({ metadata }) => metadata.name),
    );
    expect(await helm(["test", release.name, "-n", release.namespace, "--timeout", "4m"])).toContain("Succeeded");
    const pods = await lookAll(`/api/v1/namespaces/${release.sandboxes}/pods`);
    const pod = pods.find(({ metadata }) => !before.has(metadata.name));
    expect(pod?.spec).toMatchObject(spec);
  });
});

test("an uninstallation leaves nothing but what the notes say", async ({ release }) => {
  const notes = await helm(["get", "notes", release.name, "-n", release.namespace]);
  expect(notes.slice(notes.indexOf("What stays")).trim()).toBe(`What stays:\n  - the namespace ${release.namespace}`);
  await release.uninstall();
  expect(await look(`/api/v1/namespaces/${release.sandboxes}`)).toBeUndefined();
  const kinds = "all,configmaps,secrets,serviceaccounts,roles,rolebindings,networkpolicies,poddisruptionbudgets";
  const words = ["get", kinds, "-n", release.namespace, "-o", "name", "--field-selector"];
  const left = await kubectl([...words, "metadata.name!=kube-root-ca.crt,metadata.name!=default"]);
  expect(left.split("\n").filter((name) => name !== "" && !name.startsWith("pod/"))).toEqual([]);
  const all = ["get", "priorityclasses,clusterroles,clusterrolebindings", "-o", "name"];
  expect(await kubectl([...all, "-l", "app.kubernetes.io/name=sandbox-api"])).not.toContain(release.namespace);
});
