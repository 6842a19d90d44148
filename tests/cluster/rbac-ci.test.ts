import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { test as base, describe, expect } from "vitest";
import { z } from "zod";

import { look } from "../support/cluster.ts";
import { helm } from "../support/commands.ts";
import { Deployer } from "../support/deployer.ts";

/** An image that no registry and no node has. */
const MISSING = `sha256:${"0".repeat(64)}`;
/** Of a Pod's start, a run and as much again of going back, on a machine that is busy: with all limits of scripts/deploy.sh. */
const DEPLOYMENT = { timeout: 900_000 };

const test = base.extend("deployer", { scope: "file" }, async ({}, { onCleanup }) => {
  const deployer = await Deployer.make();
  onCleanup(() => deployer[Symbol.asyncDispose]());
  return deployer;
});

describe("the account of k8s/rbac-ci.yml", () => {
  test("installs the chart, and tries it with a run", DEPLOYMENT, async ({ deployer }) => {
    const { code, stdout, stderr } = await deployer.deploy();
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining(String.raw`\"stdout\":\"3\\n\"`) });
    expect(stdout).toMatch(/Phase: +Succeeded/);
    expect(await deployer.state()).toEqual({ image: "sandbox/api:latest", revisions: ["deployed"] });
  });

  test(
    "goes back when new servers don't start, here with images that are nowhere",
    DEPLOYMENT,
    async ({ deployer }) => {
      const images = join(deployer.folder, "images.txt");
      const names = ["api", "python-data"].map((name) => `registry.example/team/sandbox/${name}:latest`);
      await writeFile(images, names.map((name) => `${name} ${MISSING}\n`).join(""));
      const { code, stderr } = await deployer.deploy("--images", images, "--timeout", "30s");
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("has been rolled back") });
      expect(await deployer.state()).toEqual({
        image: "sandbox/api:latest",
        revisions: ["superseded", "failed", "deployed"],
      });
      const command = ["get", "values", "sandbox", "-n", deployer.namespace, "--revision", "2", "-o", "json"];
      expect(JSON.parse(await helm(command))).toMatchObject({
        images: {
          api: `registry.example/team/sandbox/api@${MISSING}`,
          languages: { "python-data": `registry.example/team/sandbox/python-data@${MISSING}` },
        },
      });
    },
  );

  test("goes back when servers start but run no programs", DEPLOYMENT, async ({ deployer }) => {
    const python = `images.languages.python=registry.example/python@${MISSING}`;
    const { code, stderr } = await deployer.deploy("--set-string", python);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("going back to revision 3") });
    const { revisions } = await deployer.state();
    expect(revisions).toEqual(["superseded", "failed", "superseded", "superseded", "deployed"]);
    const settings = await look(`/api/v1/namespaces/${deployer.namespace}/configmaps/sandbox-api-settings`);
    expect(JSON.stringify(settings)).not.toContain("SANDBOX_IMAGE_PYTHON");
  });

  test(
    "takes over a release that was installed without it, here by a token, and deletes no namespace",
    DEPLOYMENT,
    async () => {
      await using deployer = await Deployer.make({ installed: true });
      const { code, stderr, server, audiences } = await deployer.deployByToken();
      expect({ code, stderr }).toMatchObject({ code: 0 });
      expect(new Set(audiences)).toEqual(new Set([server]));
      expect((await deployer.state()).revisions).toEqual(["superseded", "deployed"]);
      const sandboxes = await look(`/api/v1/namespaces/${deployer.sandboxes}`);
      expect(sandboxes?.status).toEqual({ phase: "Active" });
    },
  );
});

const RIGHT = /^(?<verb>\S+) (?<resource>[a-z]+)(?:\.(?<group>[^/ ]+))?(?:\/(?<subresource>\S+))?(?: (?<name>\S+))?$/;

/** `verb resource.group/subresource name`, of which only the first two are always there, as the API server takes it. */
function attributes(right: string, namespace: string): object {
  const parts = RIGHT.exec(right)?.groups;
  if (parts === undefined) throw new Error(`${right} is no right`);
  return { ...parts, namespace };
}

const REVIEW = z.object({ status: z.object({ allowed: z.boolean() }) });

