import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { Client } from "../../support/client.ts";
import { cgroupsOf, filesIn, tracesOf } from "../../support/machine.ts";
import { startServer, temporaryFolder } from "../../support/server.ts";
import { eventually } from "../../support/time.ts";

/** As many interpreters wait after the runs as before. */
const SETTINGS = { MAX_RUNNING: "2", CPU_LIMIT: "1", WARM_MIN: "1", WARM_MAX: "1" };

/** Programs that would leave something behind if they could. */
const NASTY = [
  {
    language: "bash",
    code: "for i in 1 2 3; do (trap '' TERM HUP INT; setsid sleep 1000 >/dev/null 2>&1 &); done; echo daemons",
  },
  { language: "bash", code: ":(){ :|:& };:; wait", limits: { processes: 30, wall_ms: 1000 } },
  {
    language: "python",
    code: "import os\nwhile os.fork() or not os.setsid(): pass",
    limits: { processes: 20, wall_ms: 500 },
  },
  {
    language: "bash",
    code: "for d in /tmp /work /dev/shm; do for i in {1..200}; do echo x > $d/$i; done; mkfifo $d/p; ln -s / $d/l; done",
  },
  { language: "bash", code: "chmod 000 /work /tmp; kill -STOP $$", limits: { wall_ms: 300 } },
  { language: "python", code: "x = bytearray(1 << 30)", limits: { memory_bytes: 32 << 20 } },
  { language: "bash", code: "yes & yes & yes", limits: { output_bytes: 1000 } },
  {
    language: "c",
    code: "#include <unistd.h>\nint main(void) { while (fork() >= 0); for (;;); }",
    limits: { processes: 20, cpu_ms: 300 },
  },
];

async function runAll(api: Client): Promise<void> {
  const results = await Promise.all(NASTY.map((request) => api.run(request)));
  for (const { status, reason } of results) expect(status, reason ?? "").not.toBe("lost");
}

/** The server's traces while it waits for work, once sandboxes of ended runs are gone. */
async function idleTraces(dataDir: string, expected: number): Promise<void> {
  await eventually(20_000, "the idle server's traces", () =>
    tracesOf(dataDir).length === expected ? true : undefined,
  );
}

describe("a series of nasty runs leaves nothing behind", () => {
  test("beside the sandboxes that wait for the next run", async () => {
    await using folder = await temporaryFolder();
    await using server = await startServer({ ...SETTINGS, DATA_DIR: folder.path });
    const api = new Client(server.url);
    await api.languages();
    const { length } = await eventually(20_000, "a calm start", async () => {
      const traces = tracesOf(folder.path);
      await api.languages();
      return tracesOf(folder.path).join() === traces.join() ? traces : undefined;
    });
    await runAll(api);
    await idleTraces(folder.path, length);
  });

  test("after the server has ended", async () => {
    await using folder = await temporaryFolder();
    const idle = await startServer({ ...SETTINGS, DATA_DIR: folder.path });
    expect(tracesOf(folder.path), "the sandboxes that wait").not.toEqual([]);
    expect(cgroupsOf(folder.path).length, "in cgroups").toBeGreaterThan(0);
    expect(await idle.stop()).toEqual({ code: 0, signal: null });
    expect(tracesOf(folder.path)).toEqual([]);
    const files = filesIn(folder.path);

    const busy = await startServer({ ...SETTINGS, DATA_DIR: folder.path });
    await runAll(new Client(busy.url));
    expect(await busy.stop()).toEqual({ code: 0, signal: null });
    expect(tracesOf(folder.path)).toEqual([]);
    expect(filesIn(folder.path)).toEqual(files);
  });

  test("after the server was killed in the midst of them: processes and mounts are gone, cgroups with the next start", async () => {
    await using folder = await temporaryFolder();
    const server = await startServer({ ...SETTINGS, DATA_DIR: folder.path });
    const api = new Client(server.url);
    const sleeper = {
      language: "bash",
      code: "(trap '' TERM HUP; setsid sleep 1000 &) ; sleep 60",
      limits: { wall_ms: 60_000 },
    };
    const runs = await Promise.all([api.submit(sleeper), api.submit(sleeper)]);
    await Promise.all(runs.map(({ id }) => api.started(id)));
    await server.kill();
    await eventually(20_000, "the end of the sandboxes", () => {
      const traces = tracesOf(folder.path);
      return traces.length === cgroupsOf(folder.path).length ? true : undefined;
    });

    const next = await startServer({ ...SETTINGS, DATA_DIR: folder.path });
    expect(await new Client(next.url).run({ language: "bash", code: "echo next" })).toMatchObject({ stdout: "next\n" });
    await next.stop();
    expect(tracesOf(folder.path)).toEqual([]);
  });
});

test("a restart removes the cgroups that a killed server has left", async () => {
  await using folder = await temporaryFolder();
  const server = await startServer({ ...SETTINGS, DATA_DIR: folder.path });
  const parents = cgroupsOf(folder.path).filter((path) => !path.endsWith("-server"));
  await server.kill();
  await eventually(20_000, "the end of the sandboxes", () => {
    return tracesOf(folder.path).length === cgroupsOf(folder.path).length ? true : undefined;
  });
  for (const parent of parents) mkdirSync(join(parent, "stale"), { recursive: true });

  const next = await startServer({ ...SETTINGS, DATA_DIR: folder.path });
  for (const parent of parents) expect(statSync(join(parent, "stale"), { throwIfNoEntry: false })).toBeUndefined();
  await next.stop();
  expect(cgroupsOf(folder.path)).toEqual([]);
});

test("what the server keeps of its runs is nobody else's to read", async () => {
  await using folder = await temporaryFolder();
  await using server = await startServer({ ...SETTINGS, DATA_DIR: folder.path });
  await new Client(server.url).run({ language: "bash", code: "echo secret" });
  for (const name of filesIn(folder.path).filter((file) => file.startsWith("runs.db"))) {
    expect(statSync(join(folder.path, name)).mode & 0o077, name).toBe(0);
  }
  expect(statSync(folder.path).mode & 0o066).toBe(0);
});
