import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { eventStream } from "../../api/event-stream.ts";
import type { RunEvent } from "../../core/run.ts";

async function* arrive<Value>(...values: (Value | Promise<Value>)[]): AsyncGenerator<Value> {
  for (const value of values) yield await value;
}

const STARTED = { seq: 4, type: "stage_started", stage: "run" } satisfies RunEvent;

test("an event has its number, its name and its data, and a blank line after it", async () => {
  const output: RunEvent = { seq: 5, type: "output", stage: "run", stream: "stderr", bytes: Buffer.from("a\nb\r\r\n") };
  let text = "";
  for await (const piece of eventStream(arrive<RunEvent>(STARTED, output))) text += piece;
  expect(text.split("\n\n")).toEqual([
    "retry: 1000",
    'id: 4\nevent: stage_started\ndata: {"stage":"run"}',
    `id: 5\nevent: output\ndata: ${String.raw`{"stage":"run","stream":"stderr","data":"a\nb\r\r\n","encoding":"utf8"}`}`,
    "",
  ]);
});

test("a client that goes away lets go of the events", async () => {
  let released = false;
  async function* events(): AsyncGenerator<RunEvent> {
    try {
      yield STARTED;
      yield STARTED;
    } finally {
      released = true;
    }
  }
  const stream = eventStream(events());
  await stream.next();
  await stream.next();
  await stream.return(undefined);
  expect(released).toBe(true);
});

describe("while nothing happens", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test("a comment is sent every 15 seconds, and no event is lost by it", async () => {
    const later = Promise.withResolvers<RunEvent>();
    const stream = eventStream(arrive<RunEvent>(later.promise));
    await stream.next();
    for (let beat = 0; beat < 3; beat += 1) {
      const next = stream.next();
      await vi.advanceTimersByTimeAsync(15_000);
      expect((await next).value).toMatch(/^:.*\n\n$/);
    }
    later.resolve(STARTED);
    expect((await stream.next()).value).toMatch(/^id: 4\n/);
    await stream.return(undefined);
    expect(vi.getTimerCount()).toBe(0);
  });
});
