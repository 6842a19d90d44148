import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { LocalCgroups } from "../../../backends/local/local-cgroups.ts";

/** The text of the only file that there is among `names` in one of the folders that `procs` names. */
function read(procs: readonly string[], ...names: string[]): string {
  const paths = procs.flatMap((path) => names.map((name) => join(path, "..", name)));
  const [path = "no such file", ...others] = paths.filter((each) => existsSync(each));
  expect(others).toEqual([]);
  return readFileSync(path, "utf8").trim();
}

test("a sandbox's cgroup has its limits, keeps out of the swap space, and is gone with the sandbox", async () => {
  await using cgroups = await LocalCgroups.open(`sandbox-api-test-${process.pid}`);
  expect(cgroups.problems).toEqual([]);
  const cgroup = await cgroups.create("one");
  if (cgroup === undefined) throw new Error("there is no cgroup");
  cgroup.limit({ memoryBytes: 64 << 20, processes: 10, cpuMillicores: 500 });
  const { procs } = cgroup;
  expect(Number(read(procs, "memory.limit_in_bytes", "memory.max"))).toBe((64 + 16) << 20);
  expect(read(procs, "pids.max")).toBe("11");
  expect(read(procs, "cpu.cfs_quota_us", "cpu.max")).toMatch(/^500000( 1000000)?$/);
  expect(read(procs, "memory.swappiness", "memory.swap.max")).toBe("0");
  expect(cgroup.oomKills()).toBe(0);
  await cgroup.destroy();
  expect(procs.filter((path) => existsSync(path))).toEqual([]);
});

test("what an earlier server left is removed", async () => {
  const name = `sandbox-api-test-${process.pid}-again`;
  const earlier = await LocalCgroups.open(name);
  const left = (await earlier.create("left"))?.procs ?? [];
  expect(left.length).toBeGreaterThan(0);
  await using later = await LocalCgroups.open(name);
  expect(left.filter((path) => existsSync(path))).toEqual([]);
  const again = await later.create("left");
  expect(again?.procs).toEqual(left);
  await again?.destroy();
});
