import { setTimeout as delay } from "node:timers/promises";

import type { Client } from "../support/client.ts";
import { serveIn } from "../support/cluster.ts";
import type { Namespace, Replica } from "../support/cluster.ts";
import { InteractiveClient } from "../support/interactive.ts";
import { eventually } from "../support/time.ts";
import { quantiles } from "./measure.ts";
import { HELLO } from "./programs.ts";
import { expectGreeting } from "./subjects.ts";

/** The languages whose interpreters wait in Jobs that are made before their runs. */
export const WAITING = ["python", "nodejs"];
/** What a run may take from its request to its answer where its interpreter waits, in milliseconds. */
const GOAL_MS = 40;
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

/** Times so many runs of each kind, each with a Job that waits and, in turn, without one; lines of text. */
export async function measureWarm(namespace: Namespace, language: string, runs: number): Promise<string> {
  await using warm = await serveIn(namespace, { WARM_POOL: `${language}=2` });
  await using cold = await serveIn(namespace);
  const lines: string[] = [
    `${language}, ${runs} runs each, ms (p50 / p90 / p99); goal of the first: ${GOAL_MS} at p50`,
  ];
  for (const [kind, execute] of Object.entries(KINDS)) {
    const times = { warm: [] as number[], cold: [] as number[] };
    for (let run = 0; run <= runs; run += 1) {
      for (const [name, { api }] of Object.entries({ cold, warm })) {
        await isReady(warm);
        const start = performance.now();
        await execute(api, language);
        // The first one warms caches.
        if (run > 0) times[name as keyof typeof times].push(performance.now() - start);
      }
    }
    for (const [name, samples] of Object.entries(times)) {
      const { p50, p90, p99 } = quantiles(samples);
      const figures = [p50, p90, p99].map((time) => time.toFixed(1)).join(" / ");
      lines.push(`${kind}, ${name === "warm" ? "its Job made before" : "a Job of its own"}: ${figures}`);
    }
  }
  const hits = (await warm.api.metrics()).sum("sandbox_ahead_claims_total", { result: "hit" });
  const wanted = Object.keys(KINDS).length * (runs + 1);
  if (hits !== wanted) throw new Error(`${hits} of ${wanted} runs found a Job that waits`);
  return lines.join("\n");
}
