import { once } from "node:events";

import { expect } from "vitest";
import { WebSocket } from "ws";

import { contractTest, serve } from "../support/contract.ts";
import { InteractiveClient } from "../support/interactive.ts";
import type { RequestBody } from "../support/client.ts";

const test = contractTest({ MAX_INTERACTIVE: "8", MAX_RUNNING: "2", INTERACTIVE_IDLE_SECONDS: "30", CPU_LIMIT: "1" });

const TTY = { cols: 80, rows: 24 };

async function start(url: string, request: RequestBody, tty?: typeof TTY): Promise<InteractiveClient> {
  const client = await InteractiveClient.open(url);
  client.send({ type: "start", request, ...(tty === undefined ? {} : { tty }) });
  return client;
}

test("a program reads what is said to it while it runs, until the end of its input", async ({ server }) => {
  const code = 'while read -r line; do echo "got $line"; done; echo over';
  await using client = await start(server.url, { language: "bash", code });
  client.type("one\n");
  await client.prints("got one\n");
  client.send({ type: "stdin", data: Buffer.from("twö\n").toString("base64"), encoding: "base64" });
  await client.prints("got twö\n");
  client.send({ type: "end" });
  const result = await client.finished();
  expect(result).toMatchObject({ status: "succeeded", exit_code: 0, stdout: "got one\ngot twö\nover\n", stderr: "" });
  expect(await client.closed()).toMatchObject({ code: 1000 });
  const told = client.messages.filter((message) => "sequence" in message).map((message) => message.sequence);
  expect(told).toEqual(told.map((_, index) => index));
});

test("a Python prompt in a terminal answers, is interrupted, and ends with the end of input", async ({ server }) => {
  const code = "import code, readline\ncode.interact('hello', local={}, exitmsg='bye')";
  await using client = await start(server.url, { language: "python", code }, TTY);
  await client.prints(">>> ");
  client.type("6 * 7\r");
  await client.prints("42");
  client.type("import time; print('bu' + 'sy'); time.sleep(60)\r");
  await client.prints("busy");
  client.send({ type: "signal", signal: "INT" });
  await client.prints("KeyboardInterrupt");
  client.type("import os; print(os.isatty(0), os.get_terminal_size())\r");
  await client.prints("True os.terminal_size(columns=80, lines=24)");
  // Before the next prompt the key would be the terminal's own, and is nothing once readline has taken that over.
  await client.until("a prompt", () => /lines=24\)\s[^]*>>> $/.test(client.printed()));
  client.send({ type: "end" });
  await client.prints("bye");
  expect(await client.finished()).toMatchObject({ status: "succeeded", stderr: "" });
});

test("a shell in a terminal is told of a new size, and runs jobs of its own", async ({ server }) => {
  const request = { language: "bash", code: "PS1='$ ' exec bash --norc --noprofile -i" };
  await using client = await start(server.url, request, TTY);
  await client.prints("$ ");
  client.send({ type: "resize", cols: 132, rows: 50 });
  client.type("shopt -s checkwinsize; sleep 0; (:); echo $COLUMNS x $LINES $TERM\r");
  await client.prints("132 x 50 xterm-256color");
  client.type("bash -c 'printf %s- b u s y; exec sleep 100'\r");
  await client.prints("b-u-s-y-");
  client.type("\u0003");
  client.type("echo still $((40 + 2))\r");
  await client.prints("still 42");
  client.type("exit 3\r");
  expect(await client.finished()).toMatchObject({ status: "failed", exit_code: 3 });
});

test("a readline program of Node asks, and gets an answer", async ({ server }) => {
  const code = `
    import { createInterface } from "node:readline/promises";
    const prompt = createInterface({ input: process.stdin, output: process.stdout });
    const name = await prompt.question("who? ");
    console.log("hello " + name.toUpperCase());
    prompt.close();`;
  const files = [{ name: "main.mjs", content: code }];
  await using client = await start(server.url, { language: "nodejs", files }, TTY);
  await client.prints("who? ");
  client.type("ada\r");
  await client.prints("hello ADA");
  expect(await client.finished()).toMatchObject({ status: "succeeded" });
});

test("input waits for a program that does not read, and a signal does not wait for input", async ({ server, api }) => {
  const code = "trap 'echo told; wc -c; exit' TERM; echo ready; while :; do sleep 0.05; done";
  await using client = await start(server.url, { language: "bash", code });
  await client.prints("ready");
  const piece = "x".repeat(65_536);
  for (let index = 0; index < 32; index += 1) client.type(piece);
  client.send({ type: "end" });
  // Another connection's signal, for this one's messages wait.
  await using other = await InteractiveClient.open(server.url);
  other.send({ type: "attach", id: await client.accepted() });
  await other.prints("ready");
  other.send({ type: "signal", signal: "TERM" });
  await client.prints("told");
  const result = await client.finished();
  expect(result.stdout).toBe(`ready\ntold\n${32 * 65_536}\n`);
  expect(await api.result(result.id)).toEqual(result);
});

