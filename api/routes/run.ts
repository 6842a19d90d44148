import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";

import { ServiceError } from "../../core/errors.ts";
import { isRunId } from "../../core/run.ts";
import type { RunId } from "../../core/run.ts";
import { IDEMPOTENCY_KEY, acceptRun } from "../accept-run.ts";
import type { ApiContext, App } from "../context.ts";
import { errorResponses } from "../openapi.ts";
import { renderState } from "../render.ts";
import { RESULT, RESULT_OR_PENDING, RUN_PARAMS, RUN_REQUEST, SYNC_RUN_REQUEST } from "../schemas.ts";
import { sendResult } from "../send-result.ts";
import { HANDLER_TIMEOUT_MS, REQUEST_TIMEOUT_MS } from "../timeouts.ts";
import { allowSilence, clientGone } from "../waiting.ts";

/** Ends a request whose client went before its answer, with the status that proxies log for it; nobody receives it. */
function abandon(reply: FastifyReply): FastifyReply {
  return reply.code(499).send();
}

const IDEMPOTENCY = z.object({
  "idempotency-key": z
    .string()
    .optional()
    .meta({ pattern: IDEMPOTENCY_KEY.source })
    .describe("1 to 255 characters of printable ASCII; the same key with the same body names the same run"),
});

/** The error of a request for a run that is not there, or that is another's: which of both, nobody learns. */
export function noSuchRun(): ServiceError {
  return new ServiceError("not_found", "there is no run of this id");
}

/** The error of a run that was accepted, but whose end this server does not get to see. */
function unfinished(closing: AbortSignal): ServiceError {
  return closing.aborted
    ? new ServiceError("shutting_down", "the server stops before the run has ended; send the request again")
    : new ServiceError("unavailable", "the run's result is not there any more; send the request again");
}

/** Takes the body out of the request, so that a long wait does not keep it. */
function takeBody(request: FastifyRequest<{ Body: z.infer<typeof RUN_REQUEST> }>): z.infer<typeof RUN_REQUEST> {
  const { body } = request;
  Object.assign(request, { body: undefined });
  return body;
}

const REFUSALS = [
  "invalid_request",
  "unknown_language",
  "unauthorized",
  "request_timeout",
  "idempotency_conflict",
  "program_too_large",
  "unsupported_media_type",
  "rate_limited",
  "queue_full",
  "language_unavailable",
  "shutting_down",
  "unavailable",
  "internal",
] as const;

/** `POST /api/run/sync` and `POST /api/run`. */
export function createRoutes(app: App, context: ApiContext): void {
  const { backend, closing } = context;

  async function cancelAbandoned(request: FastifyRequest, id: RunId): Promise<void> {
    try {
      await backend.cancel(id, request.tenant);
    } catch (error) {
      request.log.error({ err: error, run: id }, "the run of a client that went could not be cancelled");
    }
  }

  app.post(
    "/api/run/sync",
    {
      schema: {
        summary: "Run a program and wait for its result",
        description:
          "Answers 200 whatever becomes of the program: status says it. Going away cancels the run, unless it has an Idempotency-Key.",
        tags: ["runs"],
        headers: IDEMPOTENCY,
        body: SYNC_RUN_REQUEST,
        response: { 200: RESULT, ...errorResponses(REFUSALS) },
      },
    },
    async (request, reply) => {
      const { tenant, headers } = request;
      const gone = clientGone(reply);
      const run = await acceptRun(context, takeBody(request), { tenant, headers, later: false });
      const { id, durable } = run;
      if (gone.aborted && !durable) return abandon(reply);
      await backend.submit(run);
      using _ = allowSilence(request);
      const result = await backend.result(id, tenant, gone);
      if (result !== undefined) return sendResult(reply, result);
      if (!gone.aborted) throw unfinished(closing);
      if (!durable) await cancelAbandoned(request, id);
      return abandon(reply);
    },
  );

  app.post(
    "/api/run",
    {
      handlerTimeout: REQUEST_TIMEOUT_MS + HANDLER_TIMEOUT_MS,
      schema: {
        summary: "Accept a program and run it later",
        tags: ["runs"],
        headers: IDEMPOTENCY,
        body: RUN_REQUEST,
        response: { 202: RESULT_OR_PENDING, ...errorResponses(REFUSALS) },
      },
    },
    async (request, reply) => {
      const { tenant, headers } = request;
      const run = await acceptRun(context, takeBody(request), { tenant, headers, later: true });
      await backend.submit(run);
      reply.code(202).header("location", `/api/result/${run.id}`);
      return await sendState(context, request, reply, run.id);
    },
  );
}

async function sendState(
  { backend }: ApiContext,
  request: FastifyRequest,
  reply: FastifyReply,
  id: RunId,
): Promise<FastifyReply> {
  const state = await backend.get(id, request.tenant);
  if (state === undefined) throw noSuchRun();
  return state.state === "finished" ? sendResult(reply, state.result) : reply.send(renderState(state));
}

/** `DELETE /api/run/{id}` */
export function cancelRoute(app: App, context: ApiContext): void {
  app.delete(
    "/api/run/:id",
    {
      handlerTimeout: HANDLER_TIMEOUT_MS,
      schema: {
        summary: "Cancel a run",
        description: "A run that has ended stays as it is, and the answer is its result.",
        tags: ["runs"],
        params: RUN_PARAMS,
        response: {
          200: RESULT_OR_PENDING,
          ...errorResponses(["unauthorized", "not_found", "shutting_down", "internal"]),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      if (!isRunId(id) || !(await context.backend.cancel(id, request.tenant))) throw noSuchRun();
      return await sendState(context, request, reply, id);
    },
  );
}
