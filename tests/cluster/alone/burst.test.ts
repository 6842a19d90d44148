import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { lookAll, serveIn, temporaryNamespace } from "../../support/cluster.ts";

const RUNS = 200;
const MiB = 1024 * 1024;

/** Resident memory of a process, in bytes. */
function residentBytes(pid: number): number {
  return 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

test(
  "two hundred runs accepted at once all end exactly once, about in the order of their acceptance",
  { timeout: 900_000 },
  async () => {
    await using namespace = await temporaryNamespace();
    await using replica = await serveIn(namespace, { MAX_RUNNING: "12", JOB_TTL_SECONDS: "1800" });
    const { api, server } = replica;
    const accepted = await Promise.all(
      Array.from({ length: RUNS }, (_, n) => api.submit({ language: "bash", code: `echo ${n}; date +%s%N >&2` })),
    );
    let peakBytes = 0;
    const results = await Promise.all(
      accepted.map(async ({ id }) => {
        const result = await api.finished(id);
        peakBytes = Math.max(peakBytes, residentBytes(server.pid));
        return result;
      }),
    );

    expect(results.map(({ stdout }) => stdout)).toEqual(Array.from({ length: RUNS }, (_, n) => `${n}\n`));
    for (const { status } of results) expect(status).toBe("succeeded");
    const pods = await lookAll(namespace.pods, { limit: 500 });
    expect(new Set(pods.map(({ metadata }) => metadata.labels?.["job-name"])).size).toBe(RUNS);
    expect(pods).toHaveLength(RUNS);

    // Of the runs that were accepted first, a quarter of all, none starts among the last quarter.
    const byAcceptance = results.toSorted((a, b) => Date.parse(a.created_at) - Date.parse(b.created_at));
    const byStart = results.toSorted((a, b) => Number(a.stderr) - Number(b.stderr)).map(({ id }) => id);
    for (const { id } of byAcceptance.slice(0, RUNS / 4)) expect(byStart.indexOf(id)).toBeLessThan((RUNS * 3) / 4);

    expect(peakBytes).toBeLessThan(200 * MiB);
    const metrics = await api.metrics();
    expect(metrics.sum("sandbox_runs_total", { status: "succeeded" })).toBe(RUNS);
    expect(metrics.sum("sandbox_queue_length")).toBe(0);
    // Neither watch is lost.
    expect(await (await api.fetch("GET", "/readyz")).json()).toEqual({ status: "ready", problems: [] });
  },
);
