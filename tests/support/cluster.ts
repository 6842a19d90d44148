import { randomBytes } from "node:crypto";

import { z } from "zod";

import { KubernetesClient } from "../../backends/kubernetes/kubernetes-client.ts";
import type { CallOptions } from "../../backends/kubernetes/kubernetes-client.ts";
import { KubernetesError } from "../../backends/kubernetes/kubernetes-error.ts";
import { Client } from "./client.ts";
import { startServer, temporaryFolder } from "./server.ts";
import type { Server, Settings } from "./server.ts";
import { eventually } from "./time.ts";

const KUBECONFIG = process.env["KUBECONFIG"];
const CLUSTER = KUBECONFIG === undefined ? undefined : KubernetesClient.load(KUBECONFIG);

/** The cluster that `KUBECONFIG` names, with that file's rights. */
export function cluster(): KubernetesClient {
  if (CLUSTER === undefined) throw new Error("KUBECONFIG names no cluster to test on");
  return CLUSTER;
}

const METADATA = z.looseObject({
  name: z.string(),
  labels: z.record(z.string(), z.string()).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});
/** An object of the cluster, as it is; what a test looks at it says with `toMatchObject`. */
const OBJECT = z.looseObject({
  metadata: METADATA,
  spec: z.looseObject({}).optional(),
  status: z.looseObject({}).optional(),
});
export type ClusterObject = z.infer<typeof OBJECT>;

export async function make(path: string, body: unknown): Promise<ClusterObject> {
  return await cluster().call(OBJECT, "POST", path, { body });
}

export async function patch(path: string, body: unknown): Promise<ClusterObject> {
  return await cluster().call(OBJECT, "PATCH", path, { body });
}

/** The object; undefined when it is not there. */
export async function look(path: string): Promise<ClusterObject | undefined> {
  try {
    return await cluster().call(OBJECT, "GET", path);
  } catch (error) {
    if (error instanceof KubernetesError && error.status === 404) return undefined;
    throw error;
  }
}

export async function lookAll(path: string, query: CallOptions["query"] = {}): Promise<ClusterObject[]> {
  const { items } = await cluster().call(z.object({ items: z.array(OBJECT) }), "GET", path, { query });
  return items;
}

/** Deletes the object at once. */
export async function remove(path: string): Promise<void> {
  await cluster().call(z.unknown(), "DELETE", path, {
    body: { gracePeriodSeconds: 0, propagationPolicy: "Background" },
  });
}

/** A namespace of a test, gone with `await using`. */
export class Namespace implements AsyncDisposable {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  get jobs(): string {
    return `/apis/batch/v1/namespaces/${this.name}/jobs`;
  }

  get pods(): string {
    return `/api/v1/namespaces/${this.name}/pods`;
  }

  /** The Pod of a run; undefined as long as there is none. */
  async podOf(id: string): Promise<ClusterObject | undefined> {
    return (await lookAll(this.pods, { labelSelector: `batch.kubernetes.io/job-name=${id}` }))[0];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await cluster().call(z.unknown(), "DELETE", `/api/v1/namespaces/${this.name}`);
  }
}

/** A namespace for sandboxes: Pod Security Admission at its strictest. */
export async function temporaryNamespace(): Promise<Namespace> {
  const name = `sandbox-test-${randomBytes(5).toString("hex")}`;
  const levels = ["enforce", "audit", "warn"].map((mode) => [`pod-security.kubernetes.io/${mode}`, "restricted"]);
  const metadata = { name, labels: Object.fromEntries(levels) };
  await make("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata });
  // Without the account that a controller makes in each namespace, the first Pods would be refused.
  await eventually(60_000, "the default account", () => look(`/api/v1/namespaces/${name}/serviceaccounts/default`));
  return new Namespace(name);
}

/** Images that the environment names in place of the usual ones. */
const IMAGES: Settings = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => name.startsWith("SANDBOX_IMAGE_")),
);

/** What a server needs to execute runs in the namespace. Its runs share two cores: what waits reserves little of them. */
export function clusterSettings({ name }: Namespace): Settings {
  return {
    BACKEND: "kubernetes",
    KUBECONFIG,
    KUBERNETES_NAMESPACE: name,
    JOB_TTL_SECONDS: "600",
    CPU_REQUEST: "50m",
    RUNTIME_CLASS: process.env["RUNTIME_CLASS"],
    HOST_USERS: process.env["HOST_USERS"],
    ...IMAGES,
  };
}

export interface Replica extends AsyncDisposable {
  server: Server;
  api: Client;
}

/** A server on the namespace; several may be there. `await using` ends it. */
export async function serveIn(namespace: Namespace, settings: Settings = {}): Promise<Replica> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder());
  const server = await startServer({
    CPU_LIMIT: "1",
    ...clusterSettings(namespace),
    ...settings,
    DATA_DIR: folder.path,
  });
  stack.defer(async () => void (await server.stop()));
  const owned = stack.move();
  return { server, api: new Client(server.url), [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
