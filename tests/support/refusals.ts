import { expect } from "vitest";

import type { Client } from "./client.ts";
import { eventually } from "./time.ts";

export interface ExpectedRefusal {
  status: number;
  code: string;
  /** What the details and the message name as the culprit. */
  field?: string;
  /** What the message says besides, such as what would have been allowed. */
  says?: RegExp;
}

/** A field as a message shows it: a sentence has no control characters. */
function printable(field: string): string {
  return field.replaceAll(/\p{Cc}/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** How many runs have ended, once none is waiting or executing. */
async function runsEnded(api: Client): Promise<number> {
  return await eventually(30_000, "an idle server", async () => {
    const metrics = await api.metrics();
    const idle = metrics.sum("sandbox_running") === 0 && metrics.sum("sandbox_queue_length") === 0;
    return idle ? metrics.sum("sandbox_runs_total") : undefined;
  });
}

/** Fails when `action` makes the server run anything. */
export async function expectNothingRuns(api: Client, action: () => Promise<unknown>): Promise<void> {
  const before = await runsEnded(api);
  await action();
  expect(await runsEnded(api), "a refused request must not run").toBe(before);
}

/** The call must be refused like this, in words that help, without anything being run. */
export async function expectRefusal(
  api: Client,
  call: () => Promise<Response>,
  expected: ExpectedRefusal,
): Promise<void> {
  await expectNothingRuns(api, async () => {
    const { status, headers, error } = await api.refused(call());
    expect({ status, code: error.code, field: error.details?.field }, error.message).toEqual({
      status: expected.status,
      code: expected.code,
      field: expected.field,
    });
    if (expected.field !== undefined) expect(error.message).toContain(printable(expected.field));
    if (expected.says !== undefined) expect(error.message).toMatch(expected.says);
    expect(error.message, "one sentence, without a stack or a path of the server").not.toMatch(
      /\n| at .*:\d+|node_modules/,
    );
    expect(headers.get("content-type")).toMatch(/^application\/json/);
  });
}
