import { describe, expect, test } from "vitest";

import { look, lookAll, serveIn, temporaryNamespace } from "../../support/cluster.ts";
import type { Client } from "../../support/client.ts";
import { COMPONENTS_ARE_HERE, endPause, killComponent, pidOf, restarted } from "../../support/cluster-components.ts";
import { standbyNode } from "../../support/standby-node.ts";
import { eventually, within } from "../../support/time.ts";

const HELLO = { language: "bash", code: "echo hello" };

/** Waits until the run has printed something, and the server has read it. */
async function firstOutput(api: Client, id: string): Promise<void> {
  const stop = new AbortController();
  for await (const { event } of await api.events(id, { signal: stop.signal })) {
    if (event === "output") break;
  }
  stop.abort();
}

describe.runIf(COMPONENTS_ARE_HERE)("a component of the cluster that is killed", () => {
  test("the API server: what was accepted ends once, readers come back, and nothing hangs", async () => {
    await using namespace = await temporaryNamespace();
    await using replica = await serveIn(namespace);
    const { api } = replica;
    const code = "echo $RANDOM; for i in {1..8}; do sleep 0.5; echo $i; done";
    const followed = await api.submit({ language: "bash", code });
    const others = await Promise.all([1, 2, 3].map(() => api.submit({ language: "bash", code })));
    await api.started(followed.id);
    const told = Array.fromAsync(await api.events(followed.id));

    const pid = pidOf("kube-apiserver");
    killComponent("kube-apiserver", 2);
    // While it is away, a new run is refused in words or waits for it to come back; either way it is answered.
    const meanwhile = await api.post("/api/run", HELLO);
    expect([202, 503]).toContain(meanwhile.status);
    await meanwhile.body?.cancel();
    await restarted("kube-apiserver", pid, 30_000);

    expect((await told).at(-1)?.event).toBe("finished");
    for (const { id } of [followed, ...others]) {
      const result = await api.finished(id);
      expect(result.status).toBe("succeeded");
      expect(result.stdout).toMatch(/^\d+\n1\n2\n3\n4\n5\n6\n7\n8\n$/);
    }
    expect(await api.run(HELLO)).toMatchObject({ stdout: "hello\n" });
    await eventually(60_000, "readiness", async () =>
      (await api.fetch("GET", "/readyz")).status === 200 ? true : undefined,
    );
    const pods = await lookAll(namespace.pods);
    expect(new Set(pods.map(({ metadata }) => metadata.labels?.["job-name"])).size).toBe(pods.length);
  });

  test("the kubelet: a run whose node is lost is lost itself, with that reason", { timeout: 720_000 }, async () => {
    await using namespace = await temporaryNamespace();
    await using replica = await serveIn(namespace, { MAX_WALL_MS: "900000" });
    const { api } = replica;
    await using standby = await standbyNode();
    const limits = { wall_ms: 900_000 };
    const { id } = await api.submit({ language: "bash", code: "echo awake; sleep 900", limits });
    await within(120_000, "the run's first output", firstOutput(api, id));
    const nodeName = String((await namespace.podOf(id))?.spec?.["nodeName"]);
    expect(nodeName).not.toBe(standby.name);
    const pid = pidOf("kubelet");
    killComponent("kubelet", 900);
    try {
      // The controllers give a node 50 s before they call it lost; its Pods tolerate that for 5 s.
      const result = await within(240_000, "the run's end without its node", api.finished(id));
      expect(result).toMatchObject({ status: "lost", stdout: "awake\n" });
      expect(result.reason).toMatch(/^the node was lost \(DeletionByTaintManager/);
    } finally {
      endPause("kubelet");
      await restarted("kubelet", pid, 60_000);
    }
    await eventually(120_000, "the node's readiness", async () => {
      const conditions = (await look(`/api/v1/nodes/${nodeName}`))?.status?.["conditions"];
      return JSON.stringify(conditions).includes('"reason":"KubeletReady"') || undefined;
    });
    const next = await within(90_000, "a run on the node that is back", api.run(HELLO));
    expect(next).toMatchObject({ stdout: "hello\n" });
    await eventually(60_000, "the end of the lost run's Pod", async () =>
      (await namespace.podOf(id)) === undefined ? true : undefined,
    );
    expect(await look(`${namespace.jobs}/${id}`)).toBeDefined();
  });
});
