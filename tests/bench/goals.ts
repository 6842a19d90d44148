import type { Goal } from "./figures.ts";

/** What is wanted of each case at p50. */
export const CASE_GOALS: Readonly<Record<string, Goal>> = {
  python: { ratio: 0.5 },
  nodejs: { ratio: 0.5 },
  typescript: { ratio: 0.5 },
  bash: { ratio: 0.5 },
  "java, first": { ratio: 0.35 },
  "cpp, first": { ratio: 0.6 },
  "cpp, again": { ms: 15 },
  "cpp, bits/stdc++.h, first": { ratio: 0.35 },
  "cpp, 50 tests": { ratio: 1.3 },
};

/** Of the runs a second that the bare toolchain reaches with as many clients. */
export const THROUGHPUT_GOALS: Readonly<Record<string, Goal>> = { python: { ratio: 0.85 } };

/** Of a run whose Job is made for it, over a bare Job's last output; and of one whose Job waits. */
export const COLD_GOAL: Goal = { ratio: 1.1 };
export const WARM_GOALS: Readonly<Record<string, Goal>> = { python: { ms: 40 } };

/** What the server's own process may take. */
export const SERVER_GOALS = { cpuMsPerRun: 1.5, residentMiB: 150, eventLoopDelayMs: 20 };
