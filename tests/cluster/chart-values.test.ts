import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { z } from "zod";

import { CHART } from "../support/chart.ts";
import { helm, helmRefusal } from "../support/commands.ts";

const TEMPLATE = ["template", "sandbox", CHART, "-n", "apps", "-f", "-"];
const OBJECT = z.looseObject({ kind: z.string(), metadata: z.looseObject({ name: z.string() }) });
type Rendered = z.infer<typeof OBJECT>;

async function render(values: unknown): Promise<Rendered[]> {
  const documents = parseAllDocuments(await helm(TEMPLATE, values));
  return documents.flatMap((document) => (document.toJS() === null ? [] : [OBJECT.parse(document.toJS())]));
}

async function only(kind: string, values: unknown, suffix = ""): Promise<Rendered> {
  const found = (await render(values)).filter(
    (object) => object.kind === kind && object.metadata.name.endsWith(suffix),
  );
  expect(found.map(({ metadata }) => metadata.name)).toHaveLength(1);
  return OBJECT.parse(found[0]);
}

test("it passes helm's own checks", async () => {
  expect(await helm(["lint", "--strict", CHART])).toContain("0 chart(s) failed");
});

describe("wrong values are refused with a message that names them", () => {
  test.for([
    [{ replicas: 0 }, "at '/replicas': minimum: got 0, want 1"],
    [{ replicas: "two" }, "at '/replicas': got string, want integer"],
    [{ replica: 2 }, "'replica' not allowed"],
    [{ images: { pullPolicy: "Sometimes" } }, "at '/images/pullPolicy': value must be one of 'Always'"],
    [{ images: { registry: "https://registry.example" } }, "at '/images/registry'"],
    [{ images: { languages: { pyton: "x" } } }, "at '/images/languages': additional properties 'pyton' not allowed"],
    [{ settings: { MAX_RUNING: 2 } }, "at '/settings': additional properties 'MAX_RUNING' not allowed"],
    [{ settings: { KUBERNETES_NAMESPACE: "x" } }, "'KUBERNETES_NAMESPACE' not allowed"],
    [{ settings: { MAX_RUNNING: [2] } }, "at '/settings/MAX_RUNNING'"],
    [{ warmPool: { python: 0 } }, "at '/warmPool/python': minimum: got 0, want 1"],
    [
      { warmPool: { python: 1 }, settings: { QUEUE_NAME: "queue" } },
      "warmPool and settings.QUEUE_NAME contradict each other",
    ],
    [{ sandbox: { namespace: "My_Space" } }, "at '/sandbox/namespace'"],
    [{ sandbox: { limitRange: { max: { memory: "2 GB" } } } }, "at '/sandbox/limitRange/max/memory'"],
    [{ networkPolicy: { apiServer: { cidrs: ["10.0.0.1"] } } }, "at '/networkPolicy/apiServer/cidrs/0'"],
    [{ settings: { CALLBACK_SECRET: "x" } }, "'CALLBACK_SECRET' not allowed"],
    [{ networkPolicy: { callbacks: [{ from: [] }] } }, "at '/networkPolicy/callbacks/0'"],
    [{ clusterIssuer: { email: "nobody" } }, "at '/clusterIssuer/email': 'nobody'"],
    [{ clusterIssuer: { environment: "test" } }, "at '/clusterIssuer/environment': value must be one of 'staging'"],
    [{ clusterIssuer: { enabled: true } }, "clusterIssuer.email is wanted where clusterIssuer.enabled is true"],
    [{ ingress: { enabled: true } }, "ingress.host is wanted where ingress.enabled is true"],
    [{ httpRoute: { enabled: true } }, "httpRoute.parentRefs is wanted where httpRoute.enabled is true"],
    [
      { apiKeys: { anonymous: true, existingSecret: "keys" } },
      "apiKeys.existingSecret and apiKeys.anonymous contradict",
    ],
    [{ serviceAccount: { create: false } }, "serviceAccount.name is wanted where serviceAccount.create is false"],
    [{ autoscaling: { minReplicas: 9 } }, "autoscaling.minReplicas (9) is more than autoscaling.maxReplicas (6)"],
    [{ sandbox: { namespace: "apps" } }, 'sandbox.namespace is "apps", which is the release\'s own'],
    [{ sandbox: { jobTemplates: { job: { yaml: "x" } } } }, "sandbox.jobTemplates.job is a map; the text of a file"],
  ] as const)("%j", async ([values, message]) => {
    expect(await helmRefusal(TEMPLATE, values)).toContain(message);
  });
});

