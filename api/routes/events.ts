import { Readable } from "node:stream";

import type { FastifyReply } from "fastify";
import { z } from "zod";

import { invalid } from "../../core/errors.ts";
import { isRunId } from "../../core/run.ts";
import type { RunEvent } from "../../core/run.ts";
import type { ApiContext, App } from "../context.ts";
import { eventStream } from "../event-stream.ts";
import { errorResponses } from "../openapi.ts";
import { EVENT, RUN_PARAMS } from "../schemas.ts";
import { clientGone } from "../waiting.ts";
import { noSuchRun } from "./run.ts";

const EVENT_ID = /^\d{1,15}$/;

/** The sequence number to begin with, from the last one that the client has. Throws `invalid_request`. */
function nextSeq(lastEventId: string | undefined): number {
  if (lastEventId === undefined) return 0;
  if (!EVENT_ID.test(lastEventId))
    throw invalid("Last-Event-ID", "the id of one of this run's events is wanted, an integer");
  return Number(lastEventId) + 1;
}

async function isEmpty(events: AsyncIterable<unknown>): Promise<boolean> {
  for await (const _ of events) return false;
  return true;
}

function sendNothing(reply: FastifyReply): FastifyReply {
  return reply.code(204).send();
}

function sendEvents(reply: FastifyReply, events: AsyncIterable<RunEvent>): FastifyReply {
  return reply
    .type("text/event-stream; charset=utf-8")
    .header("x-accel-buffering", "no")
    .send(Readable.from(eventStream(events[Symbol.asyncIterator]())));
}

/** `GET /api/result/{id}/events` */
export function eventsRoute(app: App, { backend, closing }: ApiContext): void {
  app.get(
    "/api/result/:id/events",
    {
      exposeHeadRoute: false,
      schema: {
        summary: "Follow a run",
        description:
          "Server-sent events (text/event-stream): first what has happened, then what happens, in order. The events are stage_started, output, stage_ended, test (of a run with tests, in place of the run stage's output and end) and finished; their ids count from 0 and are the same whenever they are read, so that Last-Event-ID resumes. Answers 204 when there is nothing after that one.",
        tags: ["runs"],
        produces: ["text/event-stream"],
        params: RUN_PARAMS,
        headers: z.object({
          "last-event-id": z
            .string()
            .optional()
            .meta({ pattern: EVENT_ID.source })
            .describe("The id of the last event that the client has"),
        }),
        response: {
          200: EVENT.describe("The events"),
          204: z.null().describe("There is nothing after the event that the client has"),
          ...errorResponses(["invalid_request", "unauthorized", "not_found", "shutting_down", "internal"]),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      if (!isRunId(id)) throw noSuchRun();
      const from = nextSeq(request.headers["last-event-id"]);
      const signal = clientGone(reply, closing);
      const state = await backend.get(id, request.tenant);
      if (state?.state === "finished" && from > 0) {
        // An EventSource comes back for ever after a stream that ends, unless this status tells it that there is no more.
        const rest = await backend.follow(id, request.tenant, from, signal);
        if (rest !== undefined && (await isEmpty(rest))) return sendNothing(reply);
      }
      const events = await backend.follow(id, request.tenant, from, signal);
      if (events === undefined) throw noSuchRun();
      return sendEvents(reply, events);
    },
  );
}
