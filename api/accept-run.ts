import type { IncomingHttpHeaders } from "node:http";

import { createRun } from "../core/create-run.ts";
import { ServiceError, invalid } from "../core/errors.ts";
import type { TerminalSize } from "../core/interaction.ts";
import type { Language } from "../core/languages.ts";
import type { LimitBounds } from "../core/limits.ts";
import type { Run, Tenant } from "../core/run.ts";
import type { RunRequest } from "../core/validators.ts";
import { checkCallbackUrl } from "./callbacks/callback-url.ts";
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
  /** That the run is spoken to while it runs, and the terminal that it has for that. */
  interactive?: { terminal: TerminalSize | undefined };
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

/** Somebody who types takes longer than a program that computes, without needing more of the processor. */
function withWallMs({ default: initial, maximum }: LimitBounds, wallMs: number): LimitBounds {
  return { default: { ...initial, wall_ms: wallMs }, maximum: { ...maximum, wall_ms: wallMs } };
}

/** Throws `invalid_request` for a `callback_url` that this server or this route does not take. */
function checkCallback({ settings }: ApiContext, url: string, later: boolean): void {
  const { callbacks } = settings;
  if (!later) {
    throw invalid("callback_url", "is for POST /api/run; the answer of POST /api/run/sync is the result itself");
  }
  if (callbacks === undefined) {
    throw invalid("callback_url", "is not allowed on this server, whose operator names no hosts in CALLBACK_HOSTS");
  }
  checkCallbackUrl(url, callbacks.origins);
}

/**
 * Makes a request a run; waits until it is known whether its language is there. Throws `unknown_language`,
 * `language_unavailable`, `program_too_large`, and `invalid_request` for the first field that is wrong.
 */
export async function acceptRun(context: ApiContext, request: RunRequest, order: RunOrder): Promise<Run> {
  const { settings } = context;
  if (request.network === true && !settings.allowNetwork) {
    throw invalid("network", "true is not allowed on this server, whose operator has not set ALLOW_NETWORK", ["false"]);
  }
  if (request.callback_url !== undefined) checkCallback(context, request.callback_url, order.later);
  const { language, version } = await findLanguage(context, request.language, "language");
  const checker = request.comparison?.language;
  if (checker !== undefined) await findLanguage(context, checker, "comparison.language");
  const key = idempotencyKey(order.headers);
  const bounds = context.boundsOf(language);
  const { wallMs, idleMs } = settings.interactive;
  return createRun(request, language, order.interactive === undefined ? bounds : withWallMs(bounds, wallMs), settings, {
    tenant: order.tenant,
    durable: order.later || key !== undefined,
    idempotencyKey: key,
    version,
    interaction: order.interactive && { ...order.interactive, idleMs },
  });
}
