import { describe, expect, test } from "vitest";
import { BINARIES } from "./binaries.ts";
import { Cgroup } from "./cgroup.ts";
import { last } from "./frames.ts";
import { executeInPod } from "./pod.ts";
import type { StageSpec } from "./program.ts";

const MIB = 1 << 20;
const python = (code: string): string[] => ["python3", "-c", code];
const holdMemory = (mebibytes: number): string[] => python(`b = b'x' * (${mebibytes} << 20); print(len(b))`);

describe.each(BINARIES)("limits with a cgroup that only tells (%s)", (binary) => {
  async function run(stage: StageSpec, more: { workInodes?: number } = {}) {
    await using cgroup = new Cgroup([]);
    return last(await executeInPod({ ...more, stages: [stage] }, cgroup, { binary }));
  }

  describe("memory", () => {
    const limits = { memoryBytes: 64 * MIB, fileBytes: 1 << 30 };

    test.each<[string, string[]]>([
      ["of the main process", holdMemory(400)],
      ["of a child whose parent goes on", ["bash", "-c", "python3 -c 'b = b\"x\" * (400 << 20)'; sleep 1000"]],
      ["taken step by step", python("hoard = []\nwhile True: hoard.append(bytearray(1 << 20))")],
      [
        "that no process maps",
        python("import os\nfd = os.memfd_create('x')\nwhile True: os.write(fd, bytes(1 << 20))"),
      ],
      ["in /work", ["bash", "-c", "head -c 200M /dev/zero > /work/f; sleep 1000"]],
      ["in /tmp", ["bash", "-c", "head -c 200M /dev/zero > /tmp/f; sleep 1000"]],
      ["in /dev/shm", ["bash", "-c", "head -c 200M /dev/zero > /dev/shm/f; sleep 1000"]],
    ])("%s ends the stage", async (_, command) => {
      const stage = await run({ command, limits });
      expect(stage).toMatchObject({ limit: "memory", signal: "SIGKILL", exit_code: null });
      expect(stage.memory_bytes).toBeGreaterThan(64 * MIB);
      expect(stage.memory_bytes).toBeLessThan(200 * MIB);
    });

    test("within the limit is left alone, files that were only read included", async () => {
      const stage = await run({ command: ["bash", "-c", "cat /usr/bin/* > /dev/null 2>&1; true"], limits });
      expect(stage).toMatchObject({ limit: null, exit_code: 0 });
      expect(await run({ command: holdMemory(50), limits })).toMatchObject({ limit: null, exit_code: 0 });
    });

    test("left behind by the compile in files counts in the run", async () => {
      await using cgroup = new Cgroup([]);
      const compile = { kind: "c", command: ["bash", "-c", "head -c 60M /dev/zero > f"] } as const;
      const stage = { command: ["sleep", "1000"], limits: { memoryBytes: 32 * MIB } };
      const outcome = await executeInPod({ stages: [compile, stage] }, cgroup, { binary });
      expect(outcome.stages[0]).toMatchObject({ limit: null, exit_code: 0 });
      expect(last(outcome)).toMatchObject({ stage: "run", limit: "memory" });
    });

    test("is told of each stage by itself", async () => {
      await using cgroup = new Cgroup([]);
      const compile = { kind: "c", command: holdMemory(150) } as const;
      const outcome = await executeInPod({ stages: [compile, { command: holdMemory(20) }] }, cgroup, { binary });
      expect(outcome.stages[0]?.memory_bytes).toBeGreaterThan(150 * MIB);
      expect(outcome.stages[1]?.memory_bytes).toBeGreaterThan(20 * MIB);
      expect(outcome.stages[1]?.memory_bytes).toBeLessThan(100 * MIB);
    });
  });

  describe("inodes", () => {
    const fill = (folder: string, count: number): string[] =>
      python(
        `for n in range(${count}): open(f"${folder}/{n}", "x").close()\nprint("all")\nimport time; time.sleep(0.2)`,
      );

    test.each(["/work", "/tmp", "/dev/shm"])("in %s end the stage", async (folder) => {
      const stage = await run({ command: fill(folder, 5000) }, { workInodes: 1000 });
      expect(stage).toMatchObject({ limit: "inodes", signal: "SIGKILL" });
    });

    test("may be as many as the limit in each folder, and are counted when the program ends at once", async () => {
      const each = (count: number): string =>
        `for f in ("/work", "/tmp", "/dev/shm"):\n for n in range(${count}): open(f"{f}/{n}", "x").close()`;
      expect(await run({ command: python(each(100)) }, { workInodes: 100 })).toMatchObject({ limit: null });
      expect(await run({ command: python(each(101)) }, { workInodes: 100 })).toMatchObject({ limit: "inodes" });
    });

    test("of the program's own files count", async () => {
      const files = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`f${index}`, ""]));
      const outcome = await executeInPod({ files, workInodes: 19, stages: [{ command: ["true"] }] }, undefined, {
        binary,
      });
      expect(last(outcome).limit).toBe("inodes");
    });
  });
});
