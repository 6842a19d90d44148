import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { test as base, describe, expect } from "vitest";
import { parseAllDocuments } from "yaml";
import { z } from "zod";

import { CHART } from "../support/chart.ts";
import { look } from "../support/cluster.ts";
import { helm, kubectl } from "../support/commands.ts";
import { Deployer } from "../support/deployer.ts";

const KINDS = join(import.meta.dirname, "optional-kinds.yaml");
const KIND = z.looseObject({ metadata: z.looseObject({ name: z.string() }) });

/** Makes those kinds of optional-kinds.yaml that the cluster does not have, for as long as the stack. */
async function makeKinds(stack: AsyncDisposableStack): Promise<void> {
  for (const document of parseAllDocuments(await readFile(KINDS, "utf8"))) {
    const kind = KIND.parse(document.toJS());
    const { name } = kind.metadata;
    if ((await look(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`)) !== undefined) continue;
    await kubectl(["create", "-f", "-"], JSON.stringify(kind));
    stack.defer(async () => void (await kubectl(["delete", "customresourcedefinition", name, "--timeout=60s"])));
    await kubectl(["wait", "customresourcedefinition", name, "--for=condition=Established", "--timeout=60s"]);
  }
}

/** Namespaces as k8s/rbac-ci.yml makes them, in a cluster that has all kinds. */
const test = base.extend("deployer", { scope: "file" }, async ({}, { onCleanup }) => {
  const stack = new AsyncDisposableStack();
  onCleanup(() => stack.disposeAsync());
  await makeKinds(stack);
  return stack.use(await Deployer.make());
});

const host = "sandbox.example.org";
const parentRefs = [{ name: "public", namespace: "gateways" }];
const ISSUER = { enabled: true, email: "ops@example.org" };
/** All that is off unless it is asked for, and what fills the places that are empty. */
const EVERYTHING = {
  ingress: { enabled: true, host, annotations: { own: "one" } },
  httpRoute: { enabled: true, host, parentRefs },
  autoscaling: { enabled: true },
  metrics: { serviceMonitor: { enabled: true, labels: { release: "one" } }, dashboard: { enabled: true } },
  networkPolicy: { clients: [{ ipBlock: { cidr: "0.0.0.0/0" } }], apiServer: { cidrs: ["10.0.0.0/8"] } },
  service: { type: "NodePort", annotations: { own: "one" } },
  serviceAccount: { annotations: { own: "one" } },
  images: { pullSecrets: ["registry"], languages: { python: "sandbox/python@sha256:0" } },
  sandbox: { jobTemplates: { "java.yaml": "spec: {}\n" } },
  nodeSelector: { "kubernetes.io/os": "linux" },
  tolerations: [{ key: "spot", operator: "Exists" }],
  affinity: { nodeAffinity: {} },
  podAnnotations: { own: "one" },
};
const OPTIONAL = [
  "ingress.networking.k8s.io/sandbox-api",
  "httproute.gateway.networking.k8s.io/sandbox-api",
  "horizontalpodautoscaler.autoscaling/sandbox-api",
  "servicemonitor.monitoring.coreos.com/sandbox-api",
  "configmap/sandbox-api-dashboard",
];

/** What the API server says of what the chart makes of the values: it takes each object, and keeps none. */
async function dryRun(deployer: Deployer, values: unknown, { templates = [""], as = "" } = {}): Promise<string> {
  const { namespace, sandboxes } = deployer;
  const only = templates.flatMap((name) => (name === "" ? [] : ["--show-only", `templates/${name}.yaml`]));
  const words = ["template", "sandbox", CHART, "--no-hooks", "-n", namespace, ...only, "-f", "-"];
  const documents = (await helm(words, values)).split(/^---$/m);
  const account = as === "" ? [] : ["--as", `system:serviceaccount:${namespace}:${as}`];
  const apply = ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", "-"];
  const elsewhere = documents.filter((text) => text.includes(`  namespace: ${sandboxes}\n`));
  const own = documents.filter((text) => !elsewhere.includes(text));
  const answer = await kubectl([...account, "-n", namespace, ...apply], own.join("---"));
  return elsewhere.length === 0 ? answer : answer + (await kubectl([...account, ...apply], elsewhere.join("---")));
}

/** The names of the objects that were taken. */
function taken(answer: string): string[] {
  return [...answer.matchAll(/^(\S+) serverside-applied \(server dry run\)$/gm)].map(([, name]) => name ?? "");
}

describe("the API server takes every optional part", () => {
  test("of an installation with an Ingress", async ({ deployer }) => {
    const objects = taken(await dryRun(deployer, { ...EVERYTHING, clusterIssuer: ISSUER }));
    const issuer = "clusterissuer.cert-manager.io/sandbox-api-letsencrypt-staging";
    expect(objects).toEqual(expect.arrayContaining([...OPTIONAL, issuer]));
  });

  test("of one with a Gateway, without keys", async ({ deployer }) => {
    const values = {
      httpRoute: EVERYTHING.httpRoute,
      clusterIssuer: { ...ISSUER, environment: "production" },
      metrics: EVERYTHING.metrics,
      apiKeys: { anonymous: true },
    };
    const objects = taken(await dryRun(deployer, values));
    const issuer = "clusterissuer.cert-manager.io/sandbox-api-letsencrypt-production";
    expect(objects).toEqual(expect.arrayContaining([...OPTIONAL.filter((name) => /route|monitor/.test(name)), issuer]));
  });

  test("from the account of k8s/rbac-ci.yml, but for what belongs to the cluster", async ({ deployer }) => {
    const templates = ["ingress", "http-route", "scaling", "metrics"];
    const objects = taken(await dryRun(deployer, EVERYTHING, { templates, as: "deployer" }));
    expect(objects.toSorted()).toEqual([...OPTIONAL, "poddisruptionbudget.policy/sandbox-api"].toSorted());
    const issuer = { templates: ["cluster-issuer"], as: "deployer" };
    await expect(dryRun(deployer, { clusterIssuer: ISSUER }, issuer)).rejects.toThrow(
      /clusterissuers\.cert-manager\.io .*forbidden/,
    );
  });

  test("and refuses what is none", async ({ deployer }) => {
    const refs = [{ name: "public", namespaces: "gateways" }];
    await expect(dryRun(deployer, { httpRoute: { ...EVERYTHING.httpRoute, parentRefs: refs } })).rejects.toThrow(
      ".spec.parentRefs[0].namespaces: field not declared in schema",
    );
  });
});
