import type { IncomingHttpHeaders } from "node:http";

import websocket from "@fastify/websocket";
import type { FastifyRequest } from "fastify";

import { ServiceError } from "../../core/errors.ts";
import type { Authenticator } from "../auth.ts";
import type { ApiContext, App } from "../context.ts";
import { InteractiveRuns } from "../interactive-runs.ts";
import { InteractiveSession } from "../interactive-session.ts";
import { InteractiveSocket } from "../interactive-socket.ts";
import { errorResponses } from "../openapi.ts";

export const INTERACTIVE_PATH = "/api/run/interactive";
/** Connections at one time: each may send a program of the greatest size before anybody knows whose it is. */
const MAX_SOCKETS = 256;
/** What a message may have beside the program that it brings, in bytes. */
const MESSAGE_BYTES = 64 * 1024;

/**
 * Throws unless the page that connects is this server's own: unlike a request with a JSON body, a WebSocket is opened by any
 * page without asking the server first (RFC 6455, section 10.2). Other clients than browsers send no origin.
 */
function checkOrigin({ headers, host }: FastifyRequest): void {
  const { origin } = headers;
  if (origin === undefined || (URL.canParse(origin) && new URL(origin).host === host)) return;
  throw new ServiceError("forbidden", "Origin: only this server's own page may connect");
}

/** Whether the key comes with the request itself, which no page of a browser can do here. */
export function bringsKey(headers: IncomingHttpHeaders): boolean {
  return headers.authorization !== undefined || headers["x-api-key"] !== undefined;
}

const DESCRIPTION = [
  "A WebSocket with a JSON object a message. The client begins with `start` (`request`, and for a terminal `tty` with `cols` and `rows`)",
  "or, to a run that goes on, `attach` (`id`, `from` which sequence number); where keys are wanted, either has `api_key` unless a header brought it.",
  "Then it may send `stdin` (`data`, `encoding`), `end`, `signal` (`INT`, `TERM` or `KILL`) and `resize` (`cols`, `rows`).",
  "The server sends `accepted` (`id`), `stage`, `output` and `finished` (`result`), each with its `sequence`, and `error`; after `finished` it closes.",
].join(" ");

/** `GET /api/run/interactive`; within a scope that counts it as a run that is asked for. */
export async function interactiveRoute(app: App, context: ApiContext, authenticator: Authenticator): Promise<void> {
  const { settings, backend, closing } = context;
  const runs = new InteractiveRuns(backend, settings.interactive.most, closing);
  const keyed = settings.apiKeys.length > 0;
  let sockets = 0;
  await app.register(websocket, {
    options: { maxPayload: 2 * settings.maxProgramBytes + MESSAGE_BYTES },
    // A session ends with its run, which the backend ends in time.
    preClose: (done) => done(),
    errorHandler: (error, socket, request) => {
      request.log.error({ err: error }, "an interactive session failed");
      socket.terminate();
    },
  });
  app.route({
    method: "GET",
    url: INTERACTIVE_PATH,
    schema: {
      summary: "Run a program and speak with it",
      description: DESCRIPTION,
      tags: ["runs"],
      response: {
        ...errorResponses([
          "unauthorized",
          "forbidden",
          "upgrade_required",
          "rate_limited",
          "shutting_down",
          "internal",
        ]),
      },
    },
    onRequest: async (request) => {
      if (!request.ws) throw new ServiceError("upgrade_required", "Upgrade: websocket is wanted");
      checkOrigin(request);
      if (sockets >= MAX_SOCKETS) {
        throw new ServiceError("queue_full", `${MAX_SOCKETS} interactive connections are open, which is the most`);
      }
    },
    handler: () => undefined,
    wsHandler: (socket, request) => {
      sockets += 1;
      socket.once("close", () => (sockets -= 1));
      const session = new InteractiveSession(new InteractiveSocket(socket), {
        context,
        runs,
        tenant: keyed && !bringsKey(request.headers) ? undefined : request.tenant,
        authenticate: (key) => authenticator.authenticate(key === undefined ? {} : { "x-api-key": key }),
        log: request.log,
      });
      void session.serve();
    },
  });
}
