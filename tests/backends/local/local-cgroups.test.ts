import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { LocalCgroups } from "../../../backends/local/local-cgroups.ts";
import type { SandboxCgroup } from "../../../backends/local/local-cgroups.ts";

const USUAL = { memoryBytes: 128 << 20, processes: 20, cpuMillicores: 500 };

/** Makes the cgroup as the launcher does. */
function make({ folders, writes }: SandboxCgroup): void {
  for (const folder of folders) mkdirSync(folder);
  for (const { path, text } of writes) writeFileSync(path, text);
}

/** The text of the only file that there is among `names` in one of the folders. */
function read(folders: readonly string[], ...names: string[]): string {
  const paths = folders.flatMap((folder) => names.map((name) => join(folder, name)));
  const [path = "no such file", ...others] = paths.filter((each) => existsSync(each));
  expect(others).toEqual([]);
  return readFileSync(path, "utf8").trim();
}

test("a sandbox's cgroup has the usual limits, then its program's, and keeps out of the swap space", async () => {
  await using cgroups = await LocalCgroups.open(`sandbox-api-test-${process.pid}`, USUAL);
  expect(cgroups.problems).toEqual([]);
  const cgroup = cgroups.create("one");
  if (cgroup === undefined) throw new Error("there is no cgroup");
  const { folders } = cgroup;
  make(cgroup);
  try {
    const memory = () => Number(read(folders, "memory.limit_in_bytes", "memory.max")) / (1 << 20);
    expect([memory(), read(folders, "pids.max")]).toEqual([128 + 16, "21"]);
    expect(read(folders, "memory.swappiness", "memory.swap.max")).toBe("0");
    expect(read(folders, "cpu.shares", "cpu.weight")).toMatch(/^(256|25)$/);
    cgroup.limit({ memoryBytes: 64 << 20, processes: 10, cpuMillicores: 500 });
    expect([memory(), read(folders, "pids.max")]).toEqual([64 + 16, "11"]);
    expect(read(folders, "cpu.cfs_quota_us", "cpu.max")).toMatch(/^500000( 1000000)?$/);
    expect(read(folders, "cpu.cfs_burst_us", "cpu.max.burst")).toBe("500000");
    for (const cpuMillicores of [100, 2000]) {
      cgroup.limit({ ...USUAL, cpuMillicores });
      expect(read(folders, "cpu.cfs_quota_us", "cpu.max")).toMatch(new RegExp(`^${cpuMillicores}000( 1000000)?$`));
      expect(read(folders, "cpu.cfs_burst_us", "cpu.max.burst")).toBe(`${cpuMillicores}000`);
    }
    expect(cgroup.oomKills()).toBe(0);
  } finally {
    await cgroup.destroy();
  }
  expect(folders.filter((path) => existsSync(path))).toEqual([]);
  expect(cgroup.oomKills()).toBe(0);
});

test("what an earlier server left is removed", async () => {
  const name = `sandbox-api-test-${process.pid}-again`;
  const earlier = await LocalCgroups.open(name, USUAL);
  const left = earlier.create("left");
  if (left === undefined) throw new Error("there is no cgroup");
  make(left);
  await using later = await LocalCgroups.open(name, USUAL);
  expect(left.folders.filter((path) => existsSync(path))).toEqual([]);
  expect(later.create("left")?.folders).toEqual(left.folders);
});
