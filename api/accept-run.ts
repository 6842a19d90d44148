import type { IncomingHttpHeaders } from "node:http";

import { createRun } from "../core/create-run.ts";
import { ServiceError, invalid } from "../core/errors.ts";
import type { Language } from "../core/languages.ts";
import { boundsFor } from "../core/limits.ts";
import type { Run, Tenant } from "../core/run.ts";
import type { RunRequest } from "../core/validators.ts";
import type { ApiContext } from "./context.ts";

export const IDEMPOTENCY_KEY = /^[ -~]{1,255}$/;

/** The value of `Idempotency-Key`: 1 to 255 characters of printable ASCII. Throws `invalid_request`. */
function idempotencyKey(headers: IncomingHttpHeaders): string | undefined {
  const key = headers["idempotency-key"];
  if (key === undefined) return undefined;
  if (typeof key === "string" && IDEMPOTENCY_KEY.test(key)) return key;
  throw invalid("Idempotency-Key", "1 to 255 characters of printable ASCII are allowed");
}

export interface RunOrder {
  tenant: Tenant;
  headers: IncomingHttpHeaders;
  /** Whether the client asks for the result later. With an `Idempotency-Key` it says that it may. */
  later: boolean;
}

/** The language that `field` names, once it is known to be there. Throws `unknown_language` and `language_unavailable`. */
async function findLanguage(
  { registry, availability }: ApiContext,
  name: string,
  field: string,
): Promise<{ language: Language; version: string | null }> {
  const language = registry.find(name);
  if (language === undefined) {
    throw new ServiceError(
      "unknown_language",
      `${field}: ${JSON.stringify(name.slice(0, 64))} is not known; known are ${registry.names.join(", ")}`,
      { field, allowed: registry.names },
    );
  }
  const found = await availability.forRun(language);
  if (!found.available) {
    throw new ServiceError(
      "language_unavailable",
      `${field}: ${language.name} is not available here: ${found.reason}`,
      { field },
    );
  }
  return { language, version: found.version };
}

/**
 * Makes a request a run; waits until it is known whether its language is there. Throws `unknown_language`,
 * `language_unavailable`, `program_too_large`, and `invalid_request` for the first field that is wrong.
 */
export async function acceptRun(context: ApiContext, request: RunRequest, order: RunOrder): Promise<Run> {
  const { settings } = context;
  const { language, version } = await findLanguage(context, request.language, "language");
  const checker = request.comparison?.language;
  if (checker !== undefined) await findLanguage(context, checker, "comparison.language");
  const key = idempotencyKey(order.headers);
  const bounds = boundsFor(settings.limits, language.limits);
  return createRun(request, language, bounds, settings, {
    tenant: order.tenant,
    durable: order.later || key !== undefined,
    idempotencyKey: key,
    version,
  });
}
