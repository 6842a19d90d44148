import { z } from "zod";

import type { ApiContext, App } from "../context.ts";
import { errorResponses } from "../openapi.ts";
import { HANDLER_TIMEOUT_MS } from "../timeouts.ts";

/** `GET /metrics` */
export function metricsRoute(app: App, { backend, metrics }: ApiContext): void {
  app.get(
    "/metrics",
    {
      handlerTimeout: HANDLER_TIMEOUT_MS,
      schema: {
        summary: "Figures for Prometheus",
        tags: ["operation"],
        produces: ["text/plain"],
        response: { 200: z.string(), ...errorResponses(["unauthorized", "internal"]) },
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.render(backend.capacity())),
  );
}
