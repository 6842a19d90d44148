import { isRunId } from "../../core/run.ts";
import type { ApiContext, App } from "../context.ts";
import { errorResponses } from "../openapi.ts";
import { renderState } from "../render.ts";
import { RESULT_OR_PENDING, RUN_PARAMS, WAIT } from "../schemas.ts";
import { sendResult } from "../send-result.ts";
import { allowSilence, clientGone, deadline } from "../waiting.ts";
import { noSuchRun } from "./run.ts";

/** `GET /api/result/{id}?wait_ms=` */
export function resultRoute(app: App, { backend, closing }: ApiContext): void {
  app.get(
    "/api/result/:id",
    {
      schema: {
        summary: "Read a run's state or result",
        description:
          "With wait_ms the answer comes when the run has ended, or with its state when the time has passed.",
        tags: ["runs"],
        params: RUN_PARAMS,
        querystring: WAIT,
        response: {
          200: RESULT_OR_PENDING,
          ...errorResponses(["invalid_request", "unauthorized", "not_found", "shutting_down", "internal"]),
        },
      },
    },
    async (request, reply) => {
      const { tenant, params } = request;
      const { id } = params;
      const waitMs = request.query.wait_ms ?? 0;
      let state = isRunId(id) ? await backend.get(id, tenant) : undefined;
      if (state !== undefined && state.state !== "finished" && waitMs > 0) {
        using _ = allowSilence(request);
        using limit = deadline(waitMs, clientGone(reply, closing));
        const result = await backend.result(id, tenant, limit.signal);
        state = result === undefined ? await backend.get(id, tenant) : { state: "finished", result };
      }
      if (state === undefined) throw noSuchRun();
      return state.state === "finished" ? sendResult(reply, state.result) : reply.send(renderState(state));
    },
  );
}
