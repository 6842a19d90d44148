import { execFile, execFileSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer as createTlsServer } from "node:https";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { callbackCaller } from "../../api/callbacks/callback-call.ts";
import type { CallbackRules } from "../../api/callbacks/callback-call.ts";
import { renderResult } from "../../api/render.ts";
import { receiver } from "../support/receiver.ts";
import type { Received } from "../support/receiver.ts";
import { temporaryFolder } from "../support/server.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
/** `scripts/setup --tests` installs it. */
const OPENSSL = "/usr/bin/openssl";
const LOOPBACK = ["127.0.0.0/8", "::1"];

const RESULT = renderResult({
  id: "raaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  language: "python",
  version: "3.11.2",
  status: "succeeded",
  reason: null,
  compile: null,
  run: {
    exitCode: 0,
    signal: null,
    limit: null,
    wallMs: 1,
    cpuMs: 1,
    memoryBytes: 1,
    stdoutTruncated: false,
    stderrTruncated: false,
    stdout: Buffer.from('ü "quoted"\n'.repeat(20_000)),
    stderr: Buffer.from([0xff, 0]),
  },
  createdAt: new Date(0),
  startedAt: new Date(1),
  finishedAt: new Date(2),
});

function rules(more: Partial<CallbackRules>): CallbackRules {
  return { origins: [], networks: [], secret: SECRET, ...more };
}

/** A server on the loopback that does `behave` with each connection. */
async function misbehaving(behave: (socket: Socket) => void): Promise<AsyncDisposable & { origin: string }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    behave(socket);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe("a call", () => {
  test("carries the whole result, with a signature over its time and its bytes", async () => {
    await using place = await receiver();
    const call = callbackCaller(rules({ origins: [place.origin] }));
    expect(await call(`${place.origin}/done?job=7`, RESULT)).toBeUndefined();
    const [{ method, path, headers, body } = {} as Partial<Received>] = place.received;
    expect({ method, path }).toEqual({ method: "POST", path: "/done?job=7" });
    expect(headers).toMatchObject({ "content-type": "application/json; charset=utf-8", "user-agent": "sandbox-api" });
    expect(JSON.parse(body ?? "")).toEqual(RESULT);
    const [, seconds, digest] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers?.["sandbox-signature"])) ?? [];
    expect(digest).toBe(createHmac("sha256", SECRET).update(`${seconds}.${body}`).digest("hex"));
    expect(Math.abs(Number(seconds) - Date.now() / 1000)).toBeLessThan(60);
  });

  test.for([301, 302, 307, 308])("follows no redirect (%i)", async (status) => {
    await using target = await receiver();
    await using place = await receiver((response) => response.writeHead(status, { location: target.origin }).end());
    const call = callbackCaller(rules({ origins: [place.origin, target.origin] }));
    expect(await call(place.origin, RESULT)).toBe(`it was answered with ${status}`);
    expect(place.received).toHaveLength(1);
    expect(target.received).toHaveLength(0);
  });

  test.for([400, 404, 500, 503])("has failed when the answer is %i", async (status) => {
    await using place = await receiver((response) => response.writeHead(status).end("no"));
    const call = callbackCaller(rules({ origins: [place.origin] }));
    expect(await call(place.origin, RESULT)).toBe(`it was answered with ${status}`);
  });

  test("goes nowhere that is not allowed any more", async () => {
    await using place = await receiver();
    for (const origins of [[], ["http://127.0.0.1"], [place.origin.replace("http:", "https:")]]) {
      expect(await callbackCaller(rules({ origins }))(place.origin, RESULT)).toMatch(/not allowed/);
    }
    expect(place.received).toHaveLength(0);
  });

  test("tells of a connection that fails by its code alone", async () => {
    let origin = "";
    {
      await using place = await receiver();
      origin = place.origin;
    }
    const call = callbackCaller(rules({ origins: [origin] }));
    expect(await call(`${origin}/secret-path`, RESULT)).toBe("the connection failed: ECONNREFUSED");
  });
});

describe("a host's addresses", () => {
  test.for([
    ["127.0.0.1"],
    ["::1"],
    ["::ffff:127.0.0.1"],
    ["0.0.0.0"],
    ["10.0.0.1"],
    ["169.254.169.254"],
    ["fe80::1%eth0"],
    ["2606:4700::1111", "127.0.0.1"],
    ["127.0.0.1", "8.8.8.8"],
  ])("are refused as soon as one of them is private: %j", async (addresses) => {
    await using place = await receiver();
    const origin = `http://hooks.example:${place.port}`;
    const call = callbackCaller(rules({ origins: [origin] }), async () => addresses);
    expect(await call(origin, RESULT)).toBe("its host has an address that is neither public nor allowed");
    expect(place.received).toHaveLength(0);
  });

  test("are those of the system: localhost is refused, unless its network is allowed", async () => {
    await using place = await receiver();
    const origin = `http://localhost:${place.port}`;
    expect(await callbackCaller(rules({ origins: [origin] }))(origin, RESULT)).toMatch(/neither public nor allowed/);
    expect(place.received).toHaveLength(0);
    const call = callbackCaller(rules({ origins: [origin], networks: LOOPBACK }), async () => ["127.0.0.1"]);
    expect(await call(origin, RESULT)).toBeUndefined();
    expect(place.received).toHaveLength(1);
  });

  test("are asked for once: a name that has another address the second time leads nowhere else", async () => {
    await using place = await receiver();
    const origin = `http://hooks.example:${place.port}`;
    const answers = [["127.0.0.1"], ["127.0.0.2"]];
    let asked = 0;
    const call = callbackCaller(
      rules({ origins: [origin], networks: ["127.0.0.1"] }),
      async () => answers[asked++] ?? [],
    );
    expect(await call(origin, RESULT)).toBeUndefined();
    expect(asked).toBe(1);
    expect(place.received[0]?.headers.host).toBe(`hooks.example:${place.port}`);
    expect(await call(origin, RESULT)).toMatch(/neither public nor allowed/);
  });

  test("are allowed by a setting that names one itself", async () => {
    await using place = await receiver();
    expect(await callbackCaller(rules({ origins: [place.origin] }))(place.origin, RESULT)).toBeUndefined();
  });

  test("may be none", async () => {
    const origin = "https://hooks.example";
    const call = callbackCaller(rules({ origins: [origin] }), async () => []);
    expect(await call(origin, RESULT)).toBe("its host has no address");
  });
});

