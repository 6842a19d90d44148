import { expect } from "vitest";

import { ServiceError } from "../../core/errors.ts";
import type { ErrorCode, ErrorDetails } from "../../core/errors.ts";

/** What `check` refuses with; undefined when it accepts. Any other exception is the test's failure. */
export function refusal(check: () => unknown): ServiceError | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof ServiceError) return error;
    throw error;
  }
}

/** Expects a refusal that names `field`, in its details and at the beginning of its message. */
export function expectRefusal(
  check: () => unknown,
  field: string,
  code: ErrorCode = "invalid_request",
  allowed?: ErrorDetails["allowed"],
): void {
  const error = refusal(check);
  expect(error).toMatchObject({ code, details: { field } });
  expect(error?.message.startsWith(`${field}: `)).toBe(true);
  if (allowed !== undefined) expect(error?.details.allowed).toEqual(allowed);
}
