import { join } from "node:path";

import { afterEach, expect, test, vi } from "vitest";

import { LocalStore } from "../../../backends/local/local-store.ts";
import { Recording } from "../../../core/recording.ts";
import { runId } from "../../../core/run.ts";
import { temporaryFolder } from "../../support/server.ts";

const TTL_MS = 60_000;
const START = Date.UTC(2026, 0, 1);

afterEach(() => {
  vi.useRealTimers();
});

function header(key: string) {
  const createdAt = new Date();
  return {
    id: runId("ada", key),
    tenant: "ada",
    language: "bash",
    version: null,
    fingerprint: key,
    durable: false,
    createdAt,
  };
}

test("a run takes the place of one that had expired under the same key, also where the clock was set back since", async () => {
  await using folder = await temporaryFolder();
  vi.useFakeTimers({ toFake: ["Date"], now: START });
  using store = LocalStore.open(join(folder.path, "runs.db"), TTL_MS);
  const keep = (key: string, reason: string): void => {
    const run = header(key);
    const recording = new Recording(run);
    recording.interrupt({ status: "lost", reason }, new Date());
    store.insertFinished(run, recording);
  };
  const found = (key: string): unknown => {
    const run = store.find(runId("ada", key));
    return run === undefined ? undefined : store.state(run);
  };
  keep("key", "first");
  expect(found("key")).toMatchObject({ result: { reason: "first" } });
  vi.setSystemTime(START + 2 * TTL_MS);
  expect(found("key")).toBeUndefined();
  vi.setSystemTime(START);
  keep("key", "second");
  keep("other", "third");
  expect(found("key")).toMatchObject({ result: { reason: "second" } });
  expect(found("other")).toMatchObject({ result: { reason: "third" } });
  expect(store.problem).toBeUndefined();
});
