import { describe, expect } from "vitest";

import type { Client } from "../support/client.ts";
import { contractTest } from "../support/contract.ts";
import { receiver } from "../support/receiver.ts";
import { expectRefusal } from "../support/refusals.ts";
import { eventually } from "../support/time.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
/** The callbacks of all tests arrive at one place, which takes or refuses them as their path says. */
const place = await receiver((response, count) => {
  const path = place.received[count - 1]?.path ?? "";
  const before = place.received.filter((each) => each.path === path).length - 1;
  if (path.startsWith("/never")) response.writeHead(500).end();
  else if (path.startsWith("/later") && before < 2) response.writeHead(503).end();
  else if (path.startsWith("/elsewhere")) response.writeHead(302, { location: `${place.origin}/followed` }).end();
  else if (!path.startsWith("/silent")) response.end();
});
/** A name of the same place, whose address is not allowed for names. */
const LOCALHOST = `http://localhost:${place.port}`;

const test = contractTest({
  CPU_LIMIT: "1",
  CALLBACK_HOSTS: `${place.origin},${LOCALHOST},https://hooks.example.org,https://[2606:4700::1]:8443`,
  CALLBACK_SECRET: SECRET,
  CALLBACK_TRIES: "3",
  API_KEYS: "one:secret-number-one,two:secret-number-two",
}).extend("own", { scope: "file" }, ({ api }) => api.with({ "x-api-key": "secret-number-one" }));

test.afterAll(async () => place[Symbol.asyncDispose]());

function receivedAt(path: string): string[] {
  return place.received.filter((each) => each.path === path).map(({ body }) => body);
}

/** How many callbacks were delivered or given up, once there are `count` more than `before`. */
async function outcomes(api: Client, result: "delivered" | "failed", count: number): Promise<number> {
  return await eventually(120_000, `${count} ${result} callbacks`, async () => {
    const ended = (await api.metrics()).sum("sandbox_callbacks_total", { result });
    return ended >= count ? ended : undefined;
  });
}

describe("a callback", { concurrent: true }, () => {
  test("has the result of its run, as those get it who ask for it", async ({ own }) => {
    const code = "echo out; echo err >&2; printf '\\377' > data; exit 3";
    const callback_url = `${place.origin}/plain?a=b%20c`;
    const { id } = await own.submit({ language: "bash", code, artifacts: ["data"], callback_url });
    const bodies = await eventually(120_000, "the callback", () => {
      const found = receivedAt("/plain?a=b%20c");
      return found.length === 0 ? undefined : found;
    });
    const response = await own.fetch("GET", `/api/result/${id}`);
    expect(bodies).toEqual([await response.text()]);
    expect(JSON.parse(String(bodies[0]))).toMatchObject({ id, status: "failed", exit_code: 3, stdout: "out\n" });
  });

  test("comes when the checker has judged the tests too", async ({ own }) => {
    const { id } = await own.submit({
      language: "bash",
      code: "cat",
      tests: [{ stdin: "1", expected_stdout: "2" }],
      comparison: { mode: "checker", language: "bash", code: "exit 0" },
      callback_url: `${place.origin}/checked`,
    });
    const [body = ""] = await eventually(240_000, "the callback", () => {
      const found = receivedAt("/checked");
      return found.length === 0 ? undefined : found;
    });
    expect(JSON.parse(body)).toMatchObject({ id, status: "succeeded", verdict: "accepted" });
  });

  test("comes of a run that was cancelled", async ({ own }) => {
    const callback_url = `${place.origin}/cancelled`;
    const { id } = await own.submit({ language: "bash", code: "sleep 60", callback_url });
    await own.cancel(id);
    const [body = ""] = await eventually(120_000, "the callback", () => {
      const found = receivedAt("/cancelled");
      return found.length === 0 ? undefined : found;
    });
    expect(JSON.parse(body)).toMatchObject({ id, status: "cancelled" });
  });

  test("is tried again until it is taken, and then no more", async ({ own }) => {
    const { id } = await own.submit({ language: "bash", code: ":", callback_url: `${place.origin}/later` });
    const bodies = await eventually(120_000, "the third try", () => {
      const found = receivedAt("/later");
      return found.length < 3 ? undefined : found;
    });
    expect(new Set(bodies).size).toBe(1);
    expect(JSON.parse(String(bodies[0]))).toMatchObject({ id, status: "succeeded" });
  });
});

// By itself, since it counts what the server runs.
test("a callback comes once for the same key and request, however often they are sent", async ({ own }) => {
  const request = { language: "bash", code: ":", callback_url: `${place.origin}/once` };
  const options = { headers: { "idempotency-key": "once" } };
  const ids = await Promise.all([1, 2, 3].map(async () => (await own.submit(request, options)).id));
  expect(new Set(ids).size).toBe(1);
  await own.finished(String(ids[0]));
  await eventually(120_000, "the callback", () => receivedAt("/once")[0]);
  await own.submit(request, options);
  await expectRefusal(own, () => own.post("/api/run", { ...request, callback_url: `${place.origin}/other` }, options), {
    status: 409,
    code: "idempotency_conflict",
    field: "Idempotency-Key",
  });
  expect(receivedAt("/once")).toHaveLength(1);
});

