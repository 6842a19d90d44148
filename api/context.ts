import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from "fastify";
import type { ZodTypeProvider } from "@fastify/type-provider-zod";

import type { Backend } from "../core/backend.ts";
import type { Language, LanguageRegistry } from "../core/languages.ts";
import type { LimitBounds } from "../core/limits.ts";
import type { Tenant } from "../core/run.ts";
import type { LanguageAvailability } from "./availability.ts";
import type { Metrics } from "./metrics.ts";
import type { Settings } from "./settings.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Whose request it is; set where a key is asked for. */
    tenant: Tenant;
  }
}

/** What the routes work with. */
export interface ApiContext {
  settings: Settings;
  backend: Backend;
  registry: LanguageRegistry;
  /** What limits each of the registry's languages has on this server. */
  boundsOf: (language: Language) => LimitBounds;
  availability: LanguageAvailability;
  metrics: Metrics;
  /** Aborted when the server begins to close: whoever waits for something that may take long gives up. */
  closing: AbortSignal;
}

export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;