describe("a receiver that means harm", { concurrent: true }, () => {
  test.for<[string, (socket: Socket) => void]>([
    ["never answers", () => {}],
    ["sends an endless head", (socket) => endlessly(socket, "HTTP/1.1 200 OK\r\n", "x: y\r\n")],
    ["sends one informational answer after another", (socket) => endlessly(socket, "", "HTTP/1.1 103 Early\r\n\r\n")],
    ["trickles its head", (socket) => void socket.write("HTTP/1.1 200 O")],
  ])("%s is left", { timeout: 30_000 }, async ([, behave]) => {
    await using place = await misbehaving(behave);
    const call = callbackCaller(rules({ origins: [place.origin] }));
    expect(await call(place.origin, RESULT)).toMatch(/not answered within 5 s|the connection failed/);
  });

  test(
    "answers without end: its status counts, and no more than the start of the rest is read",
    { timeout: 30_000 },
    async () => {
      let sent = 0;
      await using place = await misbehaving((socket) =>
        endlessly(socket, "HTTP/1.1 200 OK\r\n\r\n", "z".repeat(65_536), (bytes) => (sent += bytes)),
      );
      const call = callbackCaller(rules({ origins: [place.origin] }));
      expect(await call(place.origin, RESULT)).toBeUndefined();
      // What the kernel's buffers of both ends take besides.
      expect(sent).toBeLessThan(64 * 1024 * 1024);
    },
  );

  test("has a name that is never resolved", { timeout: 30_000 }, async () => {
    const origin = "https://hooks.example";
    const call = callbackCaller(rules({ origins: [origin] }), () => new Promise(() => {}));
    expect(await call(origin, RESULT)).toBe("it was not answered within 5 s");
  });
});

/** Writes `head`, and then `piece` as often as it is taken. */
function endlessly(socket: Socket, head: string, piece: string, wrote: (bytes: number) => void = () => {}): void {
  const write = (): void => {
    for (let more = true; more && !socket.destroyed;) {
      more = socket.write(piece);
      wrote(piece.length);
    }
  };
  socket.resume();
  socket.on("drain", write);
  socket.write(head);
  write();
}

test("a host's certificate has to be for its name, not for the address that was found", async () => {
  await using folder = await temporaryFolder();
  const [key, cert] = ["key.pem", "cert.pem"].map((name) => join(folder.path, name)) as [string, string];
  const words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  const names = ["-subj", "/CN=hooks.example", "-addext", "subjectAltName=DNS:hooks.example"];
  execFileSync(OPENSSL, [...words, ...names, "-keyout", key, "-out", cert], { stdio: "ignore" });
  const hosts: string[] = [];
  const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
    hosts.push(String(request.headers.host));
    response.end();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  try {
    const { port } = server.address() as AddressInfo;
    const origins = [`https://hooks.example:${port}`, `https://other.example:${port}`];
    // The certificate is its own authority, which nobody trusts.
    const call = callbackCaller(rules({ origins, networks: LOOPBACK }), async () => ["127.0.0.1"]);
    expect(await call(String(origins[0]), RESULT)).toBe("the connection failed: DEPTH_ZERO_SELF_SIGNED_CERT");
    const script = `
      const { callbackCaller } = await import(process.argv[1]);
      const call = callbackCaller(
        { origins: JSON.parse(process.argv[2]), networks: ["127.0.0.0/8"], secret: "s" },
        async () => ["127.0.0.1"],
      );
      for (const origin of JSON.parse(process.argv[2])) console.log(await call(origin, {}));`;
    const module = join(import.meta.dirname, "../../api/callbacks/callback-call.ts");
    const output = await new Promise<string>((resolve, reject) => {
      execFile(
        process.execPath,
        ["--input-type=module", "-e", script, module, JSON.stringify(origins)],
        { env: { ...process.env, NODE_EXTRA_CA_CERTS: cert } },
        (error, stdout) => (error === null ? resolve(stdout) : reject(error)),
      );
    });
    expect(output).toBe("undefined\nthe connection failed: ERR_TLS_CERT_ALTNAME_INVALID\n");
    expect(hosts).toEqual([`hooks.example:${port}`]);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
