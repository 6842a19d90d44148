import { expect, test } from "vitest";

import { LocalCgroups } from "../../../backends/local/local-cgroups.ts";
import { LocalPool } from "../../../backends/local/local-pool.ts";
import { openLauncher } from "../../support/launcher.ts";
import { within } from "../../support/time.ts";

const WAIT_MS = 20_000;
const USUAL = { memoryBytes: 128 << 20, processes: 20, cpuMillicores: 500 };

test("whoever claims a sandbox gets one, also while others are started for something else", async () => {
  await using opened = await openLauncher();
  await using cgroups = await LocalCgroups.open(`sandbox-api-test-${process.pid}-pool`, USUAL);
  const problems: string[] = [];
  await using pool = new LocalPool({ launcher: opened.launcher, cgroups }, 1, (problem) => problems.push(problem));
  const started = [pool.start({}), pool.start({})];
  const claimed = [pool.claim(), pool.claim(), pool.claim()];
  const sandboxes = await within(WAIT_MS, "all sandboxes", Promise.all([...started, ...claimed]));
  expect(new Set(sandboxes).size).toBe(5);
  expect(sandboxes.every(({ alive }) => alive)).toBe(true);
  for (const sandbox of sandboxes) pool.dispose(sandbox);
  expect(problems).toEqual([]);
});