test("who comes back sees the output so far, and goes on", async ({ server, api }) => {
  const code = 'echo first; read -r line; echo "second $line"; read -r line; echo "third $line"';
  let id: string;
  {
    await using client = await start(server.url, { language: "bash", code });
    id = await client.accepted();
    await client.prints("first\n");
    client.type("a\n");
    await client.prints("second a\n");
  }
  expect(await api.result(id)).toMatchObject({ status: "running" });
  await using again = await InteractiveClient.open(server.url);
  again.send({ type: "attach", id });
  await again.prints("first\nsecond a\n");
  await using later = await InteractiveClient.open(server.url);
  later.send({ type: "attach", id, from: 2 });
  await later.prints("second a\n");
  expect(later.printed()).not.toContain("first");
  later.type("b\n");
  expect(await again.finished()).toMatchObject({ stdout: "first\nsecond a\nthird b\n" });
  expect(await later.finished()).toMatchObject({ status: "succeeded" });

  await using after = await InteractiveClient.open(server.url);
  after.send({ type: "attach", id });
  expect(await after.finished()).toMatchObject({ status: "succeeded", stdout: "first\nsecond a\nthird b\n" });
  expect(await after.closed()).toMatchObject({ code: 1000 });
});

test("a program that nobody speaks to ends for idleness, and one that goes on too long for time", async ({
  server,
}) => {
  const code = "while sleep 0.1; do echo here; done";
  await using late = await start(server.url, { language: "bash", code, limits: { wall_ms: 500 } });
  expect(await late.finished()).toMatchObject({ status: "time_limit", run: { limit: "wall" } });
  await using served = await serve({ INTERACTIVE_IDLE_SECONDS: "1" });
  await using idle = await start(served.api.url, { language: "bash", code: "echo here; read -r line" });
  expect(await idle.finished()).toMatchObject({ status: "time_limit", stdout: "here\n", run: { limit: "idle" } });
});

test("a signal that ends it is what its result says, and the client can cancel it by its id", async ({
  server,
  api,
}) => {
  await using killed = await start(server.url, {
    language: "bash",
    code: "trap '' INT TERM; echo on; sleep 100 & wait; sleep 100",
  });
  await killed.prints("on");
  killed.send({ type: "signal", signal: "KILL" });
  expect(await killed.finished()).toMatchObject({ status: "signaled", run: { signal: "SIGKILL", limit: null } });

  await using cancelled = await start(server.url, { language: "bash", code: "echo on; read -r line" });
  await cancelled.prints("on");
  await api.cancel(await cancelled.accepted());
  expect(await cancelled.finished()).toMatchObject({ status: "cancelled" });
});

test("a program that was compiled before is spoken to as one that was not", async ({ server }) => {
  const code = "#include <stdio.h>\nint main(void) { int c; while ((c = getchar()) != EOF) putchar(c + 1); }";
  for (const word of ["HAL\n", "abc\n"]) {
    await using client = await start(server.url, { language: "c", code });
    client.type(word);
    client.send({ type: "end" });
    const stdout = [...word].map((letter) => String.fromCodePoint((letter.codePointAt(0) ?? 0) + 1)).join("");
    expect(await client.finished()).toMatchObject({ status: "succeeded", stdout, compile: { exit_code: 0 } });
  }
});

test("a compiled program is compiled first; what fails to compile says so", async ({ server }) => {
  const code = '#include <stdio.h>\nint main(void) { char n[9]; scanf("%8s", n); printf("<%s>\\n", n); }';
  await using client = await start(server.url, { language: "c", code });
  client.type("early\n");
  expect(await client.finished()).toMatchObject({
    status: "succeeded",
    stdout: "<early>\n",
    compile: { exit_code: 0 },
  });
  await using broken = await start(server.url, { language: "c", code: "int main(void) { return x; }" });
  expect(await broken.finished()).toMatchObject({ status: "compile_failed" });
});

