import { describe, expect } from "vitest";

import type { Client } from "../support/client.ts";
import { contractTest } from "../support/contract.ts";
import { operations } from "../support/description.ts";
import type { Operation } from "../support/description.ts";

const KEYS = { ada: "ada-secret-0123456789", ben: "ben-secret-0123456789" };
const test = contractTest({
  CPU_LIMIT: "1",
  API_KEYS: Object.entries(KEYS)
    .map(([name, secret]) => `${name}:${secret}`)
    .join(","),
});

const UNKNOWN = `r${"a".repeat(31)}`;
/** Headers that say when an answer came, or which one it is. */
const OF_ONE_ANSWER = new Set(["date", "x-request-id"]);

function as(api: Client, name: keyof typeof KEYS): Client {
  return api.with({ "x-api-key": KEYS[name] });
}

/** The ways to call an operation on the run `id`: plainly, and with each of its parameters at its greatest. */
function callsOf({ path, parameters }: Operation, id: string): { path: string; headers: Record<string, string> }[] {
  const place = path.replaceAll("{id}", id).replaceAll(/\{\w+\}/g, "main.py");
  const options = parameters.map((parameter) => ({ ...parameter, value: String(parameter.schema.maximum ?? 1) }));
  return [
    { path: place, headers: {} },
    ...options
      .filter((option) => option.in === "query")
      .map(({ name, value }) => ({ path: `${place}?${name}=${value}`, headers: {} })),
    ...options
      .filter((option) => option.in === "header")
      .map(({ name, value }) => ({ path: place, headers: { [name]: value } })),
  ];
}

/** All that an answer shows of run `id`, without its name. */
async function shown(answer: Promise<Response>, id: string): Promise<object> {
  const response = await answer;
  const headers = [...response.headers].filter(([name]) => !OF_ONE_ANSWER.has(name));
  return { status: response.status, headers, text: (await response.text()).replaceAll(id, "") };
}

describe("each operation on a run, as the API describes itself,", () => {
  test("answers another key's run as one that never was", async ({ api }) => {
    const [ada, ben] = [as(api, "ada"), as(api, "ben")];
    const finished = await ada.run({ language: "bash", code: "echo hello" });
    const running = await ada.submit({ language: "bash", code: "sleep 60" });
    await ada.started(running.id);
    const ofRuns = (await operations(api)).filter(({ path }) => path.includes("{id}"));
    expect(ofRuns.map(({ method, path }) => `${method} ${path}`)).toEqual(
      expect.arrayContaining(["GET /api/result/{id}", "GET /api/result/{id}/events", "DELETE /api/run/{id}"]),
    );
    for (const operation of ofRuns) {
      const body = operation.hasBody ? { body: "{}" } : {};
      const type: Record<string, string> = operation.hasBody ? { "content-type": "application/json" } : {};
      for (const method of operation.method === "GET" ? ["GET", "HEAD"] : [operation.method]) {
        for (const { id } of [finished, running]) {
          for (const [index, { path, headers }] of callsOf(operation, id).entries()) {
            const other = callsOf(operation, UNKNOWN)[index]?.path ?? "";
            const options = { ...body, headers: { ...type, ...headers } };
            const foreign = await shown(ben.fetch(method, path, options), id);
            expect(foreign, `${method} ${path}`).toEqual(await shown(ben.fetch(method, other, options), UNKNOWN));
            if (method !== "HEAD") expect(foreign, `${method} ${path}`).toMatchObject({ status: 404 });
          }
        }
      }
    }
    expect(await ada.result(finished.id)).toEqual(finished);
    expect(await ada.result(running.id)).toMatchObject({ status: "running" });
    for (const { method, path } of ofRuns.filter((operation) => /\{id\}(?:\/events)?$/.test(operation.path))) {
      const own = await ada.fetch(method, path.replace("{id}", finished.id));
      await own.text();
      expect(own.status, `${method} ${path}`).toBe(200);
    }
    expect(await ada.cancel(running.id)).toMatchObject({ status: "cancelled" });
  });
});

test("two keys with the same Idempotency-Key at once do not meet, whatever they ask for", async ({ api }) => {
  const names = ["ada", "ben"] as const;
  const rounds = Array.from({ length: 5 }, (_, round) => `shared-${round}`);
  const results = await Promise.all(
    rounds.flatMap((key) =>
      names.map(async (name) => {
        const request = { language: "bash", code: `echo ${name} ${key}` };
        const { id, stdout } = await as(api, name).run(request, { headers: { "idempotency-key": key } });
        expect(stdout).toBe(`${name} ${key}\n`);
        return id;
      }),
    ),
  );
  expect(new Set(results).size).toBe(results.length);
});

test("what one key has compiled is compiled anew for another, and for itself perhaps not", async ({ api }) => {
  const program = { language: "c", code: '#include <stdio.h>\nint main(void) { puts("hello"); }' };
  const first = await as(api, "ada").run(program);
  const foreign = await as(api, "ben").run(program);
  const again = await as(api, "ada").run(program);
  for (const result of [first, foreign]) {
    expect(result).toMatchObject({ status: "succeeded", stdout: "hello\n" });
    expect(result.compile).not.toHaveProperty("cached");
  }
  expect(again).toMatchObject({ status: "succeeded", stdout: "hello\n" });
  if (again.compile?.cached === true) expect(again.compile).toEqual({ ...first.compile, cached: true });
});
