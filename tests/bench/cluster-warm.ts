import { setTimeout as delay } from "node:timers/promises";

import type { Client } from "../support/client.ts";
import { serveIn } from "../support/cluster.ts";
import type { Namespace, Replica } from "../support/cluster.ts";
import { InteractiveClient } from "../support/interactive.ts";
import { eventually } from "../support/time.ts";
import { quantiles } from "./measure.ts";
import { HELLO } from "./programs.ts";
import { percentiles, table } from "./report.ts";
import { expectGreeting } from "./subjects.ts";

/** The languages whose interpreters wait in Jobs that are made before their runs. */
export const WAITING = ["python", "nodejs"];
const READY_MS = 120_000;
/** After a Job is ready its node and the control plane still have to do with it, in milliseconds. */
const REST_MS = 3000;

/** What is timed, by what it is called: each prints the greeting. */
const KINDS: Readonly<Record<string, (api: Client, language: string) => Promise<void>>> = {
  "request to answer": async (api, language) => await greets(api, { language, code: HELLO.get(language) }),
  "with an argument, request to answer": async (api, language) =>
    await greets(api, { language, code: HELLO.get(language), args: ["argument"] }),
  "interactive, start to first output": async (api, language) => {
    await using client = await InteractiveClient.open(api.url);
    client.send({ type: "start", request: { language, code: HELLO.get(language) } });
    expectGreeting(await client.until("the greeting", () => client.printed() || undefined));
  },
};

async function greets(api: Client, request: { language: string; code: string | undefined; args?: string[] }) {
  const { status, stdout } = await api.run(request);
  if (status !== "succeeded") throw new Error(`a run of ${request.language} ended as ${status}`);
  expectGreeting(stdout);
}

async function isReady({ api }: Replica): Promise<void> {
  await eventually(READY_MS, "two Jobs that wait", async () => {
    return (await api.metrics()).sum("sandbox_ahead_waiting") === 2 || undefined;
  });
  await delay(REST_MS);
}

/** Milliseconds of a kind of run, whose Job waits or is made for it. */
export interface WarmRow {
  kind: string;
  warm: number[];
  cold: number[];
}

/** Times so many runs of each kind, each with a Job that waits and, in turn, without one. */
export async function measureWarm(namespace: Namespace, language: string, runs: number): Promise<WarmRow[]> {
  await using warm = await serveIn(namespace, { WARM_POOL: `${language}=2` });
  await using cold = await serveIn(namespace);
  const rows: WarmRow[] = [];
  for (const [kind, execute] of Object.entries(KINDS)) {
    console.error(`${language} with Jobs made before: ${kind}`);
    const row: WarmRow = { kind, warm: [], cold: [] };
    for (let run = 0; run <= runs; run += 1) {
      for (const [{ api }, samples] of [
        [cold, row.cold],
        [warm, row.warm],
      ] as const) {
        await isReady(warm);
        const start = performance.now();
        await execute(api, language);
        // The first one warms caches.
        if (run > 0) samples.push(performance.now() - start);
      }
    }
    rows.push(row);
  }
  const hits = (await warm.api.metrics()).sum("sandbox_ahead_claims_total", { result: "hit" });
  const wanted = Object.keys(KINDS).length * (runs + 1);
  if (hits !== wanted) throw new Error(`${hits} of ${wanted} runs found a Job that waits`);
  return rows;
}

export function renderWarm(language: string, rows: readonly WarmRow[]): string {
  return table(
    [`${language}, ms (p50 / p90 / p99)`, "samples", "its Job made before", "a Job of its own"],
    rows.map(({ kind, warm, cold }) => [
      kind,
      String(warm.length),
      percentiles(quantiles(warm)),
      percentiles(quantiles(cold)),
    ]),
  );
}
