import type { IncomingHttpHeaders } from "node:http";

import { createRun } from "../core/create-run.ts";
import { ServiceError, invalid } from "../core/errors.ts";
import { boundsFor } from "../core/limits.ts";
import type { Run, Tenant } from "../core/run.ts";
import type { RunRequest } from "../core/validators.ts";
import type { ApiContext } from "./context.ts";

/** The value of `Idempotency-Key`: 1 to 255 characters of printable ASCII. Throws `invalid_request`. */
function idempotencyKey(headers: IncomingHttpHeaders): string | undefined {
  const key = headers["idempotency-key"];
  if (key === undefined) return undefined;
  if (typeof key === "string" && /^[ -~]{1,255}$/.test(key)) return key;
  throw invalid("Idempotency-Key", "1 to 255 characters of printable ASCII are allowed");
}

export interface RunOrder {
  tenant: Tenant;
  headers: IncomingHttpHeaders;
  /** Whether the client asks for the result later. With an `Idempotency-Key` it says that it may. */
  later: boolean;
}

/**
 * Makes a request a run; waits until it is known whether its language is there. Throws `unknown_language`,
 * `language_unavailable`, `program_too_large`, and `invalid_request` for the first field that is wrong.
 */
export async function acceptRun(context: ApiContext, request: RunRequest, order: RunOrder): Promise<Run> {
  const { registry, availability, settings } = context;
  const language = registry.find(request.language);
  if (language === undefined) {
    const asked = JSON.stringify(request.language.slice(0, 64));
    throw new ServiceError(
      "unknown_language",
      `language: ${asked} is not known; known are ${registry.names.join(", ")}`,
      {
        field: "language",
        allowed: registry.names,
      },
    );
  }
  const found = await availability.forRun(language);
  if (!found.available) {
    throw new ServiceError(
      "language_unavailable",
      `language: ${language.name} is not available here: ${found.reason}`,
      {
        field: "language",
      },
    );
  }
  const key = idempotencyKey(order.headers);
  const bounds = boundsFor(settings.limits, language.limits);
  return createRun(request, language, bounds, settings, {
    tenant: order.tenant,
    durable: order.later || key !== undefined,
    idempotencyKey: key,
    version: found.version,
  });
}
