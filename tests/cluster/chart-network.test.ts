import { test as base, describe, expect } from "vitest";
import { z } from "zod";

import { Release, plainPod, runPod, startPod } from "../support/chart.ts";
import { look, lookAll } from "../support/cluster.ts";
import { kubectl } from "../support/commands.ts";
import { source } from "../support/source.ts";

const PORT = 9000;
const LISTENER = `import { createServer } from "node:net"; createServer((client) => client.end()).listen(${PORT});`;
/** The node asks it, which no policy forbids: it listens, and is reached where nothing stands between. */
const LISTENING = { readinessProbe: { tcpSocket: { port: PORT }, periodSeconds: 1 } };

/**
 * Tries each address until it is as wanted, for ten seconds, since a policy takes a moment to hold for a new Pod; prints
 * in the end which of them are reached.
 */
function prober(addresses: Readonly<Record<string, string>>, wanted: "reached" | "closed"): string {
  return source`
    import { connect } from "node:net";
    const until = performance.now() + 10000;
    const once = (host, port) => new Promise((resolve) => {
      const socket = connect({ host, port, timeout: 1500 });
      const end = (how) => { socket.destroy(); resolve(how); };
      socket.once("connect", () => end("reached"));
      socket.once("timeout", () => end("closed"));
      socket.once("error", () => end("closed"));
    });
    const probe = async ([name, address]) => {
      const [, host, port] = /^(.*):(\d+)$/.exec(address);
      for (;;) {
        const how = await once(host, Number(port));
        if (how === ${JSON.stringify(wanted)} || performance.now() > until) return [name, how];
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    };
    const found = await Promise.all(Object.entries(${JSON.stringify(addresses)}).map(probe));
    console.log(JSON.stringify(Object.fromEntries(found)));
  `;
}

const SERVICE = z.object({ clusterIP: z.string() });
const SUBSET = z.object({
  endpoints: z.array(z.object({ addresses: z.array(z.string()) })),
  ports: z.array(z.object({ port: z.int() })),
});
const STATUS = z.object({ podIP: z.string(), hostIP: z.string() });

/** An installation, a Pod that listens among the sandboxes and one beside the servers, and all addresses. */
const test = base.extend("place", { scope: "file" }, async ({}, { onCleanup }) => {
  const release = new Release();
  onCleanup(() => release[Symbol.asyncDispose]());
  await release.install();
  const sandbox = await startPod(release.sandboxes, plainPod("listener", LISTENER, LISTENING));
  const neighbour = await startPod(release.namespace, plainPod("listener", LISTENER, LISTENING));
  const [server] = await release.servers();
  const { podIP, hostIP } = STATUS.parse(server?.status);
  const service = SERVICE.parse((await look(`/api/v1/namespaces/${release.namespace}/services/sandbox-api`))?.spec);
  const kubernetes = SERVICE.parse((await look("/api/v1/namespaces/default/services/kubernetes"))?.spec);
  const slices = await lookAll("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", {
    labelSelector: "kubernetes.io/service-name=kubernetes",
  });
  const { endpoints, ports } = SUBSET.parse(slices[0]);
  return {
    release,
    server: server?.metadata.name ?? "",
    apiServer: {
      "API server": `${kubernetes.clusterIP}:443`,
      "API server itself": `${endpoints[0]?.addresses[0]}:${ports[0]?.port}`,
    },
    api: { API: `${service.clusterIP}:80`, "server of the API": `${podIP}:8080` },
    node: { "kubelet of the node": `${hostIP}:10250` },
    sandbox: { "another sandbox": `${sandbox.address}:${PORT}` },
    neighbour: { "Pod beside the API": `${neighbour.address}:${PORT}` },
  };
});

function all(addresses: Readonly<Record<string, string>>, how: "reached" | "closed"): Record<string, string> {
  return Object.fromEntries(Object.keys(addresses).map((name) => [name, how]));
}

describe("a plain Pod", () => {
  test("among the sandboxes reaches nothing", async ({ place }) => {
    const { release, apiServer, api, node, sandbox, neighbour } = place;
    const addresses = { ...apiServer, ...api, ...node, ...sandbox, ...neighbour };
    const found = await runPod(release.sandboxes, plainPod("prober", prober(addresses, "closed")));
    expect(JSON.parse(found)).toEqual(all(addresses, "closed"));
  });

  test("beside the API reaches all of it but the sandboxes, and the API as its client", async ({ place }) => {
    const { release, apiServer, api, node, sandbox, neighbour } = place;
    const addresses = { ...apiServer, ...api, ...node, ...neighbour };
    const found = await runPod(release.namespace, plainPod("prober", prober(addresses, "reached")));
    expect(JSON.parse(found)).toEqual(all(addresses, "reached"));
    const closed = await runPod(release.namespace, plainPod("prober", prober(sandbox, "closed")));
    expect(JSON.parse(closed)).toEqual(all(sandbox, "closed"));
  });
});

test("a server reaches the API server, and neither sandboxes nor its neighbours", async ({ place }) => {
  const { release, server, apiServer, sandbox, neighbour } = place;
  const inServer = async (program: string): Promise<unknown> => {
    const node = ["node", "--input-type=module", "--eval", program];
    return JSON.parse(await kubectl(["-n", release.namespace, "exec", server, "--", ...node]));
  };
  expect(await inServer(prober(apiServer, "reached"))).toEqual(all(apiServer, "reached"));
  const others = { ...sandbox, ...neighbour };
  expect(await inServer(prober(others, "closed"))).toEqual(all(others, "closed"));
});
