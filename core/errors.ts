/** Every way in which a request can be refused or the service can fail it; `api/errors.ts` gives each its HTTP status. */
export type ErrorCode =
  | "invalid_request"
  | "unknown_language"
  | "language_unavailable"
  | "program_too_large"
  | "unsupported_media_type"
  | "unauthorized"
  | "forbidden"
  | "not_found"
  | "upgrade_required"
  | "method_not_allowed"
  | "idempotency_conflict"
  | "rate_limited"
  | "queue_full"
  | "request_timeout"
  | "shutting_down"
  | "unavailable"
  | "internal";

export interface ErrorDetails {
  /** Path of the offending field in the request, as in `files[1].name`. */
  field?: string;
  /** What would have been accepted. */
  allowed?: string | number | readonly string[];
  /** Seconds after which trying again makes sense; becomes the `Retry-After` header. */
  retry_after_seconds?: number;
}

/** A refusal or failure with a code that a program can act on and a message that a person can. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.details = details;
  }
}

/** Why the server can't start, for the person who starts it: the message is one line that says what to change. */
export class StartError extends Error {
  override readonly name = "StartError";
}

/** The same idempotency key came with another request before. */
export function idempotencyConflict(): ServiceError {
  return new ServiceError(
    "idempotency_conflict",
    "Idempotency-Key: the key was used before for a different request; use a new key, or send the same request",
    { field: "Idempotency-Key" },
  );
}

/** Something is said to a run that does not listen. */
export function notInteractive(): ServiceError {
  return new ServiceError("invalid_request", "id: the run was not started as an interactive one", { field: "id" });
}

/** The request's field `field` can't be accepted: `message` says what is wrong and what is allowed. */
export function invalid(field: string, message: string, allowed?: ErrorDetails["allowed"]): ServiceError {
  return new ServiceError("invalid_request", `${field}: ${message}`, {
    field,
    ...(allowed === undefined ? {} : { allowed }),
  });
}
