import { randomBytes } from "node:crypto";
import { join } from "node:path";

import { z } from "zod";

import { Client } from "./client.ts";
import { look, lookAll, make, remove } from "./cluster.ts";
import type { ClusterObject } from "./cluster.ts";
import { helm, helmRefusal, kubectl, portForward } from "./commands.ts";
import { readPodLog } from "./pod-log.ts";
import { eventually } from "./time.ts";

export const CHART = join(import.meta.dirname, "../../helm/sandbox-api");

/** Of all installations of tests: they share two cores. */
const VALUES = {
  replicas: 1,
  settings: { CPU_REQUEST: "25m", CPU_LIMIT: "1", JOB_TTL_SECONDS: 600, RATE_LIMIT_PER_MINUTE: 0 },
  resources: { requests: { cpu: "25m", memory: "64Mi" }, limits: { memory: "512Mi" } },
};
export type Values = Readonly<Record<string, unknown>> & { settings?: Readonly<Record<string, unknown>> };

const ENDED = z.object({ terminated: z.object({ message: z.string().optional() }).optional() });
const STATUS = z.object({
  containerStatuses: z.array(z.object({ state: ENDED, lastState: ENDED })).default([]),
});
const SECRET = z.looseObject({ data: z.record(z.string(), z.string()) });

/** What Pod Security Admission calls restricted. */
const SECURITY = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  runAsUser: 1000,
  capabilities: { drop: ["ALL"] },
  seccompProfile: { type: "RuntimeDefault" },
};

/** An installation of the chart with namespaces of its own; `await using` removes it with everything that it may leave. */
export class Release implements AsyncDisposable {
  readonly namespace: string;
  readonly sandboxes: string;
  readonly name = "sandbox";

  constructor() {
    this.namespace = `sandbox-chart-${randomBytes(4).toString("hex")}`;
    this.sandboxes = `${this.namespace}-sandboxes`;
  }

  /** The words of an installation or upgrade; without `--wait`, helm ends before the servers are ready. */
  #words(more: readonly string[]): string[] {
    return ["upgrade", "--install", this.name, CHART, "-n", this.namespace, "--create-namespace", "-f", "-", ...more];
  }

  /** Installs the chart or upgrades to other values, and returns what helm prints. */
  async install(values: Values = {}, more: readonly string[] = ["--wait", "--timeout", "4m"]): Promise<string> {
    return await helm(this.#words(more), this.#values(values));
  }

  async installRefused(values: Values, more: readonly string[] = []): Promise<string> {
    return await helmRefusal(this.#words(more), this.#values(values));
  }

  #values(values: Values): unknown {
    return { ...VALUES, ...values, settings: { ...VALUES.settings, ...values.settings } };
  }

  async uninstall(): Promise<void> {
    await helm(["uninstall", this.name, "-n", this.namespace, "--wait", "--ignore-not-found", "--timeout", "3m"]);
  }

  /** An entry of the Secret with the keys. */
  async key(entry = "key"): Promise<string> {
    const secret = SECRET.parse(await look(`/api/v1/namespaces/${this.namespace}/secrets/sandbox-api-keys`));
    return Buffer.from(secret.data[entry] ?? "", "base64").toString();
  }

  /** A client with the key, until it is disposed of. */
  async reach(target = "service/sandbox-api", port = 80): Promise<AsyncDisposable & { api: Client }> {
    const forward = await portForward(this.namespace, target, port);
    const api = new Client(forward.url, { "x-api-key": await this.key() });
    return { api, [Symbol.asyncDispose]: () => forward[Symbol.asyncDispose]() };
  }

  /** The servers' Pods. */
  async servers(): Promise<ClusterObject[]> {
    const labelSelector = "app.kubernetes.io/component=api";
    return await lookAll(`/api/v1/namespaces/${this.namespace}/pods`, { labelSelector });
  }

  /** The last words of servers that can't start, as the cluster keeps them, once there is one of them like `wanted`. */
  async lastWords(wanted: RegExp): Promise<string> {
    return await eventually(90_000, `the last words of a server: ${wanted}`, async () => {
      const containers = (await this.servers()).flatMap(({ status }) => STATUS.parse(status).containerStatuses);
      const words = containers.flatMap(({ state, lastState }) => [state.terminated, lastState.terminated]);
      return words.find((ended) => wanted.test(ended?.message ?? ""))?.message;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.uninstall();
    await kubectl(["delete", "namespace", this.namespace, this.sandboxes, "--ignore-not-found", "--wait=false"]);
  }
}

/** A Pod without anything of ours in it: Node with a program as its last argument. */
export function plainPod(name: string, program: string, more: Readonly<Record<string, unknown>> = {}): unknown {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { plain: name } },
    spec: {
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: "plain",
          image: "sandbox/api:latest",
          imagePullPolicy: "IfNotPresent",
          command: ["node", "--input-type=module", "--eval", program],
          securityContext: SECURITY,
          resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { cpu: "1", memory: "256Mi" } },
          ...more,
        },
      ],
    },
  };
}

function path(namespace: string, name = ""): string {
  return `/api/v1/namespaces/${namespace}/pods${name === "" ? "" : `/${name}`}`;
}

/** Starts the Pod and waits until it has an address and, where it says so itself, is ready. */
export async function startPod(namespace: string, pod: unknown): Promise<{ name: string; address: string }> {
  const { metadata } = await make(path(namespace), pod);
  return await eventually(90_000, `a Pod in ${namespace}`, async () => {
    const text = JSON.stringify((await look(path(namespace, metadata.name)))?.status ?? {});
    const address = /"podIP":"([^"]+)"/.exec(text)?.[1];
    return address !== undefined && /"ready":true/.test(text) ? { name: metadata.name, address } : undefined;
  });
}

/** What the Pod prints until it ends; it is removed then. */
export async function runPod(namespace: string, pod: unknown): Promise<string> {
  const { metadata } = await make(path(namespace), pod);
  await eventually(600_000, `the end of a Pod in ${namespace}`, async () => {
    const phase = (await look(path(namespace, metadata.name)))?.status?.["phase"];
    return phase === "Succeeded" || phase === "Failed" || undefined;
  });
  const log = await readPodLog(path(namespace, metadata.name));
  await remove(path(namespace, metadata.name));
  return log;
}
