import { describe, expect } from "vitest";

import type { Client } from "../support/client.ts";
import { contractTest } from "../support/contract.ts";
import { expectNothingRuns } from "../support/refusals.ts";
import { RawConnection, wire } from "../support/socket.ts";

const test = contractTest({ CPU_LIMIT: "1", MAX_PROGRAM_BYTES: "50000", MAX_STDIN_BYTES: "50000" });

const HELLO = '{"language":"bash","code":"echo hello"}';
const START = "POST /api/run/sync HTTP/1.1";
const JSON_TYPE = { "Content-Type": "application/json" };

/** Sends these bytes, and nothing more, and expects an answer that begins like this before the server hangs up. */
async function expectAnswer(api: Client, bytes: string, answer: RegExp): Promise<void> {
  await expectNothingRuns(api, async () => {
    using connection = new RawConnection(api.url);
    expect(await connection.send(bytes).response()).toMatch(answer);
  });
}

describe("a request that doesn't come to its end is ended by the server", () => {
  const bodyCut = wire(START, { ...JSON_TYPE, "Content-Length": "1000" }, HELLO);
  test.concurrent.for([
    ["one that says nothing", ""],
    ["one that stops in its first line", "POST /api/r"],
    ["one that stops in its headers", `${START}\r\nHost: localhost\r\nX-`],
    ["one that stops in its body", bodyCut],
    ["one that stops in a chunk", wire(START, { ...JSON_TYPE, "Transfer-Encoding": "chunked" }, `ff\r\n${HELLO}`)],
  ] as const)("%s", async ([, bytes], { api }) => {
    using connection = new RawConnection(api.url);
    const response = await connection.send(bytes).response();
    expect(response).toMatch(/^(?:HTTP\/1\.1 408 |$)/);
    expect(response).not.toContain("hello");
  });

  test.concurrent("one that sends a byte now and then", async ({ api }) => {
    using connection = new RawConnection(api.url);
    connection.send(`${START}\r\nHost: localhost\r\nX-Slow: `);
    const drip = setInterval(() => connection.send("x"), 200);
    try {
      expect(await connection.response()).toMatch(/^(?:HTTP\/1\.1 408 |$)/);
    } finally {
      clearInterval(drip);
    }
  });

  test.concurrent("one whose body goes on and on", async ({ api }) => {
    using connection = new RawConnection(api.url);
    connection.send(wire(START, { ...JSON_TYPE, "Transfer-Encoding": "chunked" }));
    const chunk = `8000\r\n${"x".repeat(0x8000)}\r\n`;
    const stream = setInterval(() => connection.send(chunk), 20);
    try {
      expect(await connection.response()).toMatch(/^(?:HTTP\/1\.1 (?:413|408) |$)/);
    } finally {
      clearInterval(stream);
    }
  });

  test.concurrent("one whose client closes its side", async ({ api }) => {
    using connection = new RawConnection(api.url);
    const response = await connection.send(bodyCut).finish().response();
    expect(response).toMatch(/^(?:HTTP\/1\.1 40[08] |$)/);
  });
});

test("while hundreds of slow requests hang on, others are served", async ({ api }) => {
  const slow = Array.from({ length: 300 }, () => new RawConnection(api.url).send(`${START}\r\nHost: localhost\r\nX-`));
  try {
    expect(await api.run({ language: "bash", code: "echo hello" })).toMatchObject({ stdout: "hello\n" });
  } finally {
    for (const connection of slow) connection[Symbol.dispose]();
  }
});

