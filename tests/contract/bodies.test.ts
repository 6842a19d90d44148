import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";

import { describe, expect } from "vitest";

import type { Client } from "../support/client.ts";
import { contractTest } from "../support/contract.ts";
import { expectNothingRuns, expectRefusal } from "../support/refusals.ts";

const test = contractTest({ CPU_LIMIT: "1" });

const HELLO = '{"language":"bash","code":"echo hello"}';
const JSON_TYPE = { "content-type": "application/json" };

function post(
  api: Client,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = JSON_TYPE,
): Promise<Response> {
  return api.fetch("POST", "/api/run/sync", { body, headers });
}

/** The body must be refused as no request, in a message that has these words. */
async function expectMalformed(api: Client, body: string | Uint8Array<ArrayBuffer>, says: RegExp): Promise<void> {
  await expectNothingRuns(api, async () => {
    const { status, error } = await api.refused(post(api, body));
    expect({ status, code: error.code }, error.message).toEqual({ status: 400, code: "invalid_request" });
    expect(error.message).toMatch(says);
  });
}

describe("JSON that isn't JSON is refused", () => {
  test.for([
    ["empty", ""],
    ["blank", " \n"],
    ["cut", HELLO.slice(0, -1)],
    ["followed by something", `${HELLO}x`],
    ["two values", `${HELLO}${HELLO}`],
    ["with a trailing comma", '{"language":"bash","code":"x",}'],
    ["with a comment", `/* */${HELLO}`],
    ["in single quotes", "{'language':'bash','code':'x'}"],
    ["without quotes", '{language:"bash",code:"x"}'],
    ["a raw newline in a string", '{"language":"bash","code":"a\nb"}'],
    ["a raw NUL in a string", '{"language":"bash","code":"a\0b"}'],
    ["NaN", '{"language":"bash","code":"x","limits":{"wall_ms":NaN}}'],
    ["a number with a leading zero", '{"language":"bash","code":"x","limits":{"wall_ms":0100}}'],
    ["a hexadecimal number", '{"language":"bash","code":"x","limits":{"wall_ms":0x100}}'],
    ["a wrong escape", String.raw`{"language":"bash","code":"\x41"}`],
    ["a form", "language=bash&code=x"],
  ] as const)("%s", async ([, body], { api }) => {
    await expectMalformed(api, body, /JSON/);
  });

  test("bytes that are no UTF-8", async ({ api }) => {
    const body = Buffer.concat([
      Buffer.from('{"language":"bash","code":"'),
      Buffer.of(0xff, 0xc0, 0x80),
      Buffer.from('"}'),
    ]);
    await expectMalformed(api, body, /UTF-8/);
    const utf16 = Buffer.from(HELLO, "utf16le");
    await expectMalformed(api, utf16, /JSON|UTF-8/);
  });
});

describe("JSON that means two things is refused", () => {
  test.for([
    ["a key twice", '{"language":"python","language":"bash","code":"x"}', /language/],
    ["a key twice, once escaped", String.raw`{"language":"python","l\u0061nguage":"bash","code":"x"}`, /language/],
    ["a key twice further in", '{"language":"bash","code":"x","env":{"AB":"1","AB":"2"}}', /AB/],
    ["a key twice in a list", '{"language":"bash","files":[{"name":"a","name":"b","content":"x"}]}', /name/],
  ] as const)("%s", async ([, body, says], { api }) => {
    await expectMalformed(api, body, says);
  });
});

describe("__proto__ is refused", () => {
  test.for([
    ["at the top", '{"language":"bash","code":"x","__proto__":{"limits":{}}}'],
    ["escaped", String.raw`{"language":"bash","code":"x","__pr\u006fto__":{}}`],
    ["in env", '{"language":"bash","code":"x","env":{"__proto__":"x"}}'],
    ["in limits", '{"language":"bash","code":"x","limits":{"__proto__":{"wall_ms":1}}}'],
    ["in a file", '{"language":"bash","files":[{"name":"a","content":"x","__proto__":{}}]}'],
  ] as const)("%s", async ([, body], { api }) => {
    await expectMalformed(api, body, /__proto__/);
  });

  test("and leaves no trace on the server's objects", async ({ api }) => {
    await api.refused(post(api, '{"language":"bash","code":"x","constructor":{"prototype":{"stdin":"polluted"}}}'));
    expect(await api.run({ language: "bash", code: "cat" })).toMatchObject({ stdout: "" });
  });
});

describe("deep JSON is refused", () => {
  test.for([33, 1000, 100_000, 1_000_000])("at depth %i", async (depth, { api }) => {
    const started = performance.now();
    await expectMalformed(
      api,
      `{"language":"bash","code":"x","args":${"[".repeat(depth)}${"]".repeat(depth)}}`,
      /deep|depth|level/,
    );
    await expectMalformed(api, `{"a":`.repeat(depth), /deep|depth|level/);
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

test("a million keys or numbers are refused in no time", async ({ api }) => {
  const started = performance.now();
  const keys = Array.from({ length: 500_000 }, (_, n) => `"A${n}":""`).join(",");
  await expectMalformed(api, `{"language":"bash","code":"x","env":{${keys}}}`, /env/);
  await expectMalformed(api, `{"language":"bash","code":"x","args":[${"1,".repeat(999_999)}1]}`, /args/);
  expect(performance.now() - started).toBeLessThan(20_000);
});

describe("a content type that isn't JSON is refused with 415", () => {
  const expected = { status: 415, code: "unsupported_media_type", field: "content-type", says: /application\/json/ };

  test.for([
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json-patch+json",
    "application/problem+json",
    "text/json",
    "application/octet-stream",
    "application/json; charset=iso-8859-1",
    "application/json; charset=utf-16",
    "json",
    "*/*",
  ])("%s", async (type, { api }) => {
    await expectRefusal(api, () => post(api, HELLO, { "content-type": type }), expected);
  });

  test("none at all", async ({ api }) => {
    await expectRefusal(api, () => post(api, Buffer.from(HELLO), {}), expected);
  });

  test.for([
    "application/json",
    "Application/JSON",
    "application/json; charset=utf-8",
    'application/json;charset="UTF-8"',
  ])("but %s is taken", async (type, { api }) => {
    expect((await post(api, HELLO, { "content-type": type })).status).toBe(200);
  });
});

describe("a compressed body is refused with 415", () => {
  const expected = { status: 415, code: "unsupported_media_type", field: "content-encoding", says: /compressed/ };

  test.for([
    ["gzip", gzipSync(HELLO)],
    ["x-gzip", gzipSync(HELLO)],
    ["deflate", deflateSync(HELLO)],
    ["br", brotliCompressSync(HELLO)],
    ["gzip, gzip", gzipSync(gzipSync(HELLO))],
    ["gzip", Buffer.from(HELLO)],
    ["unheard-of", Buffer.from(HELLO)],
  ] as const)("%s", async ([encoding, body], { api }) => {
    await expectRefusal(
      api,
      () => post(api, Uint8Array.from(body), { ...JSON_TYPE, "content-encoding": encoding }),
      expected,
    );
  });

  test("and a bomb is not unpacked", async ({ api }) => {
    const bomb = Uint8Array.from(gzipSync(Buffer.alloc(100_000_000)));
    await expectRefusal(api, () => post(api, bomb, { ...JSON_TYPE, "content-encoding": "gzip" }), expected);
    await expectMalformed(api, bomb, /UTF-8|JSON/);
  });
});
