import fastifySwagger from "@fastify/swagger";
import { jsonSchemaTransform, jsonSchemaTransformObject } from "@fastify/type-provider-zod";
import { z } from "zod";

import type { ErrorCode } from "../core/errors.ts";
import { LIMITS, LIMIT_NAMES } from "../core/limits.ts";
import { MAX_CALLBACK_URL_CHARACTERS, callbackPattern } from "./callbacks/callback-url.ts";
import type { ApiContext, App } from "./context.ts";
import { HTTP_STATUS } from "./errors.ts";
import { ERROR } from "./schemas.ts";

/** The responses of a route that can end with one of `codes`. */
export function errorResponses(codes: readonly ErrorCode[]): Record<number, typeof ERROR> {
  return Object.fromEntries(codes.map((code) => [HTTP_STATUS[code], ERROR]));
}

const PROPERTIES = z.record(z.string(), z.looseObject({}));

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
  components: z.looseObject({ schemas: z.record(z.string(), z.looseObject({ properties: PROPERTIES.optional() })) }),
});
type Description = z.infer<typeof DESCRIPTION>;

/**
 * Gives each refusal the type that it has, whatever the route itself produces, and says which errors it stands for;
 * the library knows one type for all of a route's responses.
 */
function describeRefusals(description: Description): void {
  for (const methods of Object.values(description.paths)) {
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
}

/** The field for a callback as this server takes it; where it is refused, it is none of the description's. */
function describeCallbacks(
  id: string,
  properties: z.infer<typeof PROPERTIES>,
  callbacks: ApiContext["settings"]["callbacks"],
): void {
  if (callbacks === undefined || id.startsWith("Sync")) {
    delete properties["callback_url"];
    return;
  }
  const pattern = callbackPattern(callbacks.origins);
  Object.assign(properties["callback_url"] ?? {}, { pattern, maxLength: MAX_CALLBACK_URL_CHARACTERS });
}

/** Says what this server knows and allows, where the schemas are those of every server. */
function describeServer({ components }: Description, { registry, settings }: DescribedServer): void {
  for (const [id, { properties }] of Object.entries(components.schemas)) {
    // The library describes what a client sends under another id than what it may get.
    if (/^(?:Sync)?RunRequest(?:Input)?$/.test(id)) {
      describeCallbacks(id, properties ?? {}, settings.callbacks);
      if (!settings.allowNetwork) Object.assign(properties?.["network"] ?? {}, { const: false });
    }
    if (/^(?:(?:Sync)?RunRequest|Comparison)(?:Input)?$/.test(id)) {
      Object.assign(properties?.["language"] ?? {}, {
        enum: registry.languages.flatMap(({ name, aliases }) => [name, ...aliases]),
      });
    }
    if (!/^(?:Test)?LimitsAsked(?:Input)?$/.test(id)) continue;
    for (const name of LIMIT_NAMES) {
      const maximum = settings.limits.maximum[name];
      Object.assign(properties?.[name] ?? {}, { minimum: Math.min(LIMITS[name].minimum, maximum), maximum });
    }
  }
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

export type DescribedServer = Pick<ApiContext, "registry" | "settings">;

/** The API in OpenAPI 3.1, as JSON. */
export function apiDescription(app: App, server: DescribedServer): string {
  const description = DESCRIPTION.parse(app.swagger());
  describeRefusals(description);
  describeServer(description, server);
  return JSON.stringify(description);
}
