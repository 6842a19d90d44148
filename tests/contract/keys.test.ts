import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect } from "vitest";

import { BACKEND, contractTest, serve } from "../support/contract.ts";
import { startRefused } from "../support/server.ts";

const ADA = "ada-secret-0123456789";
const BEN = "ben-secret-0123456789";
const HELLO = { language: "bash", code: "echo hello" };
const test = contractTest({ API_KEYS: `ada:${ADA},ben:${BEN}`, CPU_LIMIT: "1" }).extend(
  "finished",
  { scope: "file" },
  async ({ api }) => await api.run(HELLO, { headers: { "x-api-key": ADA } }),
);

describe("with keys", () => {
  test("a key goes into either header, or the same into both", async ({ api }) => {
    for (const headers of [
      { authorization: `Bearer ${ADA}` },
      { authorization: `bearer ${ADA}` },
      { "x-api-key": ADA },
      { authorization: `Bearer ${ADA}`, "x-api-key": ADA },
    ]) {
      expect(await api.run(HELLO, { headers })).toMatchObject({ stdout: "hello\n" });
    }
  });

  test.for([
    ["none", {}],
    ["a wrong one", { authorization: "Bearer eve-secret-0123456789" }],
    ["a part of one", { authorization: `Bearer ${ADA.slice(0, -1)}` }],
    ["more than one", { authorization: `Bearer ${ADA}x` }],
    ["another case", { "x-api-key": ADA.toUpperCase() }],
    ["the name of one", { "x-api-key": "ada" }],
    ["name and secret", { "x-api-key": `ada:${ADA}` }],
    ["an empty one", { "x-api-key": "" }],
    ["another scheme", { authorization: `Basic ${Buffer.from(`ada:${ADA}`).toString("base64")}` }],
    ["no scheme", { authorization: ADA }],
    ["two that differ", { authorization: `Bearer ${ADA}`, "x-api-key": BEN }],
    ["a right and a wrong one", { authorization: `Bearer ${ADA}`, "x-api-key": "wrong" }],
  ] as const)(
    "a request with %s is refused before anything else is looked at",
    async ([, headers], { api, finished: { id } }) => {
      const calls = [
        api.post("/api/run/sync", HELLO, { headers }),
        api.post("/api/run", { language: "nothing" }, { headers }),
        api.fetch("GET", `/api/result/${id}`, { headers }),
        api.fetch("GET", `/api/result/${id}/events`, { headers }),
        api.fetch("DELETE", `/api/run/${id}`, { headers }),
        api.fetch("GET", "/api/languages", { headers }),
        api.fetch("GET", "/metrics", { headers }),
      ];
      for (const call of calls) {
        const refusal = await api.refused(call);
        expect({ status: refusal.status, code: refusal.error.code }).toEqual({ status: 401, code: "unauthorized" });
        expect(refusal.headers.get("www-authenticate")).toMatch(/^Bearer/);
        expect(refusal.error.message).not.toContain(ADA);
      }
    },
  );

  test("no secret comes into the log", async ({ api, server }) => {
    await api.run(HELLO, { headers: { "x-api-key": ADA } });
    await api.refused(
      api.post("/api/run/sync", HELLO, { headers: { authorization: "Bearer wrong-secret-0123456789" } }),
    );
    for (const secret of [ADA, BEN, "wrong-secret-0123456789"]) expect(server.output).not.toContain(secret);
  });

  test("a run is invisible to every other key", async ({ api }) => {
    const [ada, ben] = [api.with({ "x-api-key": ADA }), api.with({ "x-api-key": BEN })];
    const finished = await ada.run(HELLO);
    const running = await ada.submit({ language: "bash", code: "sleep 60" });
    for (const { id } of [finished, running]) {
      for (const [method, path] of [
        ["GET", `/api/result/${id}`],
        ["GET", `/api/result/${id}?wait_ms=60000`],
        ["GET", `/api/result/${id}/events`],
        ["DELETE", `/api/run/${id}`],
      ] as const) {
        const foreign = await ben.refused(ben.fetch(method, path));
        const unknown = await ben.refused(ben.fetch(method, path.replace(id, `r${"a".repeat(31)}`)));
        expect(foreign.status).toBe(404);
        expect(JSON.stringify(foreign.error).replaceAll(id, "")).toBe(
          JSON.stringify(unknown.error).replaceAll(`r${"a".repeat(31)}`, ""),
        );
      }
    }
    expect(["queued", "running"]).toContain((await ada.result(running.id)).status);
    expect(await ada.cancel(running.id)).toMatchObject({ status: "cancelled" });
  });

  test("what tells nothing of runs is open: health, readiness, the API's description", async ({ api }) => {
    for (const path of ["/healthz", "/readyz", "/openapi.json", "/docs"]) {
      const response = await api.fetch("GET", path);
      await response.body?.cancel();
      expect(response.status, path).toBeLessThan(400);
    }
  });

  test("can be in a file", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sandbox-api-keys-"));
    try {
      const path = join(folder, "keys");
      await writeFile(path, `# who may come in\n\nada:${ADA}\n  ben:${BEN}  \n`);
      for (const API_KEYS of [path, `file:${path}`]) {
        await using served = await serve({ API_KEYS });
        const { api } = served;
        expect(await api.run(HELLO, { headers: { "x-api-key": BEN } })).toMatchObject({ stdout: "hello\n" });
        expect((await api.refused(api.post("/api/run", HELLO))).status).toBe(401);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("without keys", () => {
  test("the loopback is served", async () => {
    await using served = await serve({ HOST: "127.0.0.1" });
    expect(await served.api.run(HELLO)).toMatchObject({ stdout: "hello\n" });
  });

  test.for(["0.0.0.0", "::", "192.0.2.1"])("the address %s is not: the start is refused in one line", async (HOST) => {
    const { code, output } = await startRefused({ BACKEND, HOST });
    expect(code).toBe(1);
    expect(output.trim().split("\n")).toHaveLength(1);
    expect(output).toContain(HOST);
    expect(output).toMatch(/API_KEYS/);
    expect(output).toMatch(/ALLOW_ANONYMOUS=true/);
  });
});
