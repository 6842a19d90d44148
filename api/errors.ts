import { ServiceError } from "../core/errors.ts";
import type { ErrorCode, ErrorDetails } from "../core/errors.ts";

/** The HTTP status of every error that a client can meet. */
export const HTTP_STATUS: Record<ErrorCode, number> = {
  invalid_request: 400,
  unknown_language: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  idempotency_conflict: 409,
  program_too_large: 413,
  unsupported_media_type: 415,
  upgrade_required: 426,
  rate_limited: 429,
  queue_full: 429,
  internal: 500,
  language_unavailable: 503,
  shutting_down: 503,
  unavailable: 503,
};

/** Seconds after which trying again makes sense, where the error itself does not say. */
const RETRY_AFTER_SECONDS: Partial<Record<ErrorCode, number>> = {
  rate_limited: 60,
  queue_full: 1,
  shutting_down: 5,
  unavailable: 5,
};

export interface ErrorBody {
  error: { code: ErrorCode; message: string; details?: ErrorDetails };
}

export interface ErrorAnswer {
  status: number;
  headers: Record<string, string>;
  body: ErrorBody;
}

/** What Fastify itself refuses, in this service's words; all others are our failure. */
const FASTIFY_ERRORS: ReadonlyMap<string, readonly [ErrorCode, string]> = new Map([
  ["FST_ERR_CTP_BODY_TOO_LARGE", ["program_too_large", "the body is too large"]],
  ["FST_ERR_CTP_INVALID_MEDIA_TYPE", ["unsupported_media_type", "content-type: application/json is wanted"]],
  ["FST_ERR_CTP_INVALID_CONTENT_LENGTH", ["invalid_request", "content-length: is not the length of the body"]],
  ["FST_ERR_BAD_URL", ["invalid_request", "the path is not a valid URL"]],
  ["FST_ERR_MAX_PARAM_LENGTH", ["not_found", "there is nothing at this path"]],
  ["FST_ERR_HANDLER_TIMEOUT", ["unavailable", "the server is too busy to answer in time"]],
]);

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/** Any thrown value as an error of this service: what is not known to be the caller's fault is `internal`, with its cause. */
export function toServiceError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  const known = FASTIFY_ERRORS.get(codeOf(error));
  if (known !== undefined) return new ServiceError(known[0], known[1], {}, { cause: error });
  return new ServiceError("internal", "the server failed", {}, { cause: error });
}

/** A message may quote the name of a field; it stays one line, and nothing that a terminal obeys. */
function printable(message: string): string {
  return message.replaceAll(/[\p{Cc}\u2028\u2029]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** The answer to give for `error`. That of an internal failure says nothing of its cause. */
export function answerTo(error: ServiceError): ErrorAnswer {
  const status = HTTP_STATUS[error.code];
  const headers: Record<string, string> = {};
  const details: ErrorDetails = { ...error.details };
  const retryAfter = details.retry_after_seconds ?? RETRY_AFTER_SECONDS[error.code];
  if (retryAfter !== undefined) {
    details.retry_after_seconds = Math.max(1, Math.ceil(retryAfter));
    headers["retry-after"] = String(details.retry_after_seconds);
  }
  if (status === 426) headers["upgrade"] = "websocket";
  if (status === 401) headers["www-authenticate"] = "Bearer";
  if (status === 500) {
    return {
      status,
      headers,
      body: {
        error: { code: error.code, message: "the server failed; its log has the cause under the id in X-Request-Id" },
      },
    };
  }
  const body: ErrorBody = { error: { code: error.code, message: printable(error.message) } };
  if (Object.keys(details).length > 0) body.error.details = details;
  return { status, headers, body };
}
