import { once } from "node:events";

import { expect, test as plain } from "vitest";
import { WebSocket } from "ws";

import { BACKEND, contractTest, serve } from "../support/contract.ts";
import { InteractiveClient } from "../support/interactive.ts";

const test = contractTest({ API_KEYS: "alice:alice-secret-0123456789,bob:bob-secret-0123456789", CPU_LIMIT: "1" });

const [ALICE, BOB] = ["alice-secret-0123456789", "bob-secret-0123456789"];
const TTY = { cols: 80, rows: 24 };
const HELLO = { language: "bash", code: "echo hello" };

test("a key in the first message or in a header is wanted, and another's run is not there", async ({ server }) => {
  await using stranger = await InteractiveClient.open(server.url);
  stranger.send({ type: "start", request: HELLO });
  expect(await stranger.error()).toMatchObject({ code: "unauthorized" });
  expect(await stranger.closed()).toMatchObject({ code: 1008 });
  await using guess = await InteractiveClient.open(server.url);
  guess.send({ type: "start", request: HELLO, api_key: "guess" });
  expect(await guess.error()).toMatchObject({ code: "unauthorized" });

  await using alice = await InteractiveClient.open(server.url);
  alice.send({
    type: "start",
    request: { language: "bash", code: "echo on; read -r line; echo $line" },
    api_key: ALICE,
  });
  await alice.prints("on");
  await using bob = await InteractiveClient.open(server.url, { authorization: `Bearer ${BOB}` });
  bob.send({ type: "attach", id: await alice.accepted() });
  expect(await bob.error()).toMatchObject({ code: "not_found" });
  await using again = await InteractiveClient.open(server.url, { "x-api-key": ALICE });
  again.send({ type: "attach", id: await alice.accepted() });
  again.type("hers\n");
  expect(await alice.finished()).toMatchObject({ stdout: "on\nhers\n" });
  expect(server.output).not.toContain(ALICE);
});

test("messages without end, and such as are never whole, take nothing from others", async ({ server, api }) => {
  const alice = api.with({ "x-api-key": ALICE });
  await using client = await InteractiveClient.open(server.url, { "x-api-key": ALICE });
  client.send({ type: "start", request: { language: "bash", code: "echo on; read -r line" }, tty: TTY });
  await client.prints("on");
  for (let index = 0; index < 20_000; index += 1) client.send({ type: "resize", cols: 1 + (index % 200), rows: 20 });
  for (let index = 0; index < 20_000; index += 1) client.send("{");
  await using unfinished = await InteractiveClient.open(server.url, { "x-api-key": ALICE });
  for (let index = 0; index < 100; index += 1) unfinished.socket.send(Buffer.alloc(65_536, 32), { fin: false });
  expect([1006, 1009]).toContain((await unfinished.closed()).code);
  expect(await alice.run(HELLO)).toMatchObject({ stdout: "hello\n" });
  await alice.cancel(await client.accepted());
});

test("a terminal is flooded with escapes without more coming of it than output", async ({ server }) => {
  const code = String.raw`
import sys
escapes = "\x1b]0;title\x07\x1b]52;c;aGVsbG8=\x07\x1b[?1049h\x1b[6n\x1b[c\x1bP+q544e\x1b\\\x1b[21t\x9b5n\x07"
piece = escapes * 1000
while True:
    sys.stdout.write(piece)`;
  const request = { language: "python", code, limits: { output_bytes: 1_000_000, memory_bytes: 64 * 1024 * 1024 } };
  await using client = await InteractiveClient.open(server.url, { "x-api-key": ALICE });
  client.send({ type: "start", request, tty: TTY });
  const result = await client.finished();
  expect(result).toMatchObject({ status: "output_limit", run: { limit: "output", stdout_truncated: true } });
  expect(Buffer.from(result.stdout, result.stdout_encoding)).toHaveLength(1_000_000);
  expect(Buffer.from(client.printed())).toHaveLength(1_000_000);
});

test("a program gets no other terminal, and types into none", async ({ server }) => {
  const code = String.raw`
import fcntl, os, termios
def tries(what, call):
    try:
        call()
        print("ESCAPED", what)
    except OSError:
        pass
tries("console", lambda: os.open("/dev/console", os.O_RDWR))
tries("tty0", lambda: os.open("/dev/tty0", os.O_RDWR))
opened = 0
for _ in range(64):
    try:
        os.open("/dev/pts/ptmx", os.O_RDWR | os.O_NOCTTY)
        opened += 1
    except OSError:
        break
print("other terminals", os.listdir("/dev/pts") if opened == 0 else opened < 65)
os.kill(os.getppid(), 9) if os.getppid() != 1 else None
tries("session", lambda: os.setsid())
tries("group", lambda: os.tcsetpgrp(0, 1))
print("went on")`;
  await using client = await InteractiveClient.open(server.url, { "x-api-key": ALICE });
  client.send({ type: "start", request: { language: "python", code }, tty: TTY });
  const result = await client.finished();
  expect(result).toMatchObject({ status: "succeeded" });
  expect(result.stdout).not.toContain("ESCAPED");
  expect(result.stdout).toContain("went on");
});

test("a client that does not read holds up its own program, and nothing else", async ({ server, api }) => {
  const alice = api.with({ "x-api-key": ALICE });
  const limits = { output_bytes: 4_000_000 };
  await using client = await InteractiveClient.open(server.url, { "x-api-key": ALICE });
  client.send({ type: "start", request: { language: "bash", code: "exec yes", limits } });
  const id = await client.accepted();
  client.socket.pause();
  expect(await alice.finished(id)).toMatchObject({ status: "output_limit" });
  client.socket.resume();
  expect((await client.finished()).stdout).toHaveLength(4_000_000);
});

plain.runIf(BACKEND === "local")(
  "a thousand connections that say nothing are held to a bound, and are ended",
  async () => {
    await using served = await serve();
    await using stack = new AsyncDisposableStack();
    const answers = await Promise.all(
      Array.from({ length: 1000 }, async () => {
        const socket = new WebSocket(new URL("/api/run/interactive", served.server.url.replace(/^http/, "ws")));
        stack.defer(() => socket.terminate());
        socket.on("error", () => {});
        const opened = once(socket, "open").then(() => "open");
        const refused = once(socket, "unexpected-response").then(
          ([, response]) => (response as { statusCode: number }).statusCode,
        );
        opened.catch(() => {});
        const answer = await Promise.race([opened, refused]);
        return { answer, closed: answer === "open" ? once(socket, "close") : undefined };
      }),
    );
    const open = answers.filter(({ answer }) => answer === "open");
    expect(open).toHaveLength(256);
    expect(answers.filter(({ answer }) => answer === 429)).toHaveLength(744);
    expect(await served.api.run(HELLO)).toMatchObject({ stdout: "hello\n" });
    for (const { closed } of open) expect((await closed)?.[0]).toBe(1008);
    await using client = await InteractiveClient.open(served.server.url);
    client.send({ type: "start", request: HELLO });
    expect(await client.finished()).toMatchObject({ stdout: "hello\n" });
  },
);
