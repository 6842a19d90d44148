import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { z } from "zod";

import { CHART, plainPod, startPod } from "../support/chart.ts";
import { look, make, serveIn, temporaryNamespace } from "../support/cluster.ts";
import type { Namespace } from "../support/cluster.ts";
import { helm } from "../support/commands.ts";

const PORT = 9000;
const LISTENER = `import { createServer } from "node:net"; createServer((client) => client.on("error", () => {}).end()).listen(${PORT});`;
const LISTENING = { readinessProbe: { tcpSocket: { port: PORT }, periodSeconds: 1 } };
const POLICY = z.looseObject({ kind: z.literal("NetworkPolicy"), metadata: z.looseObject({ namespace: z.string() }) });

/** The chart's policies for sandboxes, with these egress rules for those with a network. */
async function applyPolicies({ name }: Namespace, allowed: unknown): Promise<void> {
  const values = {
    settings: { ALLOW_NETWORK: true },
    sandbox: { namespace: name, createNamespace: false, networkPolicy: { allowed } },
  };
  const words = ["template", "sandbox", CHART, "-n", "apps", "-f", "-", "--show-only", "templates/sandboxes.yaml"];
  const policies = parseAllDocuments(await helm(words, values))
    .map((document) => POLICY.safeParse(document.toJS()))
    .flatMap(({ data }) => (data === undefined ? [] : [data]));
  expect(policies).toHaveLength(2);
  for (const policy of policies) await make(`/apis/networking.k8s.io/v1/namespaces/${name}/networkpolicies`, policy);
}

/** Tries each address until it is as wanted, for twenty seconds, since a policy takes a moment to hold for a new Pod. */
const PROBE = `
import json, socket, sys, threading, time
found, until = {}, time.monotonic() + 20
def probe(target):
    wanted, host, port = target.split(" ")
    while True:
        try:
            socket.create_connection((host, int(port)), 2).close()
            found[target] = "reached"
        except OSError:
            found[target] = "closed"
        if found[target] == wanted or time.monotonic() > until: return
        time.sleep(0.2)
threads = [threading.Thread(target=probe, args=[target]) for target in sys.argv[1:]]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(json.dumps(found))
`;

test("a program with a network reaches what the policy allows, and no program without one reaches anything", async () => {
  await using namespace = await temporaryNamespace();
  await using others = await temporaryNamespace();
  const listener = { podSelector: { matchLabels: { plain: "listener" } }, namespaceSelector: {} };
  await applyPolicies(namespace, [{ to: [listener] }]);
  const [allowed, other] = await Promise.all(
    ["listener", "other"].map((name) => startPod(others.name, plainPod(name, LISTENER, LISTENING))),
  );
  const kubernetes = z
    .object({ clusterIP: z.string() })
    .parse((await look("/api/v1/namespaces/default/services/kubernetes"))?.spec);
  await using replica = await serveIn(namespace, { ALLOW_NETWORK: "true" });
  const targets = [
    `reached ${allowed?.address} ${PORT}`,
    `closed ${other?.address} ${PORT}`,
    `closed ${kubernetes.clusterIP} 443`,
  ];
  const request = { language: "python", code: PROBE, args: targets, limits: { wall_ms: 60_000 } };
  const [open, without] = await Promise.all([
    replica.api.run({ ...request, network: true }),
    replica.api.run({ language: "python", code: "import socket; socket.socket()" }),
  ]);
  expect(JSON.parse(open.stdout)).toEqual(Object.fromEntries(targets.map((target) => [target, target.split(" ")[0]])));
  expect(without.stderr).toContain("Permission denied");
  expect(await namespace.podOf(open.id)).toMatchObject({
    metadata: { labels: { "sandbox-api/network": "allowed" } },
    spec: { dnsPolicy: "ClusterFirst" },
  });
  const closed = await namespace.podOf(without.id);
  expect(closed?.metadata.labels).not.toHaveProperty(["sandbox-api/network"]);
  expect(closed?.spec).toMatchObject({ dnsPolicy: "None" });
});
