import { connect } from "node:net";
import type { Socket } from "node:net";

import { within } from "./time.ts";

/** Longer than any time-out of the server. */
const END_MS = 90_000;

/** A bare connection to a server, for what no HTTP client would send. */
export class RawConnection implements Disposable {
  readonly #socket: Socket;
  readonly #ended: Promise<void>;
  #received = "";

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    this.#socket.on("data", (chunk: Buffer) => (this.#received += chunk.toString("latin1")));
    // A reset is one of the ways in which a server ends a connection.
    this.#socket.on("error", () => {});
    this.#ended = new Promise((resolve) => {
      this.#socket.once("end", resolve);
      this.#socket.once("close", () => resolve());
    });
  }

  /** Sends a part of a request; line ends are the caller's. What can't be sent any more is not an error. */
  send(bytes: string | Uint8Array): this {
    this.#socket.write(bytes);
    return this;
  }

  /** Sends no more, but still listens. */
  finish(): this {
    this.#socket.end();
    return this;
  }

  /** Everything that came until the server ended the connection. */
  async response(): Promise<string> {
    await within(END_MS, "the connection's end", this.#ended);
    return this.#received;
  }

  get open(): boolean {
    return !this.#socket.readableEnded && !this.#socket.destroyed;
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

/** An HTTP request as it goes over the wire. */
export function wire(start: string, headers: Readonly<Record<string, string>> = {}, body = ""): string {
  const lines = [start, "Host: localhost", ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)];
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}
