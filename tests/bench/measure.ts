import { setTimeout as delay } from "node:timers/promises";

import type { Subject } from "./subjects.ts";

/** Between two measurements at c=1, so that none pays for what the one before left to do (a sandbox that ends, the next one that starts). */
const REST_MS = 60;

/** The values that half, nine tenths and 99 hundredths of the samples don't exceed (nearest rank). */
export interface Quantiles {
  p50: number;
  p90: number;
  p99: number;
}

export function quantiles(samples: readonly number[]): Quantiles {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99) };
}

/** Times each subject once a round, in turn; milliseconds by subject. The first rounds warm caches and don't count. */
export async function measureLatency(
  subjects: readonly Subject[],
  rounds: number,
  warmUpRounds: number,
): Promise<number[][]> {
  const samples: number[][] = subjects.map(() => []);
  for (let round = -warmUpRounds; round < rounds; round += 1) {
    for (const [index, subject] of subjects.entries()) {
      await delay(REST_MS);
      const start = performance.now();
      const check = await subject();
      if (round >= 0) samples[index]?.push(performance.now() - start);
      check();
    }
  }
  return samples;
}

/** Keeps `concurrency` executions in flight until there have been `count`, or until `deadline` of `performance.now()`; how many ended. */
export async function executeMany(
  subject: Subject,
  concurrency: number,
  bounds: { count?: number; deadline?: number },
): Promise<number> {
  const { count = Infinity, deadline = Infinity } = bounds;
  let begun = 0;
  let ended = 0;
  const worker = async (): Promise<void> => {
    while (begun < count && performance.now() < deadline) {
      begun += 1;
      const check = await subject();
      check();
      ended += 1;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return ended;
}

/** Executions a second of each subject with `concurrency` in flight, in windows of `seconds` that take turns. */
export async function measureThroughput(
  subjects: readonly Subject[],
  concurrency: number,
  seconds: number,
  windows: number,
): Promise<number[]> {
  const totals = subjects.map(() => ({ executions: 0, ms: 0 }));
  for (let window = 0; window < windows; window += 1) {
    for (const [index, subject] of subjects.entries()) {
      const total = totals[index];
      if (total === undefined) continue;
      await delay(REST_MS);
      const start = performance.now();
      total.executions += await executeMany(subject, concurrency, { deadline: start + 1000 * seconds });
      total.ms += performance.now() - start;
    }
  }
  return totals.map(({ executions, ms }) => (1000 * executions) / ms);
}
