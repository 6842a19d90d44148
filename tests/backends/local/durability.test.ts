import { setTimeout as delay } from "node:timers/promises";

import { describe, expect, test } from "vitest";

import { Client } from "../../support/client.ts";
import { startServer, temporaryFolder } from "../../support/server.ts";
import type { Server } from "../../support/server.ts";

const RUNS = 50;
const SETTINGS = { MAX_RUNNING: "2", CPU_LIMIT: "1" };

/** Prints something else each time that it runs. */
const ONCE = { language: "bash", code: "sleep 0.02; cat /proc/sys/kernel/random/uuid" };

/** A number from 0 to 1 for each seed, always the same (mulberry32). */
function random(seed: number): number {
  let state = (seed * 0x6d2b79f5) | 0;
  state = Math.imul(state ^ (state >>> 15), state | 1);
  state ^= state + Math.imul(state ^ (state >>> 7), state | 61);
  return ((state ^ (state >>> 14)) >>> 0) / 2 ** 32;
}

function key(n: number): { headers: Record<string, string> } {
  return { headers: { "idempotency-key": `run ${n}` } };
}

async function accept(api: Client): Promise<string[]> {
  return await Promise.all(Array.from({ length: RUNS }, async (_, n) => (await api.submit(ONCE, key(n))).id));
}

/** Follows every run; what was seen of a run's end is in the answer even when the server dies. */
async function watch(api: Client, ids: readonly string[]): Promise<Map<string, unknown>> {
  const seen = new Map<string, unknown>();
  const watching = ids.map(async (id) => {
    for (;;) {
      const state = await api.result(id, 60_000);
      if ("finished_at" in state) return void seen.set(id, state);
    }
  });
  await Promise.allSettled(watching);
  return seen;
}

/** How long all the runs take when nobody kills anything, in milliseconds. */
async function undisturbed(): Promise<number> {
  await using folder = await temporaryFolder();
  await using server = await startServer({ ...SETTINGS, DATA_DIR: folder.path });
  const api = new Client(server.url);
  await api.run({ language: "bash", code: ":" });
  const begun = performance.now();
  const seen = await watch(api, await accept(api));
  expect(seen.size).toBe(RUNS);
  return performance.now() - begun;
}

async function killAfter(server: Server, milliseconds: number): Promise<void> {
  await delay(milliseconds);
  await server.kill();
}

describe(`${RUNS} accepted runs outlive a server that is killed`, () => {
  let duration: Promise<number> | undefined;

  test.for([1, 2, 3, 4])("at a random moment (seed %i of 4)", { timeout: 120_000 }, async (seed) => {
    await using folder = await temporaryFolder();
    const settings = { ...SETTINGS, DATA_DIR: folder.path };
    const moment = ((seed - 1 + random(seed)) / 4) * (await (duration ??= undisturbed()));

    const first = await startServer(settings);
    const ids = await accept(new Client(first.url));
    const [seen] = await Promise.all([watch(new Client(first.url), ids), killAfter(first, moment)]);

    await using second = await startServer(settings);
    const api = new Client(second.url);
    const results = await Promise.all(ids.map((id) => api.finished(id)));

    expect(new Set(results.map(({ id }) => id)).size, "none vanished").toBe(RUNS);
    for (const result of results) {
      expect(["succeeded", "lost"]).toContain(result.status);
      if (result.status === "succeeded") expect(result.stdout).toMatch(/^[0-9a-f-]{36}\n$/);
      else expect(result.reason).toMatch(/killed/);
      if (seen.has(result.id)) expect(result, "what was seen before stays").toEqual(seen.get(result.id));
    }
    const lost = results.filter(({ status }) => status === "lost").length;
    expect(lost, "no more are lost than were executing").toBeLessThanOrEqual(2);

    const ran = (await api.metrics()).sum("sandbox_runs_total", { status: "succeeded" });
    const again = await Promise.all(results.map((_, n) => api.run(ONCE, key(n))));
    expect(again, "the same keys are the same runs").toEqual(results);
    expect((await api.metrics()).sum("sandbox_runs_total", { status: "succeeded" })).toBe(ran);
  });
});

test("a run whose end a client has seen is never lost afterwards, however soon the server is killed", async () => {
  await using folder = await temporaryFolder();
  const settings = { ...SETTINGS, DATA_DIR: folder.path };
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const first = await startServer(settings);
    const api = new Client(first.url);
    const { id } = await api.submit(ONCE);
    const seen = await api.finished(id);
    await first.kill();
    await using second = await startServer(settings);
    expect(await new Client(second.url).result(id)).toEqual(seen);
  }
});

test("events of a run that ended before the kill are replayed after it", async () => {
  await using folder = await temporaryFolder();
  const settings = { ...SETTINGS, DATA_DIR: folder.path };
  const first = await startServer(settings);
  const { id } = await new Client(first.url).submit({
    language: "c",
    code: "#warning careful\nint main(void) { return 3; }",
  });
  const before = await Array.fromAsync(await new Client(first.url).events(id));
  await first.kill();
  await using second = await startServer(settings);
  expect(await Array.fromAsync(await new Client(second.url).events(id))).toEqual(before);
});

test("what was queued is still executed in the order in which it came", async () => {
  await using folder = await temporaryFolder();
  const settings = { ...SETTINGS, MAX_RUNNING: "1", DATA_DIR: folder.path };
  const first = await startServer(settings);
  const api = new Client(first.url);
  const sleeper = await api.submit({ language: "bash", code: "sleep 60", limits: { wall_ms: 60_000 } });
  await api.started(sleeper.id);
  const ids: string[] = [];
  for (let n = 0; n < 5; n += 1) ids.push((await api.submit({ language: "bash", code: `echo ${n}` })).id);
  await first.kill();
  await using second = await startServer(settings);
  const results = await Promise.all(ids.map((id) => new Client(second.url).finished(id)));
  expect(results.map(({ stdout }) => stdout)).toEqual(["0\n", "1\n", "2\n", "3\n", "4\n"]);
  const starts = results.map(({ started_at }) => started_at);
  expect(starts).toEqual(starts.toSorted((a, b) => (String(a) < String(b) ? -1 : 1)));
  expect(await new Client(second.url).result(sleeper.id)).toMatchObject({
    status: "lost",
    reason: expect.stringMatching(/killed/),
  });
});
