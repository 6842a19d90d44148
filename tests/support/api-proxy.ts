import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, request as httpRequest } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { request as httpsRequest } from "node:https";
import type { RequestOptions } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { KubeConfig } from "@kubernetes/client-node";

/** One call that went to the API server. */
export interface Call {
  method: string;
  path: string;
  query: URLSearchParams;
}

/** An API server in front of the cluster's own, on the loopback, that counts what goes through it and can cut it off. */
export class ApiProxy implements AsyncDisposable {
  readonly kubeconfig: string;
  readonly calls: Call[] = [];
  readonly #open = new Set<ServerResponse | Duplex>();
  /** How many watches are still to be told that their version is too old. */
  #expire = 0;
  readonly #folder: string;
  readonly #close: () => Promise<void>;

  private constructor(folder: string, kubeconfig: string, close: () => Promise<void>) {
    this.#folder = folder;
    this.kubeconfig = kubeconfig;
    this.#close = close;
  }

  static async open(): Promise<ApiProxy> {
    const config = new KubeConfig();
    config.loadFromDefault();
    const target = new URL(config.getCurrentCluster()?.server ?? "");
    const credentials: RequestOptions = {};
    await config.applyToHTTPSOptions(credentials);
    const server = createServer((incoming, outgoing) => proxy.#forward(incoming, outgoing, target, credentials));
    server.on("upgrade", (incoming, socket) => proxy.#upgrade(incoming, socket, target, credentials));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const folder = await mkdtemp(join(tmpdir(), "sandbox-api-proxy-"));
    const kubeconfig = join(folder, "kubeconfig");
    const named = (value: object): object[] => [{ name: "proxy", ...value }];
    await writeFile(
      kubeconfig,
      JSON.stringify({
        "current-context": "proxy",
        clusters: named({ cluster: { server: `http://127.0.0.1:${port}`, "insecure-skip-tls-verify": true } }),
        users: named({ user: {} }),
        contexts: named({ context: { cluster: "proxy", user: "proxy" } }),
      }),
    );
    const proxy: ApiProxy = new ApiProxy(folder, kubeconfig, async () => {
      proxy.cut();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    });
    return proxy;
  }

  /** The calls that are no watch and no list of a whole collection, nor a question for the account's rights. */
  get callsForRuns(): Call[] {
    return this.calls.filter(
      ({ method, path, query }) =>
        !path.endsWith("/selfsubjectaccessreviews") &&
        !(method === "GET" && /\/(?:jobs|pods)$/.test(path)) &&
        query.get("dryRun") === null,
    );
  }

  /** Breaks every connection that is in use, as a failing network would. */
  cut(): void {
    for (const connection of this.#open) connection.destroy();
  }

  /** Has the next watches told that the version from which they go on is too old, as by a server that has forgotten it. */
  expireWatches(count: number): void {
    this.#expire = count;
    this.cut();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
    await rm(this.#folder, { recursive: true });
  }

  /** A WebSocket, once both sides agree to have one. */
  #upgrade(incoming: IncomingMessage, socket: Duplex, target: URL, credentials: RequestOptions): void {
    const url = new URL(incoming.url ?? "/", target);
    this.calls.push({ method: incoming.method ?? "", path: url.pathname, query: url.searchParams });
    this.#open.add(socket);
    const send = target.protocol === "https:" ? httpsRequest : httpRequest;
    const { host: _, ...headers } = incoming.headers;
    const onward = send(url, { ...credentials, headers });
    onward.on("upgrade", (answer, upstream, head) => {
      const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${String(value)}\r\n`);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("")}\r\n`);
      socket.write(head);
      upstream.on("error", () => socket.destroy());
      socket.on("close", () => upstream.destroy());
      socket.pipe(upstream).pipe(socket);
    });
    onward.on("response", () => socket.destroy());
    onward.on("error", () => socket.destroy());
    socket.on("error", () => onward.destroy());
    socket.on("close", () => this.#open.delete(socket));
    onward.end();
  }

  #forward(incoming: IncomingMessage, outgoing: ServerResponse, target: URL, credentials: RequestOptions): void {
    const url = new URL(incoming.url ?? "/", target);
    this.calls.push({ method: incoming.method ?? "", path: url.pathname, query: url.searchParams });
    if (this.#expire > 0 && url.searchParams.get("watch") === "true") {
      this.#expire -= 1;
      const object = {
        kind: "Status",
        status: "Failure",
        reason: "Expired",
        code: 410,
        message: "too old resource version",
      };
      outgoing.end(`${JSON.stringify({ type: "ERROR", object })}\n`);
      return;
    }
    this.#open.add(outgoing);
    const send = target.protocol === "https:" ? httpsRequest : httpRequest;
    const { host: _, ...headers } = incoming.headers;
    const onward = send(url, { ...credentials, method: incoming.method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
      answer.on("error", () => outgoing.destroy());
    });
    onward.on("error", () => outgoing.destroy());
    outgoing.on("close", () => {
      this.#open.delete(outgoing);
      onward.destroy();
    });
    incoming.pipe(onward);
  }
}
