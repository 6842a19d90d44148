import { expect, test } from "vitest";

import { Client } from "../../support/client.ts";
import { collect } from "../../support/events.ts";
import { InteractiveClient } from "../../support/interactive.ts";
import { startServer, temporaryFolder } from "../../support/server.ts";
import type { Server, Settings } from "../../support/server.ts";
import { RawConnection } from "../../support/socket.ts";
import { eventually } from "../../support/time.ts";

const ENDED = { code: 0, signal: null };

async function start(folder: { path: string }, settings: Settings = {}): Promise<{ server: Server; api: Client }> {
  const server = await startServer({ MAX_RUNNING: "1", CPU_LIMIT: "1", ...settings, DATA_DIR: folder.path });
  return { server, api: new Client(server.url) };
}

async function running(api: Client): Promise<void> {
  await eventually(
    30_000,
    "a running program",
    async () => (await api.metrics()).sum("sandbox_running") === 1 || undefined,
  );
}

/** Resolves when the server takes no more runs. */
async function refusing(api: Client): Promise<void> {
  await eventually(30_000, "a server that accepts no more", async () => {
    try {
      const response = await api.post("/api/run", { language: "bash", code: ":" });
      await response.body?.cancel();
      return response.status === 503 || undefined;
    } catch {
      return true;
    }
  });
}

test("a running sync request gets its result, others are refused, and the exit code is 0", async () => {
  await using folder = await temporaryFolder();
  const { server, api } = await start(folder);
  const call = api.run({ language: "bash", code: "sleep 1.5; echo done" });
  await running(api);
  server.terminate();
  await refusing(api);
  expect(await call).toMatchObject({ status: "succeeded", stdout: "done\n" });
  expect(await server.exited).toEqual(ENDED);
});

test("an idle server ends at once, whoever holds connections to it", async () => {
  await using folder = await temporaryFolder();
  const { server, api } = await start(folder);
  await api.run({ language: "bash", code: ":" });
  using silent = new RawConnection(server.url);
  using halfway = new RawConnection(server.url).send("GET /healthz HTTP/1.1\r\nHost: x\r\n");
  await api.fetch("GET", "/healthz").then((response) => response.text());
  const asked = performance.now();
  expect(await server.stop()).toEqual(ENDED);
  expect(performance.now() - asked).toBeLessThan(10_000);
  await Promise.all([silent.response(), halfway.response()]);
});

test("SIGINT ends it like SIGTERM, and a second signal at once", async () => {
  await using folder = await temporaryFolder();
  const first = await start(folder);
  process.kill(first.server.pid, "SIGINT");
  expect(await first.server.exited).toEqual(ENDED);

  const { server, api } = await start(folder);
  const run = await api.submit({ language: "bash", code: "sleep 60", limits: { wall_ms: 60_000 } });
  await api.started(run.id);
  server.terminate();
  await refusing(api);
  server.terminate();
  expect(await server.exited).toEqual({ code: 1, signal: null });
});

test("what is running ends, what is queued is left for the next start and ends there", async () => {
  await using folder = await temporaryFolder();
  const first = await start(folder);
  const runs = await Promise.all(
    [0, 1, 2, 3].map((n) => first.api.submit({ language: "bash", code: `sleep 1; echo ${n}` })),
  );
  const [executing] = runs;
  if (executing === undefined) throw new Error("there is a first run");
  await first.api.started(executing.id);
  expect(await first.server.stop()).toEqual(ENDED);

  const { server, api } = await start(folder);
  expect(await api.result(executing.id), "ended before the server did").toMatchObject({ status: "succeeded" });
  for (const { id } of runs) expect(await api.finished(id)).toMatchObject({ status: "succeeded", reason: null });
  expect(await server.stop()).toEqual(ENDED);
});

test("a durable run that takes longer than DRAIN_SECONDS is queued again and ends after the next start", async () => {
  await using folder = await temporaryFolder();
  const first = await start(folder, { DRAIN_SECONDS: "1" });
  const { id } = await first.api.submit({ language: "bash", code: "echo begun; sleep 4; echo done" });
  await first.api.started(id);
  const events = collect(await first.api.events(id)).catch(() => []);
  const asked = performance.now();
  expect(await first.server.stop()).toEqual(ENDED);
  expect(performance.now() - asked).toBeLessThan(10_000);
  expect((await events).map(({ event }) => event)).not.toContain("finished");

  const { server, api } = await start(folder);
  expect(["queued", "running"]).toContain((await api.result(id)).status);
  expect(await api.finished(id)).toMatchObject({ status: "succeeded", stdout: "begun\ndone\n" });
  await server.stop();
});

test("a sync run that takes longer than DRAIN_SECONDS is answered as lost, with the reason", async () => {
  await using folder = await temporaryFolder();
  const { server, api } = await start(folder, { DRAIN_SECONDS: "1" });
  const call = api.post("/api/run/sync", { language: "bash", code: "sleep 60", limits: { wall_ms: 60_000 } });
  await running(api);
  const queued = api.post("/api/run/sync", { language: "bash", code: "echo queued" });
  await eventually(
    30_000,
    "the queue",
    async () => (await api.metrics()).sum("sandbox_queue_length") === 1 || undefined,
  );
  const asked = performance.now();
  expect(await server.stop()).toEqual(ENDED);
  expect(performance.now() - asked).toBeLessThan(15_000);
  for (const response of await Promise.all([call, queued])) {
    const text = await response.text();
    if (response.status === 503) expect(JSON.parse(text)).toMatchObject({ error: { code: "shutting_down" } });
    else expect(JSON.parse(text)).toMatchObject({ status: "lost", reason: expect.stringMatching(/stopped/) });
  }
});

test.for(["stopped", "killed"] as const)("an interactive run whose server is %s is lost, and says so", async (how) => {
  await using folder = await temporaryFolder();
  const first = await start(folder, { DRAIN_SECONDS: "1" });
  const client = await InteractiveClient.open(first.server.url);
  client.send({ type: "start", request: { language: "bash", code: "echo begun; read line" } });
  await client.prints("begun\n");
  const id = await client.accepted();
  await (how === "killed" ? first.server.kill() : first.server.stop());

  const { server, api } = await start(folder);
  expect(await api.result(id)).toMatchObject({ status: "lost", reason: expect.stringContaining(how) });
  await using later = await InteractiveClient.open(server.url);
  later.send({ type: "attach", id });
  expect(await later.finished()).toMatchObject({ id, status: "lost" });
  await server.stop();
});
