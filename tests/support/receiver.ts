import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { eventually } from "./time.ts";

/** A callback as it arrived. */
export interface Received {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** Answers a callback that has arrived whole; `count` is how many have by now. */
export type Answer = (response: ServerResponse, count: number) => void;

/** Where callbacks arrive: a server on the loopback. */
export interface Receiver extends AsyncDisposable {
  origin: string;
  port: number;
  received: Received[];
  /** The callbacks, once there are so many. */
  arrived: (count: number) => Promise<Received[]>;
}

/** Longer than the pauses between the first tries and a sweep for what others left, on a busy machine; in milliseconds. */
const ARRIVAL_MS = 60_000;

export async function receiver(answer: Answer = (response) => response.end("thanks")): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.once("end", () => {
      const { method = "", url: path = "", headers } = request;
      received.push({ method, path, headers, body: Buffer.concat(pieces).toString() });
      answer(response, received.length);
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    received,
    arrived: (count) =>
      eventually(ARRIVAL_MS, `${count} callbacks`, () => (received.length < count ? undefined : [...received])),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
