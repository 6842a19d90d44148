import fastifySwagger from "@fastify/swagger";
import { jsonSchemaTransform, jsonSchemaTransformObject } from "@fastify/type-provider-zod";
import { z } from "zod";

import type { ErrorCode } from "../core/errors.ts";
import type { App } from "./context.ts";
import { HTTP_STATUS } from "./errors.ts";
import { ERROR } from "./schemas.ts";

/** The responses of a route that can end with one of `codes`. */
export function errorResponses(codes: readonly ErrorCode[]): Record<number, typeof ERROR> {
  return Object.fromEntries(codes.map((code) => [HTTP_STATUS[code], ERROR]));
}

/** What is read of the description in order to complete it. */
const DESCRIPTION = z.looseObject({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.looseObject({
        responses: z.record(
          z.string(),
          z.looseObject({ description: z.string(), content: z.record(z.string(), z.unknown()).optional() }),
        ),
      }),
    ),
  ),
});

/**
 * Gives each refusal the type that it has, whatever the route itself produces, and says which errors it stands for;
 * the library knows one type for all of a route's responses.
 */
function describeRefusals(description: unknown): z.infer<typeof DESCRIPTION> {
  const parsed = DESCRIPTION.parse(description);
  for (const methods of Object.values(parsed.paths)) {
    for (const { responses } of Object.values(methods)) {
      for (const [status, response] of Object.entries(responses)) {
        if (Number(status) < 400) continue;
        const codes = Object.entries(HTTP_STATUS).filter(([, one]) => one === Number(status));
        response.description = codes.map(([code]) => code).join(", ");
        const [content] = Object.values(response.content ?? {});
        response.content = { "application/json": content };
      }
    }
  }
  return parsed;
}

/** Collects the routes that are registered after it, for `apiDescription`. */
export async function collectRoutes(app: App, keys: boolean): Promise<void> {
  await app.register(fastifySwagger, {
    openapi: {
      openapi: "3.1.1",
      info: {
        title: "Sandbox API",
        version: "0.1.0",
        description: "Runs programs that nobody trusts, each in a fresh sandbox.",
      },
      servers: [{ url: "/" }],
      tags: [{ name: "runs" }, { name: "languages" }, { name: "operation" }],
      components: {
        securitySchemes: {
          bearer: { type: "http", scheme: "bearer" },
          api_key: { type: "apiKey", in: "header", name: "X-API-Key" },
        },
      },
      ...(keys ? { security: [{ bearer: [] }, { api_key: [] }] } : {}),
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
}

/** The API in OpenAPI 3.1, as JSON. */
export function apiDescription(app: App): string {
  return JSON.stringify(describeRefusals(app.swagger()));
}
