import { createHash, randomBytes } from "node:crypto";

import { expect, test as base } from "vitest";

import { attach } from "../../backends/kubernetes/kubernetes-attach.ts";
import { KubernetesClient } from "../../backends/kubernetes/kubernetes-client.ts";
import { accountOf } from "../support/account.ts";
import { cluster, look, make, remove, temporaryNamespace } from "../support/cluster.ts";
import type { Namespace } from "../support/cluster.ts";
import { eventually } from "../support/time.ts";

const IMAGE = process.env["SANDBOX_IMAGE_BASH"] ?? "sandbox/bash:latest";
const NEVER = new AbortController().signal;
const MiB = 1024 * 1024;
/** Many times what API server and node hold on the way, which is up to what the kernel lets buffers of sockets grow. */
const MUCH_BYTES = 1024 * MiB;
/** How long nothing more is taken, in milliseconds, when nothing more will be. */
const HALT_MS = 2000;

const test = base.extend("namespace", { scope: "file" }, async ({}, { onCleanup }) => {
  const namespace = await temporaryNamespace();
  onCleanup(() => namespace[Symbol.asyncDispose]());
  return namespace;
});

/** A Pod whose container executes `script` and has a stdin; resolves when it runs. */
async function startPod(namespace: Namespace, name: string, script: string): Promise<void> {
  await make(namespace.pods, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 1,
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
      containers: [
        {
          name: "sandbox",
          image: IMAGE,
          imagePullPolicy: "IfNotPresent",
          command: ["/bin/bash", "-c", script],
          stdin: true,
          securityContext: { allowPrivilegeEscalation: false, runAsUser: 123_456, capabilities: { drop: ["ALL"] } },
        },
      ],
    },
  });
  await eventually(120_000, `Pod ${name}`, async () => {
    const pod = await look(`${namespace.pods}/${name}`);
    return pod?.status?.["phase"] === "Running" || undefined;
  });
}

async function readAll(output: AsyncIterable<Buffer>): Promise<string> {
  let text = "";
  for await (const chunk of output) text += chunk.toString();
  return text;
}

test("what is written reaches the container, also in a second connection, and its end is the end", async ({
  namespace,
}) => {
  await startPod(namespace, "reads", 'read -r first; read -r second; echo "$first and $second"');
  const first = await attach(cluster(), namespace.name, "reads", { stdout: false }, NEVER);
  await first.write(Buffer.from("one\n"));
  first.close();
  await first.closed;
  const second = await attach(cluster(), namespace.name, "reads", { stdout: true }, NEVER);
  const output = readAll(second.output);
  await second.write(Buffer.from("two\n"));
  expect(await output).toBe("one and two\n");
  await second.closed;
  await expect(second.write(Buffer.from("three\n"))).rejects.toMatchObject({ name: "KubernetesError", status: 0 });
});

test("neither way holds more than somebody takes, and every byte comes", async ({ namespace }) => {
  await startPod(namespace, "echoes", "exec cat");
  const abort = new AbortController();
  const attachment = await attach(cluster(), namespace.name, "echoes", { stdout: true }, abort.signal);
  const chunk = randomBytes(MiB);
  const sent = createHash("sha256");
  let written = 0;
  const enough = new AbortController();
  const writing = (async () => {
    while (!enough.signal.aborted && written < MUCH_BYTES) {
      sent.update(chunk);
      written += chunk.length;
      await attachment.write(chunk);
    }
  })();
  // As long as nobody reads the echo, writing comes to a halt.
  let before = 0;
  let since = performance.now();
  await eventually(120_000, "a halt", () => {
    if (written !== before) since = performance.now();
    before = written;
    return performance.now() - since > HALT_MS || undefined;
  });
  expect(written).toBeLessThan(MUCH_BYTES);
  enough.abort();
  const received = createHash("sha256");
  let read = 0;
  for await (const piece of attachment.output) {
    received.update(piece);
    read += piece.length;
    if (read >= written) break;
  }
  await writing;
  expect(received.digest("hex")).toBe(sent.digest("hex"));
  abort.abort();
  await attachment.closed;
  const pod = await look(`${namespace.pods}/echoes`);
  expect(pod?.status).toMatchObject({ phase: "Running" });
  await remove(`${namespace.pods}/echoes`);
});

test("a Pod that is not there, and an abort before the connection", async ({ namespace }) => {
  await expect(attach(cluster(), namespace.name, "nowhere", { stdout: true }, NEVER)).rejects.toMatchObject({
    name: "KubernetesError",
    status: 404,
    message: 'pods "nowhere" not found',
  });
  await expect(
    attach(cluster(), namespace.name, "nowhere", { stdout: true }, AbortSignal.abort()),
  ).rejects.toMatchObject({ name: "KubernetesError", status: 0 });
});

test("an account that lacks the right is told the verb", async ({ namespace }) => {
  const metadata = { name: "no-attach" };
  const path = `/api/v1/namespaces/${namespace.name}/serviceaccounts`;
  await make(path, { apiVersion: "v1", kind: "ServiceAccount", metadata });
  await using account = await accountOf(namespace.name, "no-attach");
  const client = KubernetesClient.load(account.kubeconfig);
  await expect(attach(client, namespace.name, "any", { stdout: true }, NEVER)).rejects.toMatchObject({
    status: 403,
    reason: "Forbidden",
    message: expect.stringMatching(/cannot (create|get) resource "pods\/attach" in API group ""/),
  });
});
