import { setTimeout as delay } from "node:timers/promises";

import { serveIn } from "../support/cluster.ts";
import type { Namespace } from "../support/cluster.ts";
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

/** Times so many runs, each of which finds a Job that waits; in milliseconds. */
async function timesOf(namespace: Namespace, language: string, runs: number): Promise<number[]> {
  await using replica = await serveIn(namespace, { WARM_POOL: `${language}=2` });
  const { api } = replica;
  const answers: number[] = [];
  for (let run = 0; run <= runs; run += 1) {
    await eventually(READY_MS, "two Jobs that wait", async () => {
      return (await api.metrics()).sum("sandbox_ahead_waiting") === 2 || undefined;
    });
    await delay(REST_MS);
    const start = performance.now();
    const { status, stdout } = await api.run({ language, code: HELLO.get(language) });
    const answer = performance.now() - start;
    if (status !== "succeeded") throw new Error(`a run of ${language} ended as ${status}`);
    expectGreeting(stdout);
    // The first one warms caches.
    if (run > 0) answers.push(answer);
  }
  const hits = (await api.metrics()).sum("sandbox_ahead_claims_total", { result: "hit" });
  if (hits !== runs + 1) throw new Error(`${hits} of ${runs + 1} runs found a Job that waits`);
  return answers;
}

/** What runs take of which the Jobs were made before, as a line of text. */
export async function measureWarm(namespace: Namespace, language: string, runs: number): Promise<string> {
  const { p50, p90, p99 } = quantiles(await timesOf(namespace, language, runs));
  const times = [p50, p90, p99].map((time) => time.toFixed(1)).join(" / ");
  return `${language} with its Job made before, ${runs} runs, request to answer: ${times} ms (p50 / p90 / p99; goal: at most ${GOAL_MS} at p50)`;
}