test.for<[what: string, first: object | string, field: string | undefined]>([
  ["no JSON", "{", "body"],
  ["no object", "[]", "body"],
  ["no type", { request: {} }, "type"],
  ["an unknown type", { type: "begin" }, "type"],
  ["input before a run", { type: "stdin", data: "x" }, "type"],
  ["an unknown field", { type: "start", request: { language: "bash", code: ":" }, pty: true }, "pty"],
  ["no request", { type: "start" }, "request"],
  ["an unknown language", { type: "start", request: { language: "cobol", code: ":" } }, "language"],
  ["an unknown field of the request", { type: "start", request: { language: "bash", kode: ":" } }, "request.kode"],
  ["no program", { type: "start", request: { language: "bash" } }, "code"],
  ["tests", { type: "start", request: { language: "bash", code: ":", tests: [{}] } }, "tests"],
  [
    "too long a time",
    { type: "start", request: { language: "bash", code: ":", limits: { wall_ms: 1e9 } } },
    "limits.wall_ms",
  ],
  [
    "a terminal of no size",
    { type: "start", request: { language: "bash", code: ":" }, tty: { cols: 0, rows: 24 } },
    "tty.cols",
  ],
  [
    "a huge terminal",
    { type: "start", request: { language: "bash", code: ":" }, tty: { cols: 80, rows: 1e5 } },
    "tty.rows",
  ],
  ["a run that is not there", { type: "attach", id: `r${"a".repeat(31)}` }, undefined],
  ["no id", { type: "attach", id: "../x" }, undefined],
  ["a wrong place", { type: "attach", id: "x", from: -1 }, "from"],
])("a first message with %s is refused, and the connection ends", async ([, first, field], { server }) => {
  await using client = await InteractiveClient.open(server.url);
  client.send(first);
  const error = await client.error();
  expect(error).toMatchObject(field === undefined ? { code: "not_found" } : { details: { field } });
  expect(await client.closed()).toMatchObject({ code: 1008 });
});

test("a message that is wrong is told, changes nothing, and the session goes on", async ({ server }) => {
  await using client = await start(server.url, { language: "bash", code: 'read -r line; echo "got $line"' });
  const wrong: [message: object | string | Buffer, field: string][] = [
    ["nothing", "body"],
    [Buffer.from("{}"), "body"],
    [{ type: "stdin" }, "data"],
    [{ type: "stdin", data: "%", encoding: "base64" }, "data"],
    [{ type: "stdin", data: "\ud800" }, "data"],
    [{ type: "signal", signal: "STOP" }, "signal"],
    [{ type: "resize", cols: 1.5, rows: 2 }, "cols"],
    [{ type: "start", request: { language: "bash", code: ":" } }, "type"],
    [{ type: "end", now: true }, "now"],
  ];
  for (const [message] of wrong) {
    if (Buffer.isBuffer(message)) client.socket.send(message, { binary: true });
    else client.send(message);
  }
  client.type("this\n");
  expect(await client.finished()).toMatchObject({ stdout: "got this\n" });
  const errors = client.messages.flatMap((message) => (message.type === "error" ? [message.error] : []));
  expect(errors.map(({ details }) => details?.["field"])).toEqual(wrong.map(([, field]) => field));
});

test("a run that was not started so takes no input", async ({ server, api }) => {
  const { id } = await api.submit({ language: "bash", code: "echo on; sleep 30" });
  await using client = await InteractiveClient.open(server.url);
  client.send({ type: "attach", id });
  await client.prints("on");
  client.type("x");
  expect(await client.error()).toMatchObject({ code: "invalid_request", details: { field: "id" } });
  await api.cancel(id);
  expect(await client.finished()).toMatchObject({ status: "cancelled" });
});

test("more of them than may be are refused, and others are not in their way", async ({ server, api }) => {
  await using stack = new AsyncDisposableStack();
  const open: InteractiveClient[] = [];
  for (let index = 0; index < 8; index += 1) {
    open.push(stack.use(await start(server.url, { language: "bash", code: "echo on; read -r line" })));
  }
  for (const client of open) await client.accepted();
  await using refused = await start(server.url, { language: "bash", code: ":" });
  expect(await refused.error()).toMatchObject({ code: "queue_full" });
  expect(await api.run({ language: "bash", code: "echo fine" })).toMatchObject({ stdout: "fine\n" });
  for (const client of open) client.type("\n");
  for (const client of open) expect(await client.finished()).toMatchObject({ status: "succeeded" });
  await using next = await start(server.url, { language: "bash", code: "echo room" });
  expect(await next.finished()).toMatchObject({ stdout: "room\n" });
});

test("a page of another origin can't connect, and what is no WebSocket is told so", async ({ server, api }) => {
  const answer = async (headers: Record<string, string>): Promise<number | undefined> => {
    const socket = new WebSocket(new URL("/api/run/interactive", server.url.replace(/^http/, "ws")), { headers });
    socket.on("error", () => {});
    const [, response] = (await once(socket, "unexpected-response")) as [unknown, { statusCode?: number }];
    socket.terminate();
    return response.statusCode;
  };
  expect(await answer({ origin: "https://elsewhere.example" })).toBe(403);
  expect(await answer({ origin: "null" })).toBe(403);
  const plain = await api.refused(api.fetch("GET", "/api/run/interactive"));
  expect(plain).toMatchObject({ status: 426, error: { code: "upgrade_required" } });
  expect(plain.headers.get("upgrade")).toBe("websocket");
});
