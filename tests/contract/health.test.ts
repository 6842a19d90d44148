import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect } from "vitest";
import { z } from "zod";

import { HEALTH } from "../support/answers.ts";
import { contractTest } from "../support/contract.ts";

const test = contractTest({ CPU_LIMIT: "1" });

test("/healthz answers as long as the process lives", async ({ api }) => {
  const response = await api.fetch("GET", "/healthz");
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ status: "ok" });
});

test("/readyz says that the server can run programs, or what is missing", async ({ api }) => {
  await api.run({ language: "bash", code: ":" });
  const response = await api.fetch("GET", "/readyz");
  const { status } = HEALTH.parse(await response.json());
  expect(response.status).toBe(status === "unavailable" ? 503 : 200);
  expect(["ready", "degraded"]).toContain(status);
});

describe("/metrics", () => {
  test("counts runs by language and status, their durations, and the limits they hit", async ({ api }) => {
    const before = await api.metrics();
    await api.run({ language: "py", code: "pass" });
    const failed = await api.run({ language: "bash", code: "exit 1" });
    const late = await api.run({ language: "bash", code: "sleep 60", limits: { wall_ms: 200 } });
    const after = await api.metrics();
    const grown = (name: string, labels: Record<string, string>) => after.sum(name, labels) - before.sum(name, labels);
    expect(grown("sandbox_runs_total", { language: "python", status: "succeeded" })).toBe(1);
    expect(grown("sandbox_runs_total", { language: "bash", status: "failed" })).toBe(1);
    expect(grown("sandbox_runs_total", { language: "bash", status: "time_limit" })).toBe(1);
    expect(grown("sandbox_runs_total", {})).toBe(3);
    expect(grown("sandbox_limits_hit_total", { limit: "wall" })).toBe(1);
    expect(grown("sandbox_run_duration_seconds_count", { language: "bash" })).toBe(2);
    expect(grown("sandbox_run_wall_seconds_count", { language: "bash" })).toBe(2);
    const wallMs = (failed.run?.wall_ms ?? NaN) + (late.run?.wall_ms ?? NaN);
    expect(wallMs).toBeGreaterThanOrEqual(200);
    expect(grown("sandbox_run_wall_seconds_sum", { language: "bash" })).toBeCloseTo(wallMs / 1000, 6);
    expect(grown("sandbox_run_wall_seconds_bucket", { language: "bash", le: "+Inf" })).toBe(2);
  });

  test("counts requests by route and status", async ({ api }) => {
    const labels = { route: "/api/run/sync", method: "POST", status: "400" };
    const before = (await api.metrics()).sum("sandbox_http_requests_total", labels);
    await api.refused(api.post("/api/run/sync", {}));
    expect((await api.metrics()).sum("sandbox_http_requests_total", labels)).toBe(before + 1);
  });

  test("has no labels that clients make up", async ({ api }) => {
    await api.refused(api.fetch("GET", "/made/up/path"));
    await api.refused(api.post("/api/run", { language: "made-up-language", code: "x" }));
    const { id } = await api.run({ language: "bash", code: ":" });
    await api.result(id);
    const { text } = await api.metrics();
    for (const word of ["made-up", "made/up", id]) expect(text).not.toContain(word);
  });

  test("knows what is running and what waits", async ({ api }) => {
    const { id } = await api.submit({ language: "bash", code: "sleep 60" });
    await api.started(id);
    expect((await api.metrics()).sum("sandbox_running")).toBe(1);
    await api.cancel(id);
    const { text } = await api.metrics();
    expect(text).toMatch(/^# TYPE sandbox_queue_length gauge$/m);
    expect(text).toMatch(/^# TYPE sandbox_run_duration_seconds histogram$/m);
    expect(text).toMatch(/^process_resident_memory_bytes \d/m);
  });
});

const ANSWER = z.looseObject({ content: z.record(z.string(), z.unknown()).optional() });
const METHOD = z.looseObject({ responses: z.record(z.string(), ANSWER) });
const OPENAPI = z.looseObject({
  openapi: z.string(),
  paths: z.record(z.string(), z.record(z.string(), METHOD)),
  components: z.looseObject({ securitySchemes: z.record(z.string(), z.unknown()) }),
});

describe("/openapi.json", () => {
  test("is valid OpenAPI 3.1", async ({ api }) => {
    const response = await api.fetch("GET", "/openapi.json");
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    const description = OPENAPI.parse(await response.json());
    expect(description.openapi).toMatch(/^3\.1\./);
    const { valid, errors } = await new Validator().validate(description);
    expect(errors ?? [], "errors").toEqual([]);
    expect(valid).toBe(true);
  });

  test("describes every route with its answers and refusals", async ({ api }) => {
    const { paths, components } = OPENAPI.parse(await (await api.fetch("GET", "/openapi.json")).json());
    const answers = (path: string, method: string) => Object.keys(paths[path]?.[method]?.responses ?? {});
    expect(answers("/api/run/sync", "post")).toEqual(
      expect.arrayContaining(["200", "400", "401", "409", "413", "415", "429", "503"]),
    );
    expect(answers("/api/run", "post")).toEqual(
      expect.arrayContaining(["202", "400", "401", "409", "413", "415", "429", "503"]),
    );
    expect(answers("/api/run/{id}", "delete")).toEqual(expect.arrayContaining(["200", "401", "404"]));
    expect(answers("/api/result/{id}", "get")).toEqual(expect.arrayContaining(["200", "400", "401", "404"]));
    expect(answers("/api/result/{id}/events", "get")).toEqual(expect.arrayContaining(["200", "400", "401", "404"]));
    expect(answers("/api/languages", "get")).toContain("200");
    for (const path of ["/healthz", "/readyz", "/metrics"]) expect(answers(path, "get"), path).toContain("200");
    expect(Object.keys(components.securitySchemes).length).toBeGreaterThanOrEqual(2);
  });

  test("says that refusals are JSON, whatever the route answers with", async ({ api }) => {
    const { paths } = OPENAPI.parse(await (await api.fetch("GET", "/openapi.json")).json());
    for (const [path, methods] of Object.entries(paths)) {
      for (const { responses } of Object.values(methods)) {
        for (const [status, { content = {} }] of Object.entries(responses)) {
          if (Number(status) >= 400) expect(Object.keys(content), `${path} ${status}`).toEqual(["application/json"]);
        }
      }
    }
  });
});

test("/docs is a page of the server's own", async ({ api }) => {
  const page = await api.fetch("GET", "/docs", { headers: { accept: "text/html" } });
  const target = page.headers.get("location") ?? "/docs";
  await page.body?.cancel();
  const response = await api.fetch("GET", target, { headers: { accept: "text/html" } });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toMatch(/^text\/html/);
  expect(response.headers.get("content-security-policy")).toMatch(/frame-ancestors 'none'/);
  for (const [, source] of (await response.text()).matchAll(/\b(?:src|href)="([^"]+)"/g)) {
    expect(source, "nothing is loaded from elsewhere").not.toMatch(/^(?:https?:)?\/\//);
  }
});

test("every answer forbids what a browser could do with it", async ({ api }) => {
  const { id } = await api.run({ language: "bash", code: "echo '<script>alert(1)</script>'" });
  for (const path of [`/api/result/${id}`, "/api/languages", "/api/nothing", "/healthz"]) {
    const { headers, body } = await api.fetch("GET", path, { headers: { origin: "http://elsewhere.example" } });
    await body?.cancel();
    expect(headers.get("content-type"), path).toMatch(/^application\/json/);
    expect(headers.get("x-content-type-options"), path).toBe("nosniff");
    expect(headers.get("content-security-policy"), path).toMatch(/default-src 'none'/);
    expect(headers.get("access-control-allow-origin"), path).toBeNull();
    if (path.startsWith("/api/result")) expect(headers.get("cache-control")).toContain("no-store");
  }
});
