import { METHODS } from "node:http";

import type { FastifyReply, FastifyRequest } from "fastify";

import { ServiceError } from "../core/errors.ts";
import type { App } from "./context.ts";
import { answerTo, toServiceError } from "./errors.ts";

/** Answers with the error; the cause of what is our failure goes to the log, under the id that the client gets. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const failure = toServiceError(error);
  const { status, headers, body } = answerTo(failure);
  if (status === 500) {
    request.log.error({ err: failure.cause ?? failure, method: request.method, url: request.url }, "request failed");
    reply.header("x-request-id", request.id);
  }
  return reply.code(status).headers(headers).type("application/json; charset=utf-8").send(body);
}

/** Gives every error, Fastify's own too, the one form that errors have here. */
export function handleErrors(app: App, closing: AbortSignal): void {
  app.setErrorHandler((error, request, reply) => {
    // Fastify closes the connection of a body that was refused. Ours is read to its end, within requestTimeout.
    if (!closing.aborted) reply.removeHeader("connection");
    return sendError(error, request, reply);
  });
  app.setNotFoundHandler(() => {
    throw new ServiceError("not_found", "there is nothing at this path");
  });
}

/** Answers the methods that the routes registered so far do not have with `method_not_allowed` and those that they have. */
export class AllowedMethods {
  readonly #methods = new Map<string, Set<string>>();

  constructor(app: App) {
    app.addHook("onRoute", ({ url, method }) => {
      const methods = this.#methods.get(url) ?? new Set();
      for (const one of [method].flat()) methods.add(one);
      this.#methods.set(url, methods);
    });
  }

  refuseOthers(app: App): void {
    const supported = METHODS.filter((method) => app.supportedMethods.includes(method));
    for (const [url, methods] of [...this.#methods]) {
      const allowed = [...methods].toSorted();
      app.route({
        url,
        method: supported.filter((method) => !methods.has(method)),
        schema: { hide: true },
        // A hook, so that a body is not even read.
        onRequest: async (_request, reply) => {
          reply.header("allow", allowed.join(", "));
          throw new ServiceError("method_not_allowed", `this path has only ${allowed.join(", ")}`, { allowed });
        },
        handler: () => undefined,
      });
    }
  }
}
