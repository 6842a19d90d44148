import { describe, expect, test } from "vitest";

import { answerTo, HTTP_STATUS, toServiceError } from "../../api/errors.ts";
import { ERROR } from "../../api/schemas.ts";
import { ServiceError } from "../../core/errors.ts";
import type { ErrorCode } from "../../core/errors.ts";

const EXPECTED: [ErrorCode, number][] = [
  ["invalid_request", 400],
  ["unknown_language", 400],
  ["unauthorized", 401],
  ["forbidden", 403],
  ["not_found", 404],
  ["method_not_allowed", 405],
  ["request_timeout", 408],
  ["idempotency_conflict", 409],
  ["program_too_large", 413],
  ["unsupported_media_type", 415],
  ["upgrade_required", 426],
  ["rate_limited", 429],
  ["queue_full", 429],
  ["internal", 500],
  ["language_unavailable", 503],
  ["shutting_down", 503],
  ["unavailable", 503],
];

test("every error has its status and the one form of body", () => {
  expect(HTTP_STATUS).toEqual(Object.fromEntries(EXPECTED));
  for (const [code, status] of EXPECTED) {
    const answer = answerTo(new ServiceError(code, "what is wrong", { field: "code", allowed: ["a"] }));
    expect(answer.status).toBe(status);
    expect(ERROR.parse(answer.body).error.code).toBe(code);
  }
});

test("those that pass say when to come back", () => {
  for (const code of ["rate_limited", "queue_full", "shutting_down", "unavailable"] as const) {
    const { headers, body } = answerTo(new ServiceError(code, "later"));
    expect(Number(headers["retry-after"])).toBeGreaterThan(0);
    expect(body.error.details?.retry_after_seconds).toBe(Number(headers["retry-after"]));
  }
  expect(
    answerTo(new ServiceError("rate_limited", "later", { retry_after_seconds: 12.3 })).headers["retry-after"],
  ).toBe("13");
  expect(answerTo(new ServiceError("queue_full", "later", { retry_after_seconds: 0 })).headers["retry-after"]).toBe(
    "1",
  );
  expect(answerTo(new ServiceError("not_found", "no")).headers).toEqual({});
});

test("a missing key is told how to come", () => {
  expect(answerTo(new ServiceError("unauthorized", "no")).headers["www-authenticate"]).toBe("Bearer");
});

test("our own failure tells nothing of its cause", () => {
  for (const thrown of [
    new Error("/var/lib/secret is full"),
    new ServiceError("internal", "table runs has no column secret", { field: "secret" }),
    Object.assign(new Error("secret"), { statusCode: 400 }),
    "secret",
    undefined,
    null,
    { code: "FST_ERR_BAD_URL", message: "secret" },
  ]) {
    const { status, body } = answerTo(toServiceError(thrown));
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain("secret");
  }
});

test("the cause of our own failure is kept for the log", () => {
  const cause = new Error("the disk is full");
  expect(toServiceError(cause).cause).toBe(cause);
});

test("a message is one line that no terminal obeys", () => {
  const { body } = answerTo(new ServiceError("invalid_request", "env.A\n\u001b[2J\u0085\u2028: is not a name"));
  expect(body.error.message).toBe(String.raw`env.A\u000a\u001b[2J\u0085\u2028: is not a name`);
});

describe("Fastify's own refusals are ours", () => {
  test.for([
    ["FST_ERR_CTP_BODY_TOO_LARGE", "program_too_large"],
    ["FST_ERR_CTP_INVALID_MEDIA_TYPE", "unsupported_media_type"],
    ["FST_ERR_CTP_INVALID_CONTENT_LENGTH", "invalid_request"],
    ["FST_ERR_BAD_URL", "invalid_request"],
    ["FST_ERR_MAX_PARAM_LENGTH", "not_found"],
    ["FST_ERR_HANDLER_TIMEOUT", "unavailable"],
    ["FST_ERR_ANYTHING_ELSE", "internal"],
  ] as const)("%s is %s", ([code, expected]) => {
    expect(toServiceError(Object.assign(new Error("its words"), { code })).code).toBe(expected);
  });
});