describe("what needs more than a plain cluster has", () => {
  const host = "sandbox.example.org";

  test("an Ingress has its certificate by the issuer, and no redirect before that is asked for", async () => {
    const issuer = { enabled: true, email: "ops@example.org" };
    const ingress = await only("Ingress", { ingress: { enabled: true, host }, clusterIssuer: issuer });
    expect(ingress).toMatchObject({
      metadata: {
        annotations: {
          "cert-manager.io/cluster-issuer": "sandbox-api-letsencrypt-staging",
          "nginx.ingress.kubernetes.io/ssl-redirect": "false",
        },
      },
      spec: { ingressClassName: "nginx", tls: [{ hosts: [host], secretName: "sandbox-example-org-tls" }] },
    });
    const later = { enabled: true, host, redirectToHttps: true, annotations: { own: "one" } };
    expect((await only("Ingress", { ingress: later })).metadata["annotations"]).toMatchObject({
      own: "one",
      "nginx.ingress.kubernetes.io/ssl-redirect": "true",
    });
  });

  test("a ClusterIssuer of cert-manager asks Let's Encrypt", async () => {
    const production = { enabled: true, email: "ops@example.org", environment: "production", name: "le" };
    expect(await only("ClusterIssuer", { clusterIssuer: production })).toMatchObject({
      apiVersion: "cert-manager.io/v1",
      metadata: { name: "le" },
      spec: {
        acme: {
          server: "https://acme-v02.api.letsencrypt.org/directory",
          email: "ops@example.org",
          privateKeySecretRef: { name: "le" },
          solvers: [{ http01: { ingress: { ingressClassName: "nginx" } } }],
        },
      },
    });
  });

  test("an HTTPRoute leads from Gateways to the Service", async () => {
    const parentRefs = [{ name: "public", namespace: "gateways" }];
    const values = {
      httpRoute: { enabled: true, host, parentRefs },
      clusterIssuer: { enabled: true, email: "ops@example.org" },
    };
    expect(await only("HTTPRoute", values)).toMatchObject({
      apiVersion: "gateway.networking.k8s.io/v1",
      spec: { parentRefs, hostnames: [host], rules: [{ backendRefs: [{ name: "sandbox-api", port: 80 }] }] },
    });
    expect(await only("ClusterIssuer", values)).toMatchObject({
      spec: { acme: { solvers: [{ http01: { gatewayHTTPRoute: { parentRefs } } }] } },
    });
  });

  test("a ServiceMonitor has a key, unless none is wanted", async () => {
    const metrics = { serviceMonitor: { enabled: true, labels: { release: "prometheus" } } };
    expect(await only("ServiceMonitor", { metrics })).toMatchObject({
      apiVersion: "monitoring.coreos.com/v1",
      metadata: { labels: { release: "prometheus" } },
      spec: {
        selector: { matchLabels: { "app.kubernetes.io/component": "api" } },
        endpoints: [
          { port: "http", path: "/metrics", authorization: { credentials: { name: "sandbox-api-keys", key: "key" } } },
        ],
      },
    });
    const { spec } = await only("ServiceMonitor", { metrics, apiKeys: { anonymous: true } });
    expect(JSON.stringify(spec)).not.toContain("authorization");
  });
});

test("Jobs are made before their runs where that is asked for, with the right to resize Pods and with no other", async () => {
  const rights = async (values: unknown): Promise<string> => JSON.stringify((await only("Role", values))["rules"]);
  const resize = { apiGroups: [""], resources: ["pods/resize"], verbs: ["patch"] };
  const values = { warmPool: { python: 2, nodejs: 1 } };
  expect(await only("ConfigMap", values, "-settings")).toMatchObject({ data: { WARM_POOL: "nodejs=1,python=2" } });
  expect((await rights(values)).replace(`${JSON.stringify(resize)},`, "")).toBe(await rights({}));
  expect(await rights(values)).not.toBe(await rights({}));
  expect(await only("ConfigMap", {}, "-settings")).not.toHaveProperty("data.WARM_POOL");
});

