import { expect } from "vitest";

import type { Client } from "../support/client.ts";
import { contractTest } from "../support/contract.ts";
import { expectRefusal } from "../support/refusals.ts";

const KEYS = { ada: "ada-secret-0123456789", ben: "ben-secret-0123456789" };
const test = contractTest({
  CPU_LIMIT: "1",
  API_KEYS: Object.entries(KEYS)
    .map(([name, secret]) => `${name}:${secret}`)
    .join(","),
});

/** Prints something else each time that it runs. */
const ONCE = { language: "bash", code: "cat /proc/sys/kernel/random/uuid" };

function as(api: Client, name: keyof typeof KEYS): Client {
  return api.with({ "x-api-key": KEYS[name] });
}

function key(value: string): { headers: Record<string, string> } {
  return { headers: { "idempotency-key": value } };
}

async function runsEnded(api: Client): Promise<number> {
  return (await api.metrics()).sum("sandbox_runs_total");
}

test("the same key and request are the same run, on both routes", async ({ api }) => {
  const ada = as(api, "ada");
  const before = await runsEnded(ada);
  const first = await ada.run(ONCE, key("one"));
  const second = await ada.run(ONCE, key("one"));
  const third = await ada.submit(ONCE, key("one"));
  expect(first.stdout).toMatch(/^[0-9a-f-]{36}\n$/);
  expect(second).toEqual(first);
  expect(third.id).toBe(first.id);
  expect(await ada.finished(third.id)).toEqual(first);
  expect(await runsEnded(ada)).toBe(before + 1);
});

test("async first and sync after are the same run too, also while it executes", async ({ api }) => {
  const ada = as(api, "ada");
  const request = { ...ONCE, code: `sleep 0.5; ${ONCE.code}` };
  const accepted = await ada.submit(request, key("two"));
  const result = await ada.run(request, key("two"));
  expect(result.id).toBe(accepted.id);
  expect(await ada.finished(accepted.id)).toEqual(result);
});

test("the request is compared by what it says, not by how it is written", async ({ api }) => {
  const ada = as(api, "ada");
  const request = { language: "bash", code: "echo $A$B", env: { A: "1", B: "2" } };
  const { id } = await ada.run(request, key("three"));
  const other = await ada.run({ env: { B: "2", A: "1" }, code: "echo $A$B", language: "bash" }, key("three"));
  expect(other.id).toBe(id);
});

test.for([
  ["another program", { ...ONCE, code: "true" }],
  ["another stdin", { ...ONCE, stdin: "x" }],
  ["another limit", { ...ONCE, limits: { wall_ms: 5000 } }],
  ["another language", { ...ONCE, language: "python" }],
] as const)("the same key with %s is a conflict", async ([, request], { api }) => {
  const ada = as(api, "ada");
  await ada.run(ONCE, key("four"));
  for (const path of ["/api/run", "/api/run/sync"]) {
    await expectRefusal(ada, () => ada.post(path, request, key("four")), {
      status: 409,
      code: "idempotency_conflict",
      field: "Idempotency-Key",
    });
  }
});

test("ten at once with one key are one run", async ({ api }) => {
  const ada = as(api, "ada");
  const before = await runsEnded(ada);
  const calls = Array.from({ length: 10 }, (_, n) =>
    n % 2 === 0 ? ada.run(ONCE, key("five")) : ada.submit(ONCE, key("five")),
  );
  const ids = new Set((await Promise.all(calls)).map(({ id }) => id));
  expect(ids.size).toBe(1);
  const [id = ""] = ids;
  expect(await ada.finished(id)).toMatchObject({ status: "succeeded" });
  expect(await runsEnded(ada)).toBe(before + 1);
});

test("another tenant's same key is another run", async ({ api }) => {
  const mine = await as(api, "ada").run(ONCE, key("six"));
  const theirs = await as(api, "ben").run(ONCE, key("six"));
  expect(theirs.id).not.toBe(mine.id);
  expect(theirs.stdout).not.toBe(mine.stdout);
  expect(await as(api, "ben").run({ ...ONCE, code: "echo other" }, key("seven"))).toMatchObject({
    status: "succeeded",
  });
  expect(await as(api, "ada").run(ONCE, key("seven"))).toMatchObject({ status: "succeeded" });
});

test("a run without a key is always a new one", async ({ api }) => {
  const ada = as(api, "ada");
  const [first, second] = [await ada.run(ONCE), await ada.run(ONCE)];
  expect(second.id).not.toBe(first.id);
  expect(second.stdout).not.toBe(first.stdout);
});

test("a cancelled run stays cancelled for its key", async ({ api }) => {
  const ada = as(api, "ada");
  const sleeper = { language: "bash", code: "sleep 60", limits: { wall_ms: 60_000 } };
  const { id } = await ada.submit(sleeper, key("eight"));
  await ada.cancel(id);
  expect(await ada.run(sleeper, key("eight"))).toMatchObject({ id, status: "cancelled" });
});

test("a request that was refused leaves its key unused", async ({ api }) => {
  const ada = as(api, "ada");
  await ada.refused(ada.post("/api/run", { ...ONCE, limits: { wall_ms: 0 } }, key("nine")));
  expect(await ada.run(ONCE, key("nine"))).toMatchObject({ status: "succeeded" });
});

test.for([
  ["is empty", ""],
  ["is too long", "k".repeat(256)],
  ["is not ASCII", "schlüssel"],
  ["has a tab", "a\tb"],
] as const)("a key that %s is refused", async ([, value], { api }) => {
  const ada = as(api, "ada");
  await expectRefusal(ada, () => ada.post("/api/run", ONCE, key(value)), {
    status: 400,
    code: "invalid_request",
    field: "Idempotency-Key",
    says: /255/,
  });
});

test("a key may have 255 printable characters of any kind", async ({ api }) => {
  const ada = as(api, "ada");
  const value = `' OR 1=1; -- $(x) {{y}} ${"~".repeat(231)}`;
  expect(value).toHaveLength(255);
  const first = await ada.run(ONCE, key(value));
  expect(await ada.run(ONCE, key(value))).toEqual(first);
});
