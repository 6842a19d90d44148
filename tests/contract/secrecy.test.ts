import { randomBytes } from "node:crypto";

import { expect } from "vitest";

import { contractTest } from "../support/contract.ts";

/** Something that occurs nowhere else, under a name that says where it was put. */
function marker(name: string): string {
  return `zq${name}${randomBytes(6).toString("hex")}`;
}

const KEY = marker("Key");
/** Everything is logged at this level that is at any. */
const test = contractTest({ LOG_LEVEL: "trace", API_KEYS: `ada:${KEY}`, CPU_LIMIT: "1" });

const M = {
  code: marker("Code"),
  stdin: marker("Stdin"),
  argument: marker("Argument"),
  name: marker("Name"),
  value: marker("Value"),
  stdout: marker("Stdout"),
  stderr: marker("Stderr"),
  compiler: marker("Compiler"),
  file: marker("File"),
  content: marker("Content"),
  field: marker("Field"),
  language: marker("Language"),
  wrongKey: marker("WrongKey"),
  idempotency: marker("Idempotency"),
  path: marker("Path"),
  query: marker("Query"),
  header: marker("Header"),
  bytes: marker("Bytes"),
};

/** Prints `text` without that it is in the program. */
function printing(text: string, target: string): string {
  return `printf %s ${text.slice(0, 5)} ${text.slice(5)} >${target}`;
}

/** What Base64 makes of `text` wherever it begins in longer bytes, without the characters that its surroundings change. */
function inBase64(text: string): string[] {
  return [0, 1, 2].map((shift) =>
    Buffer.from("x".repeat(shift) + text)
      .toString("base64")
      .replace(/=*$/, "")
      .slice(shift === 0 ? 0 : 4, -4),
  );
}

const PROGRAMS = [
  {
    language: "bash",
    code: `# ${M.code}\n${printing(M.stdout, "/dev/stdout")}; ${printing(M.stderr, "/dev/stderr")}; exit 1`,
    stdin: M.stdin,
    args: [M.argument],
    env: { [M.name]: M.value },
  },
  { language: "bash", files: [{ name: M.file, content: `echo ${M.content}` }] },
  { language: "bash", code: `echo ${M.stdout}; kill -SEGV $$` },
  { language: "bash", code: `echo ${M.stdout}; while :; do :; done`, limits: { wall_ms: 300 } },
  { language: "c", code: `#error ${M.compiler}` },
];

const REFUSED = [
  { language: M.language, code: M.code },
  { language: "bash", code: M.code, [M.field]: M.value },
  { language: "bash", code: M.code, env: { [`-${M.name}`]: M.value } },
  { language: "bash", files: [{ name: `../${M.file}`, content: M.content }] },
  { language: "bash", files: [{ name: M.file, content: `-${M.content}`, encoding: "base64" }] },
  { language: "bash", code: M.code, stdin: [M.stdin] },
  { language: "bash", code: M.code, args: [`${M.argument}\0`] },
  { language: "bash", code: M.code, limits: { wall_ms: M.value } },
  { language: "bash", code: M.code.repeat(60_000) },
];

test("nothing that clients send, and no output, is in the log or in what is told of the server", async ({
  api,
  server,
}) => {
  const ada = api.with({ "x-api-key": KEY });
  for (const program of PROGRAMS) {
    const { status } = await ada.run(program, {
      headers: { "idempotency-key": M.idempotency + PROGRAMS.indexOf(program) },
    });
    expect(status, JSON.stringify(program)).not.toBe("lost");
  }
  const sleeper = await ada.submit({ language: "bash", code: `echo ${M.stdout}; sleep 60 # ${M.code}` });
  await ada.started(sleeper.id);
  await ada.cancel(sleeper.id);
  const gone = new AbortController();
  const abandoned = ada.run({ language: "bash", code: `sleep 60 # ${M.code}` }, { signal: gone.signal });
  gone.abort();
  await expect(abandoned).rejects.toThrow();
  for (const path of ["/api/run", "/api/run/sync"]) {
    for (const body of REFUSED) expect((await ada.refused(ada.post(path, body))).status).toBeLessThan(500);
    const json = { "content-type": "application/json" };
    for (const body of [`{"code": ${M.bytes}`, `{"language":"bash","code":"${M.bytes}\\ud800"}`, M.bytes]) {
      expect((await ada.refused(ada.fetch("POST", path, { headers: json, body }))).status).toBe(400);
    }
    const wrong = { authorization: `Bearer ${M.wrongKey}` };
    expect((await api.refused(api.post(path, { language: "bash", code: M.code }, { headers: wrong }))).status).toBe(
      401,
    );
  }
  for (const [path, headers] of [
    [`/api/result/${M.path}`, {}],
    [`/api/result/${sleeper.id}?wait_ms=${M.query}`, {}],
    [`/api/result/${sleeper.id}?${M.query}=1`, {}],
    [`/api/result/${sleeper.id}/events`, { "last-event-id": M.header }],
    [`/${M.path}?${M.query}`, { "user-agent": M.header, cookie: M.header }],
  ] as const) {
    expect((await ada.refused(ada.fetch("GET", path, { headers }))).status).toBeLessThan(500);
  }
  const told = await Promise.all(
    ["/metrics", "/readyz", "/healthz", "/api/languages", "/openapi.json"].map(
      async (path) => await (await ada.fetch("GET", path)).text(),
    ),
  );
  const places = { log: server.output, told: told.join("\n") };
  expect(places.log, "the log of level trace").toContain('"msg":"answered"');
  expect(places.told, "the metrics").toContain("sandbox_runs_total");
  for (const [place, text] of Object.entries(places)) {
    for (const secret of [KEY, ...Object.values(M)]) {
      for (const form of [secret, ...inBase64(secret)]) expect(text.includes(form), `${form} in ${place}`).toBe(false);
    }
  }
});
