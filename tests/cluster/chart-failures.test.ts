import { test as base, describe, expect } from "vitest";

import { Release } from "../support/chart.ts";
import type { Values } from "../support/chart.ts";
import type { Client } from "../support/client.ts";
import { make, patch } from "../support/cluster.ts";
import { kubectl } from "../support/commands.ts";
import { eventually } from "../support/time.ts";

const HELLO = { language: "bash", code: "echo hello" };

/** One installation for the whole file, whose Role the test makes. */
const test = base.extend("release", { scope: "file" }, async ({}, { onCleanup }) => {
  const release = new Release();
  onCleanup(() => release[Symbol.asyncDispose]());
  return release;
});

/** An upgrade to values that no server starts with. */
async function upgrade(release: Release, values: Values): Promise<void> {
  await release.install({ rbac: { create: false }, ...values }, ["--wait=hookOnly"]);
}

async function secret(release: Release, name: string, stringData: Record<string, string>): Promise<void> {
  const path = `/api/v1/namespaces/${release.namespace}/secrets`;
  await make(path, { apiVersion: "v1", kind: "Secret", metadata: { name }, stringData });
}

async function problems(api: Client): Promise<string> {
  return await (await api.fetch("GET", "/readyz")).text();
}

test("a namespace that is missing stops the installation, with its name", async () => {
  await using release = new Release();
  const refusal = await release.installRefused({ sandbox: { createNamespace: false } });
  expect(refusal).toContain(`namespaces "${release.sandboxes}" not found`);
});

test("a Role that lacks pods/log is named by /readyz, until it has it", async ({ release }) => {
  await upgrade(release, {});
  const rules = [
    { apiGroups: ["batch"], resources: ["jobs"], verbs: ["create", "get", "list", "watch", "patch"] },
    { apiGroups: [""], resources: ["pods"], verbs: ["list", "watch"] },
    { apiGroups: [""], resources: ["pods/attach"], verbs: ["create", "get"] },
    { apiGroups: [""], resources: ["events"], verbs: ["list"] },
  ];
  const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${release.sandboxes}`;
  await make(`${rbac}/roles`, {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata: { name: "own" },
    rules,
  });
  await make(`${rbac}/rolebindings`, {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata: { name: "own" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "own" },
    subjects: [{ kind: "ServiceAccount", name: "sandbox-api", namespace: release.namespace }],
  });
  await eventually(90_000, "a server that runs", async () => {
    return JSON.stringify((await release.servers())[0]?.status).includes('"started":true') || undefined;
  });
  await using reached = await release.reach("deployment/sandbox-api", 8080);
  const missing = `the account may not get pods/log in namespace ${release.sandboxes}: its Role lacks that verb`;
  const told = await eventually(60_000, "the problem alone", async () => {
    const text = await problems(reached.api);
    return text.includes("may do nothing") ? undefined : text;
  });
  expect(JSON.parse(told)).toEqual({ status: "unavailable", problems: [missing] });
  await patch(`${rbac}/roles/own`, { rules: [...rules, { apiGroups: [""], resources: ["pods/log"], verbs: ["get"] }] });
  await kubectl(["-n", release.namespace, "rollout", "status", "deployment/sandbox-api", "--timeout=120s"]);
  expect(await reached.api.run(HELLO)).toMatchObject({ status: "succeeded", stdout: "hello\n" });
});

test("an image that is not there: a language's is told by its runs, the service's own by helm, and the old servers go on", async ({
  release,
}) => {
  await release.install({ rbac: { create: false }, images: { languages: { bash: "sandbox/bash:no-such-tag" } } });
  {
    await using reached = await release.reach();
    const result = await reached.api.run(HELLO);
    expect(result.status).toBe("lost");
    expect(result.reason).toMatch(/^the image cannot be pulled \(ImagePullBackOff: .*sandbox\/bash:no-such-tag/);
  }
  const wait = ["--wait", "--timeout", "15s"];
  const refusal = await release.installRefused(
    { rbac: { create: false }, images: { api: "sandbox/api:no-such-tag" } },
    wait,
  );
  expect(refusal).toMatch(/Deployment\/.*sandbox-api/);
  const pods = JSON.stringify(await release.servers());
  expect(pods).toMatch(/"reason":"(?:ImagePullBackOff|ErrImagePull)"/);
  expect(pods).toContain("sandbox/api:no-such-tag");
  await using reached = await release.reach();
  expect(await reached.api.run({ language: "python", code: "print(3)" })).toMatchObject({ stdout: "3\n" });
});

describe("a server that can't start tells why in one line, as its Pod's last message", () => {
  test("when a setting is wrong", async ({ release }) => {
    await upgrade(release, { settings: { MAX_RUNNING: "many" } });
    expect(await release.lastWords(/MAX_RUNNING/)).toBe(
      'MAX_RUNNING="many" is not allowed: an integer from 1 to 100000 is wanted\n',
    );
  });

  test("when the Job template is wrong", async ({ release }) => {
    await upgrade(release, { sandbox: { jobTemplates: { "java.yaml": "spec: { backoffLimits: 1 }\n" } } });
    expect(await release.lastWords(/java\.yaml/)).toBe(
      "/etc/sandbox-api/templates/java.yaml:1: spec.backoffLimits: is unknown\n",
    );
  });

  test("when the Secret has no keys, or is not there", async ({ release }) => {
    const file = "/etc/sandbox-api/keys/api-keys";
    await secret(release, "empty", { "api-keys": "# none\n" });
    await upgrade(release, { apiKeys: { existingSecret: "empty" } });
    expect(await release.lastWords(/has no keys/)).toMatch(new RegExp(`^API_KEYS: file ${file} has no keys; .*\n$`));
    await upgrade(release, { apiKeys: { existingSecret: "missing" } });
    expect(await release.lastWords(/ENOENT/)).toMatch(new RegExp(`^API_KEYS: file ${file} can't be read: ENOENT.*\n$`));
  });
});

test("a Secret without an entry that is wanted is refused by helm", async ({ release }) => {
  await secret(release, "other", { keys: "ada:0123456789abcdef" });
  expect(await release.installRefused({ apiKeys: { existingSecret: "other" } })).toContain(
    `the Secret other in namespace ${release.namespace} has no entry api-keys`,
  );
  await secret(release, "bare", { "api-keys": "ada:0123456789abcdef" });
  const metrics = { serviceMonitor: { enabled: true } };
  expect(await release.installRefused({ apiKeys: { existingSecret: "bare" }, metrics })).toContain(
    `the Secret bare in namespace ${release.namespace} has no entry key`,
  );
});
