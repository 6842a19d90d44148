import type { z } from "zod";

import type { Availability } from "../../core/backend.ts";
import type { Language } from "../../core/languages.ts";
import type { LimitBounds } from "../../core/limits.ts";
import type { ApiContext, App } from "../context.ts";
import { errorResponses } from "../openapi.ts";
import { LANGUAGES } from "../schemas.ts";
import { HANDLER_TIMEOUT_MS } from "../timeouts.ts";

function renderLanguage(
  language: Language,
  found: Availability,
  limits: LimitBounds,
): z.infer<typeof LANGUAGES>[number] {
  const { name, aliases } = language;
  if (found.available) return { name, aliases, version: found.version, available: true, limits };
  return { name, aliases, version: null, available: false, reason: found.reason, limits };
}

/** `GET /api/languages` */
export function languagesRoute(app: App, { availability, boundsOf }: ApiContext): void {
  app.get(
    "/api/languages",
    {
      handlerTimeout: HANDLER_TIMEOUT_MS,
      schema: {
        summary: "List the languages",
        description:
          "With their versions here and the limits of their runs; right after the start it waits until they are known.",
        tags: ["languages"],
        response: { 200: LANGUAGES, ...errorResponses(["unauthorized", "shutting_down", "unavailable", "internal"]) },
      },
    },
    async () => {
      const all = await availability.all();
      return Array.from(all, ([language, found]) => renderLanguage(language, found, boundsOf(language)));
    },
  );
}
