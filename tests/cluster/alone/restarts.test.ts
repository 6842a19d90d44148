import { describe, expect, test } from "vitest";

import { look, lookAll, serveIn, temporaryNamespace } from "../../support/cluster.ts";
import { COMPONENTS_ARE_HERE, killComponent, pidOf, restarted } from "../../support/cluster-components.ts";
import { eventually } from "../../support/time.ts";

const HELLO = { language: "bash", code: "echo hello" };

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

  test("the kubelet: a run whose node is lost is lost itself, with that reason", async () => {
    await using namespace = await temporaryNamespace();
    await using replica = await serveIn(namespace, { MAX_WALL_MS: "600000" });
    const { id } = await replica.api.submit({
      language: "bash",
      code: "echo awake; sleep 300",
      limits: { wall_ms: 300_000 },
    });
    await replica.api.started(id);
    const pid = pidOf("kubelet");
    killComponent("kubelet", 100);
    try {
      const result = await replica.api.finished(id);
      expect(result).toMatchObject({ status: "lost", stdout: "awake\n" });
      expect(result.reason).toMatch(/^the node was lost \(DeletionByTaintManager/);
    } finally {
      await restarted("kubelet", pid, 120_000);
    }
    await eventually(90_000, "the node", async () => {
      const nodes = await lookAll("/api/v1/nodes");
      return JSON.stringify(nodes[0]?.status?.["conditions"]).includes('"reason":"KubeletReady"') || undefined;
    });
    expect(await replica.api.run(HELLO)).toMatchObject({ stdout: "hello\n" });
    await eventually(60_000, "the Pod's end", async () =>
      (await namespace.podOf(id)) === undefined ? true : undefined,
    );
    expect(await look(`${namespace.jobs}/${id}`)).toBeDefined();
  });
});
