import { describe, expect, test } from "vitest";

import { BINARIES } from "./binaries.ts";
import { Cgroup } from "./cgroup.ts";
import { last } from "./frames.ts";
import { THREADS, podOptions } from "./pod.ts";
import { encodeAnew, environmentOfAhead } from "./program.ts";
import type { ProgramSpec, StageSpec } from "./program.ts";
import { Sandbox } from "./sandbox.ts";

const SHELL = ["bash", "-c", 'program=$(cat main.sh); eval "$program"'];
/** Starts threads before it reads its program, as Node does. */
const THREADED = ["python3", "-c", `${THREADS}\nexec(open("main.sh").read())`];

function program(command: readonly string[], text: string, limits: StageSpec["limits"] = {}): ProgramSpec {
  return { files: { "main.sh": text }, stages: [{ command, limits: { openFiles: 1024, processes: 200, ...limits } }] };
}

describe.each(BINARIES)("what was started ahead in a pod (%s)", (binary) => {
  async function runAhead(command: readonly string[], text: string, limits: StageSpec["limits"] = {}) {
    await using cgroup = new Cgroup([]);
    const waiting = program(command, "");
    await using sandbox = new Sandbox({
      ...podOptions(waiting, cgroup, { binary }),
      environment: environmentOfAhead(waiting),
    });
    sandbox.send(program(command, text, limits));
    const outcome = await sandbox.outcome();
    expect(outcome.failed).toBeNull();
    expect(outcome.course).toBe("ready started stdout ended finished");
    return last(outcome);
  }

  test("reads its program from fd 0, in the folders that are there", async () => {
    const stage = await runAhead(SHELL, "cat main.sh; ls; exit 3");
    expect(stage.stdout.toString()).toBe("cat main.sh; ls; exit 3main.sh\n");
    expect(stage).toMatchObject({ exit_code: 3, limit: null });
  });

  test("may start threads while it waits", async () => {
    const stage = await runAhead(THREADED, "print('and on')");
    expect(stage.stdout.toString()).toBe("100\nand on\n");
    expect(stage).toMatchObject({ exit_code: 0, limit: null });
  });

  test("is under the program's limits, that of processes too", async () => {
    const stage = await runAhead(
      SHELL,
      "ulimit -n; ulimit -u; exec 2>/dev/null; for i in 1 2 3 4; do sleep 5 & done; wait",
      {
        openFiles: 20,
        processes: 3,
      },
    );
    expect(stage.stdout.toString()).toBe("20\n4\n");
    expect(stage).toMatchObject({ limit: "processes" });
  });

  test("makes way for a program that it can't execute, and leaves it nothing", async () => {
    const text = 'echo "$0 $1"; cat; find /work /tmp /dev/shm -mindepth 1; ls -d /proc/[0-9]*; exit 3';
    await using cgroup = new Cgroup([]);
    const waiting = program(SHELL, "");
    await using sandbox = new Sandbox({
      ...podOptions(waiting, cgroup, { binary }),
      environment: environmentOfAhead(waiting),
    });
    // Newlines tell what waits that it is to go on.
    sandbox.stdin.write("\n\n");
    sandbox.stdin.write(
      encodeAnew({
        files: { "main.sh": text, "a/b": "b" },
        stages: [{ command: ["bash", "main.sh", "an argument"], live: true, limits: { processes: 4 } }],
      }),
    );
    sandbox.stdin.write("i 3 aW4K\ne\n");
    const outcome = await sandbox.outcome();
    expect(outcome.failed).toBeNull();
    expect(outcome.course).toBe("ready started stdout ended finished");
    const [first, second, ...rest] = last(outcome).stdout.toString().trimEnd().split("\n");
    expect([first, second]).toEqual(["main.sh an argument", "in"]);
    expect(rest.filter((line) => !line.startsWith("/proc/")).toSorted()).toEqual([
      "/work/a",
      "/work/a/b",
      "/work/main.sh",
    ]);
    // The runner and the shell, which lists them.
    expect(rest.filter((line) => line.startsWith("/proc/"))).toHaveLength(2);
    expect(last(outcome)).toMatchObject({ exit_code: 3, limit: null });
  });

  test("ends with its input when no program comes", async () => {
    const waiting = program(SHELL, "");
    await using sandbox = new Sandbox({
      ...podOptions(waiting, undefined, { binary }),
      environment: environmentOfAhead(waiting),
    });
    sandbox.stdin.end();
    expect((await sandbox.outcome()).course).toBe("ready");
  });
});