test("settings reach the server as text, whatever they are written as", async () => {
  const settings = { MAX_FILE_BYTES: 268435456, MAX_WALL_MS: 1000000, HOST_USERS: false, MEMORY_LIMIT: "128Mi" };
  const images = { registry: "registry.example/team", tag: "1.2", languages: { "python-data": "data@sha256:1" } };
  const map = await only("ConfigMap", { settings, images, apiKeys: { anonymous: true } }, "-settings");
  expect(map["data"]).toMatchObject({
    MAX_FILE_BYTES: "268435456",
    MAX_WALL_MS: "1000000",
    HOST_USERS: "false",
    MEMORY_LIMIT: "128Mi",
    IMAGE_REGISTRY: "registry.example/team",
    IMAGE_TAG: "1.2",
    SANDBOX_IMAGE_PYTHON_DATA: "data@sha256:1",
    ALLOW_ANONYMOUS: "true",
    KUBERNETES_NAMESPACE: "apps-sandboxes",
  });
  expect(JSON.stringify(await only("Deployment", { images }))).toContain('"registry.example/team/sandbox/api:1.2"');
});

test("an operator's Job templates stand in place of the chart's, or beside them", async () => {
  const jobTemplates = { "java.yaml": "spec: {}\n", "rust.yaml": "# mine\n" };
  const { data } = await only("ConfigMap", { sandbox: { jobTemplates } }, "-job-templates");
  expect(data).toEqual({
    "job.yaml": expect.stringContaining("kind: Job"),
    "java.yaml": "spec: {}\n",
    "rust.yaml": "# mine\n",
  });
});

describe("callbacks", () => {
  const settings = { CALLBACK_HOSTS: "hooks.example.org" };

  test("have a secret of the chart's, or one that is there, and a way out", async () => {
    const made = await only("Secret", { settings }, "-callbacks");
    expect(made).toMatchObject({ data: { "callback-secret": expect.stringMatching(/^[A-Za-z0-9+/=]{50,}$/) } });
    expect(await only("ConfigMap", { settings }, "-settings")).toMatchObject({
      data: { ...settings, CALLBACK_SECRET: "/etc/sandbox-api/callbacks/callback-secret" },
    });
    const policy = JSON.stringify((await only("NetworkPolicy", { settings }, "sandbox-api"))["spec"]);
    expect(policy).toContain('{"port":53,"protocol":"UDP"}');
    expect(policy).toContain('"cidr":"0.0.0.0/0"');
    const own = { settings, callbacks: { existingSecret: "signing" } };
    expect(JSON.stringify(await only("Deployment", own))).toContain('"secretName":"signing"');
    expect((await render(own)).map(({ metadata }) => metadata.name)).not.toContain("sandbox-api-callbacks");
  });

  test("are nothing to a release without them", async () => {
    const policy = JSON.stringify((await only("NetworkPolicy", {}, "sandbox-api"))["spec"]);
    expect(policy).not.toContain("0.0.0.0/0");
    expect(policy).not.toContain('"port":53');
    expect(JSON.stringify(await render({}))).not.toContain("callback");
  });
});

describe("sandboxes with a network", () => {
  test("have a policy of their own where they are allowed, beside the one that closes all", async () => {
    for (const ALLOW_NETWORK of [true, "true"]) {
      const policy = await only("NetworkPolicy", { settings: { ALLOW_NETWORK } }, "network-allowed");
      expect(policy).toMatchObject({
        metadata: { namespace: "apps-sandboxes" },
        spec: {
          podSelector: { matchLabels: { "sandbox-api/network": "allowed" } },
          policyTypes: ["Egress"],
          egress: [
            {
              to: [
                { ipBlock: { cidr: "0.0.0.0/0", except: expect.arrayContaining(["169.254.0.0/16", "10.0.0.0/8"]) } },
                {},
              ],
            },
            { ports: [{ port: 53 }, { port: 53 }] },
          ],
        },
      });
    }
    const closed = await only("NetworkPolicy", { settings: { ALLOW_NETWORK: true } }, "nothing-in-nothing-out");
    expect(closed).toMatchObject({ spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] } });
  });

  test("are none of a release that does not allow them", async () => {
    for (const settings of [{}, { ALLOW_NETWORK: false }]) {
      const names = (await render({ settings })).map(({ metadata }) => metadata.name);
      expect(names).not.toContain("network-allowed");
    }
  });
});
