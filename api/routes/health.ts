import type { ApiContext, App } from "../context.ts";
import { errorResponses } from "../openapi.ts";
import { HEALTH, READINESS } from "../schemas.ts";
import { HANDLER_TIMEOUT_MS } from "../timeouts.ts";

/** `GET /healthz` and `GET /readyz` */
export function healthRoutes(app: App, { backend, availability }: ApiContext): void {
  app.get(
    "/healthz",
    {
      schema: {
        summary: "Whether the server is alive",
        tags: ["operation"],
        security: [],
        response: { 200: HEALTH },
      },
    },
    async () => ({ status: "ok" as const }),
  );

  app.get(
    "/readyz",
    {
      handlerTimeout: HANDLER_TIMEOUT_MS,
      schema: {
        summary: "Whether the server can run programs",
        description: "degraded: it can, but something is missing, which problems names.",
        tags: ["operation"],
        security: [],
        response: { 200: READINESS, 503: READINESS, ...errorResponses(["internal"]) },
      },
    },
    async (_request, reply) => {
      const { ready, problems: found } = await backend.health();
      const problems = availability.probing ? [...found, "languages are being probed"] : found;
      if (!ready) return reply.code(503).send({ status: "unavailable", problems });
      return reply.send({ status: problems.length === 0 ? "ready" : "degraded", problems });
    },
  );
}