test("callbacks that nobody takes, redirects and names of private addresses are given up, and counted", async ({
  own,
  server,
}) => {
  const before = (await own.metrics()).sum("sandbox_callbacks_total", { result: "failed" });
  const urls = [`${place.origin}/never`, `${place.origin}/elsewhere`, `${LOCALHOST}/private`];
  const runs = urls.map((callback_url) => own.submit({ language: "bash", code: ":", callback_url }));
  const ids = (await Promise.all(runs)).map(({ id }) => id);
  expect(await outcomes(own, "failed", before + 3)).toBe(before + 3);
  expect(receivedAt("/never")).toHaveLength(3);
  expect(receivedAt("/elsewhere")).toHaveLength(3);
  expect(receivedAt("/followed")).toHaveLength(0);
  expect(receivedAt("/private")).toHaveLength(0);
  for (const id of ids) expect(server.output).toContain(`${id}: its callback is given up`);
  for (const word of ["/never", "/elsewhere", SECRET]) expect(server.output).not.toContain(word);
});

test("receivers that do not answer hold up neither runs nor the callbacks of others", async ({ own }) => {
  const silent = { language: "bash", code: ":", callback_url: `${LOCALHOST}/private-too` };
  const held = Array.from({ length: 6 }, (_, n) => own.submit({ ...silent, args: [String(n)] }));
  const hung = { language: "bash", code: ":", callback_url: `${place.origin}/silent` };
  held.push(...Array.from({ length: 3 }, () => own.submit(hung)));
  await Promise.all(held);
  const callback_url = `${place.origin}/prompt`;
  const { id } = await own.submit({ language: "bash", code: "echo prompt", callback_url });
  expect(await own.run({ language: "bash", code: "echo sync" })).toMatchObject({ stdout: "sync\n" });
  await eventually(120_000, "the callback", () => receivedAt("/prompt")[0]);
  expect(JSON.parse(String(receivedAt("/prompt")[0]))).toMatchObject({ id, stdout: "prompt\n" });
  for (const run of await Promise.all(held)) await own.finished(run.id);
});

describe("a callback_url", () => {
  const LISTED = /hooks\.example\.org/;

  test.for([
    ["of another host", "https://other.example.org/"],
    ["of a host that begins like an allowed one", "https://hooks.example.org.evil.example/"],
    ["with the host as a user", "https://hooks.example.org@evil.example/"],
    ["with user and password", "https://user:password@hooks.example.org/"],
    ["that is not https", "http://hooks.example.org/"],
    ["of another port", "https://hooks.example.org:8443/"],
    ["of another scheme", "ftp://hooks.example.org/"],
    ["that is a file", "file:///etc/passwd"],
    ["with a fragment", "https://hooks.example.org/#x"],
    ["with a backslash", "https://hooks.example.org\\@evil.example/"],
    ["with a space", "https://hooks.example.org/a b"],
    ["with a newline", "https://hooks.example.org/a\r\nx-header: 1"],
    ["that is not ASCII", "https://hooks.example.org/ü"],
    ["of an address in other digits", `http://2130706433:${place.port}/`],
    ["of an address in IPv6", `http://[::ffff:127.0.0.1]:${place.port}/`],
    ["that is relative", "/api/run"],
    ["that is empty", ""],
  ] as const)("%s is refused", async ([, callback_url], { own }) => {
    await expectRefusal(own, () => own.post("/api/run", { language: "bash", code: ":", callback_url }), {
      status: 400,
      code: "invalid_request",
      field: "callback_url",
      says: LISTED,
    });
  });

  test("that is too long, or no text, is refused", async ({ own }) => {
    for (const [callback_url, says] of [
      [`https://hooks.example.org/${"a".repeat(2048)}`, /2048/],
      [7, /string/],
      [null, /string/],
      [["https://hooks.example.org/"], /string/],
    ] as const) {
      const expected = { status: 400, code: "invalid_request", field: "callback_url", says };
      await expectRefusal(own, () => own.post("/api/run", { language: "bash", code: ":", callback_url }), expected);
    }
  });

  test("is not for a run that is waited for", async ({ own }) => {
    const callback_url = `${place.origin}/sync`;
    await expectRefusal(own, () => own.post("/api/run/sync", { language: "bash", code: ":", callback_url }), {
      status: 400,
      code: "invalid_request",
      field: "callback_url",
      says: /POST \/api\/run;/,
    });
  });

  test("is described as it is taken: with the hosts, and on one of the two routes", async ({ api }) => {
    const { components } = (await (await api.fetch("GET", "/openapi.json")).json()) as {
      components: { schemas: Record<string, { properties?: Record<string, { pattern?: string }> }> };
    };
    const field = (id: string) => components.schemas[id]?.properties?.["callback_url"];
    const pattern = new RegExp(String(field("RunRequest")?.pattern));
    expect("https://hooks.example.org/done?id=7").toMatch(pattern);
    expect("https://[2606:4700::1]:8443").toMatch(pattern);
    expect("https://hooks-example.org/").not.toMatch(pattern);
    expect(components.schemas["SyncRunRequest"]).toBeDefined();
    expect(field("SyncRunRequest")).toBeUndefined();
  });
});