/** Those of the rights that the account has in the namespace (empty: on the cluster), as the API server itself says. */
async function rightsAmong(rights: readonly string[], namespace: string, deployer: Deployer): Promise<string[]> {
  const client = deployer.client();
  const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
  const kind = { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectAccessReview" };
  const allowed: string[] = [];
  for (const right of rights) {
    const body = { ...kind, spec: { resourceAttributes: attributes(right, namespace) } };
    if ((await client.call(REVIEW, "POST", path, { body })).status.allowed) allowed.push(right);
  }
  return allowed;
}

const OF_THE_CLUSTER = [
  "create namespaces",
  "patch namespaces",
  "delete namespaces",
  "get nodes",
  "create persistentvolumes",
  "impersonate users",
  "impersonate groups",
  "create priorityclasses.scheduling.k8s.io",
  "create clusterissuers.cert-manager.io",
  "create clusterroles.rbac.authorization.k8s.io",
  "create clusterrolebindings.rbac.authorization.k8s.io",
  "create customresourcedefinitions.apiextensions.k8s.io",
  "create validatingwebhookconfigurations.admissionregistration.k8s.io",
  "create tokenreviews.authentication.k8s.io",
];
const INTO_CONTAINERS = [
  "get pods/exec",
  "create pods/exec",
  "create pods/attach",
  "create pods/portforward",
  "patch pods/ephemeralcontainers",
  "get pods/proxy",
  "create services/proxy",
  "create serviceaccounts/token",
  "impersonate serviceaccounts",
];
const OF_OTHERS = [
  "get secrets",
  "list secrets",
  "get configmaps",
  "list pods",
  "get pods/log",
  "create pods",
  "create services",
  "create deployments.apps",
  "create jobs.batch",
  "create networkpolicies.networking.k8s.io",
  "create roles.rbac.authorization.k8s.io",
  "create rolebindings.rbac.authorization.k8s.io",
];
const BEYOND_THE_RELEASE = [
  "create roles.rbac.authorization.k8s.io",
  "create rolebindings.rbac.authorization.k8s.io",
  "create jobs.batch",
  "create daemonsets.apps",
  "delete replicasets.apps",
  "create resourcequotas",
  "create persistentvolumeclaims",
];
const BEYOND_SANDBOXES = [
  "get secrets",
  "list secrets",
  "create secrets",
  "get configmaps",
  "create services",
  "create pods",
  "patch pods",
  "create deployments.apps",
  "create cronjobs.batch",
  "update jobs.batch",
  "delete jobs.batch",
  "bind roles.rbac.authorization.k8s.io",
  "escalate roles.rbac.authorization.k8s.io",
  "patch roles.rbac.authorization.k8s.io deployer",
  "delete rolebindings.rbac.authorization.k8s.io deployer",
];

describe("the account of k8s/rbac-ci.yml has no right", () => {
  test("on the cluster", async ({ deployer }) => {
    expect(await rightsAmong(OF_THE_CLUSTER, "", deployer)).toEqual([]);
  });

  test.for(["default", "kube-system"])("in the namespace %s", async (namespace, { deployer }) => {
    expect(await rightsAmong([...OF_OTHERS, ...INTO_CONTAINERS], namespace, deployer)).toEqual([]);
  });

  test("to enter containers of its own namespaces, or to do there what the chart does not", async ({ deployer }) => {
    const release = [...BEYOND_THE_RELEASE, ...INTO_CONTAINERS];
    expect(await rightsAmong(["get secrets", ...release], deployer.namespace, deployer)).toEqual(["get secrets"]);
    // The servers write to the stdin of sandboxes, which who grants that right must have.
    const sandboxes = [...BEYOND_SANDBOXES, ...INTO_CONTAINERS.filter((right) => right !== "create pods/attach")];
    expect(await rightsAmong(["list pods", ...sandboxes], deployer.sandboxes, deployer)).toEqual(["list pods"]);
  });

  test("to grant what it does not have", async ({ deployer }) => {
    const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/${deployer.sandboxes}`;
    const metadata = { name: "more" };
    const rules = [{ apiGroups: [""], resources: ["secrets"], verbs: ["get"] }];
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "admin" };
    const subjects = [{ kind: "ServiceAccount", name: "deployer", namespace: deployer.namespace }];
    const client = deployer.client();
    const refusal = "attempting to grant RBAC permissions not currently held";
    await expect(client.call(z.unknown(), "POST", `${path}/roles`, { body: { metadata, rules } })).rejects.toThrow(
      refusal,
    );
    const binding = { metadata, roleRef, subjects };
    await expect(client.call(z.unknown(), "POST", `${path}/rolebindings`, { body: binding })).rejects.toThrow(refusal);
  });
});
