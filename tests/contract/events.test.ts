import { describe, expect } from "vitest";

import { contractTest } from "../support/contract.ts";
import { collect } from "../support/events.ts";
import type { ServerEvent } from "../support/events.ts";

const test = contractTest({ MAX_RUNNING: "1", CPU_LIMIT: "1" });

const TALKER = { language: "bash", code: "for i in 1 2 3 4 5; do echo out $i; echo error $i >&2; sleep 0.05; done" };
const SLEEPER = { language: "bash", code: "echo awake; exec sleep 60", limits: { wall_ms: 60_000 } };

function printed(events: readonly ServerEvent[], stream: "stdout" | "stderr"): string {
  const chunks = events.flatMap((event) =>
    event.event === "output" && event.data.stream === stream ? [Buffer.from(event.data.data, event.data.encoding)] : [],
  );
  return Buffer.concat(chunks).toString();
}

test("tell a run's story in order, up to the result, and end there", async ({ api }) => {
  const { id } = await api.submit({ ...TALKER, language: "bash" });
  const events = await collect(await api.events(id));
  expect(events.map((event) => event.id)).toEqual(events.map((_, index) => index));
  const kinds = events.map(({ event }) => event);
  expect(kinds[0]).toBe("stage_started");
  expect(kinds.slice(1, -2).every((kind) => kind === "output")).toBe(true);
  expect(kinds.slice(-2)).toEqual(["stage_ended", "finished"]);

  const result = await api.finished(id);
  expect(events.at(-1)).toMatchObject({ event: "finished", data: { result } });
  expect(printed(events, "stdout")).toBe(result.stdout);
  expect(printed(events, "stderr")).toBe("error 1\nerror 2\nerror 3\nerror 4\nerror 5\n");
  const { exit_code, wall_ms, cpu_ms, memory_bytes } = result.run ?? {};
  expect(events.at(-2)?.data).toMatchObject({ stage: "run", exit_code, wall_ms, cpu_ms, memory_bytes, limit: null });
});

test("tell of both stages of a compiled program", async ({ api }) => {
  const { id } = await api.submit({ language: "c", code: "#warning careful\nint main(void) { return 1; }" });
  const events = await collect(await api.events(id));
  const stages = events.map(({ event, data }) => ("stage" in data ? `${event} ${data.stage}` : event));
  expect([...new Set(stages)]).toEqual([
    "stage_started compile",
    "output compile",
    "stage_ended compile",
    "stage_started run",
    "stage_ended run",
    "finished",
  ]);
});

test("come while the program is running", async ({ api }) => {
  const { id } = await api.submit(SLEEPER);
  const seen: ServerEvent[] = [];
  for await (const event of await api.events(id)) {
    seen.push(event);
    if (event.event !== "output") continue;
    expect(event.data).toEqual({ stage: "run", stream: "stdout", data: "awake\n", encoding: "utf8" });
    expect(await api.result(id)).toMatchObject({ status: "running" });
    await api.cancel(id);
  }
  expect(seen.at(-1)).toMatchObject({
    event: "finished",
    data: { result: { status: "cancelled", stdout: "awake\n" } },
  });
});

test("of a queued run come when it is its turn", async ({ api }) => {
  const first = await api.submit(SLEEPER);
  const second = await api.submit(TALKER);
  const events = collect(await api.events(second.id));
  expect(await api.result(second.id)).toMatchObject({ status: "queued" });
  await api.cancel(first.id);
  expect((await events).at(-1)?.event).toBe("finished");
});

test("are the same for everyone and every time", async ({ api }) => {
  const { id } = await api.submit(TALKER);
  const [live, alsoLive] = await Promise.all([api.events(id).then(collect), api.events(id).then(collect)]);
  expect(alsoLive).toEqual(live);
  expect(await collect(await api.events(id))).toEqual(live);
});

test("are there for a sync run as well", async ({ api }) => {
  const result = await api.run(TALKER);
  const events = await collect(await api.events(result.id));
  expect(events.at(-1)?.data).toEqual({ result });
});

describe("Last-Event-ID", () => {
  test("resumes after that event, at any place", async ({ api }) => {
    const { id } = await api.submit(TALKER);
    const all = await collect(await api.events(id));
    for (const { id: last } of all.slice(0, -1)) {
      const rest = await collect(await api.events(id, { headers: { "last-event-id": String(last) } }));
      expect(rest).toEqual(all.slice(last + 1));
    }
  });

  test("of the last event tells a client to come back no more", async ({ api }) => {
    const { id } = await api.run({ language: "bash", code: ":" });
    const last = (await collect(await api.events(id))).at(-1)?.id;
    const response = await api.fetch("GET", `/api/result/${id}/events`, { headers: { "last-event-id": String(last) } });
    expect(response.status, "with which an EventSource stops to reconnect").toBe(204);
  });

  test("resumes a broken stream while the program is running", async ({ api }) => {
    const { id } = await api.submit(TALKER);
    const first: ServerEvent[] = [];
    for await (const event of await api.events(id)) {
      first.push(event);
      if (first.length === 3) break;
    }
    const rest = await collect(await api.events(id, { headers: { "last-event-id": "2" } }));
    expect([...first, ...rest]).toEqual(await collect(await api.events(id)));
  });

  test.for(["-1", "1.5", "abc", "0x1", "1e1", "99999999999999999999"])("of %j is refused", async (value, { api }) => {
    const { id } = await api.run({ language: "bash", code: ":" });
    const call = api.fetch("GET", `/api/result/${id}/events`, { headers: { "last-event-id": value } });
    const { status, error } = await api.refused(call);
    expect({ status, code: error.code }).toEqual({ status: 400, code: "invalid_request" });
    expect(error.message).toMatch(/last-event-id/i);
  });
});

test("are not kept from the next run by a client that has gone", async ({ api }) => {
  const { id } = await api.submit(TALKER);
  const gone = new AbortController();
  for await (const event of await api.events(id, { signal: gone.signal })) {
    if (event.event === "output") break;
  }
  gone.abort();
  expect(await api.finished(id)).toMatchObject({ status: "succeeded" });
});

test("of a lot of output arrive whole, also for a slow reader", async ({ api }) => {
  const code = "import sys\nfor n in range(200_000): print(n)";
  const { id } = await api.submit({ language: "python", code, limits: { output_bytes: 2 ** 21 } });
  await api.finished(id);
  const events: ServerEvent[] = [];
  for await (const event of await api.events(id)) {
    events.push(event);
    await new Promise(setImmediate);
  }
  expect(printed(events, "stdout")).toBe(Array.from({ length: 200_000 }, (_, n) => `${n}\n`).join(""));
});

test("are sent with headers that keep proxies and caches away", async ({ api }) => {
  const { id } = await api.run({ language: "bash", code: ":" });
  const { headers, body } = await api.fetch("GET", `/api/result/${id}/events`);
  await body?.cancel();
  expect(headers.get("content-type")).toMatch(/^text\/event-stream/);
  expect(headers.get("cache-control")).toContain("no-store");
  expect(headers.get("x-accel-buffering")).toBe("no");
});