describe("a request whose length is in doubt is refused and its connection closed", () => {
  const smuggled = wire(START, { ...JSON_TYPE, "Content-Length": String(HELLO.length) }, HELLO);
  const chunked = { ...JSON_TYPE, "Transfer-Encoding": "chunked" };
  test.for([
    [
      "Content-Length and Transfer-Encoding",
      wire(START, { ...chunked, "Content-Length": "4" }, `0\r\n\r\n${smuggled}`),
    ],
    ["two lengths", wire(START, { ...JSON_TYPE, "Content-Length": "1", "content-length": "2" }, HELLO)],
    ["a list of lengths", wire(START, { ...JSON_TYPE, "Content-Length": "39, 39" }, HELLO)],
    ["a negative length", wire(START, { ...JSON_TYPE, "Content-Length": "-1" }, HELLO)],
    ["a hexadecimal length", wire(START, { ...JSON_TYPE, "Content-Length": "0x27" }, HELLO)],
    ["a length with a sign", wire(START, { ...JSON_TYPE, "Content-Length": "+39" }, HELLO)],
    ["an unknown transfer encoding", wire(START, { ...JSON_TYPE, "Transfer-Encoding": "xchunked" }, smuggled)],
    [
      "chunked and then something",
      wire(START, { ...JSON_TYPE, "Transfer-Encoding": "chunked, identity" }, `0\r\n\r\n${smuggled}`),
    ],
    ["a chunk of no size", wire(START, chunked, "zz\r\n")],
    ["a chunk larger than any number", wire(START, chunked, "ffffffffffffffffff\r\n")],
    ["a space before the colon", `${START}\r\nHost: localhost\r\nContent-Length : 39\r\n\r\n${HELLO}`],
    ["a header without a carriage return", `${START}\nHost: localhost\nContent-Length: 39\n\n${HELLO}`],
    ["a folded header", `${START}\r\nHost: localhost\r\nContent-Length:\r\n 39\r\n\r\n${HELLO}`],
  ] as const)("%s", async ([, bytes], { api }) => {
    await expectAnswer(api, bytes, /^HTTP\/1\.1 400 (?!.*HTTP\/1\.1)/s);
  });
});

describe("a request that isn't HTTP as it should be is refused", () => {
  test.for([
    ["not HTTP", "hello, is anybody there?\r\n\r\n", /^HTTP\/1\.1 400 /],
    ["TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", /^HTTP\/1\.1 400 /],
    ["an unknown method", wire("SPAWN /api/run HTTP/1.1"), /^HTTP\/1\.1 400 /],
    ["an unknown version", wire("GET /healthz HTTP/9.9"), /^HTTP\/1\.1 (?:400|505) /],
    ["no Host", "GET /healthz HTTP/1.1\r\n\r\n", /^HTTP\/1\.1 400 /],
    ["a header without end", wire("GET /healthz HTTP/1.1", { "X-Long": "x".repeat(100_000) }), /^HTTP\/1\.1 431 /],
    ["NUL in a header", wire("GET /healthz HTTP/1.1", { "X-Nul": "a\0b" }), /^HTTP\/1\.1 400 /],
  ] as const)("%s", async ([, bytes, answer], { api }) => {
    await expectAnswer(api, bytes, answer);
  });
});

test("a body that is announced as too large is refused before it has come", async ({ api }) => {
  await expectNothingRuns(api, async () => {
    using connection = new RawConnection(api.url);
    connection.send(wire(START, { ...JSON_TYPE, "Content-Length": "10000000000", Connection: "close" }, "{"));
    expect(await connection.response()).toMatch(/^HTTP\/1\.1 413 /);
  });
});

test("a chunked body that is in order is taken, and a connection can be used again", async ({ api }) => {
  using connection = new RawConnection(api.url);
  const chunks = `5\r\n${HELLO.slice(0, 5)}\r\n${(HELLO.length - 5).toString(16)}\r\n${HELLO.slice(5)}\r\n0\r\n\r\n`;
  connection.send(wire(START, { ...JSON_TYPE, "Transfer-Encoding": "chunked" }, chunks));
  connection.send(wire(START, { ...JSON_TYPE, "Content-Length": String(HELLO.length), Connection: "close" }, HELLO));
  const response = await connection.response();
  expect(response.match(/HTTP\/1\.1 200 /g)).toHaveLength(2);
  expect(response.match(/"status":"succeeded"/g)).toHaveLength(2);
});
