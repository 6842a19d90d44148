import { expect, test } from "vitest";

import { parseHierarchies } from "../../../backends/local/local-cgroup-mounts.ts";

test("on version 1 each controller's hierarchy is found by its mount, also where two share one", () => {
  const mountinfo = [
    "31 23 0:27 / /sys/fs/cgroup/memory rw,nosuid shared:9 - cgroup cgroup rw,memory",
    "32 23 0:28 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:10 - cgroup cgroup rw,cpu,cpuacct",
    "33 23 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw",
  ].join("\n");
  const found = parseHierarchies(mountinfo, "4:memory:/jobs/one\n3:cpu,cpuacct:/\n0::/\n");
  expect(found.get("memory")).toEqual({ mountPoint: "/sys/fs/cgroup/memory", own: "/sys/fs/cgroup/memory/jobs/one" });
  expect(found.get("cpu")?.own).toBe("/sys/fs/cgroup/cpu,cpuacct");
  expect(found.get("cpuacct")?.own).toBe("/sys/fs/cgroup/cpu,cpuacct");
});

test("on version 2 there is one hierarchy, in which the process's own cgroup is found", () => {
  const mountinfo = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate";
  expect(parseHierarchies(mountinfo, "0::/user.slice/session-1.scope\n").get("")).toEqual({
    mountPoint: "/sys/fs/cgroup",
    own: "/sys/fs/cgroup/user.slice/session-1.scope",
  });
});

test("in a container the path is counted from the mount's root", () => {
  const mountinfo = "30 23 0:26 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory";
  expect(parseHierarchies(mountinfo, "4:memory:/docker/abc/child\n").get("memory")?.own).toBe(
    "/sys/fs/cgroup/memory/child",
  );
});

test("a path outside of the mount leads to the mount's root, and escapes in a mount point are undone", () => {
  const mountinfo = "30 23 0:26 /docker/abc /mnt/my\\040cgroup ro - cgroup cgroup rw,memory";
  expect(parseHierarchies(mountinfo, "4:memory:/\n").get("memory")?.own).toBe("/mnt/my cgroup");
});
