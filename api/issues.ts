import { z } from "zod";

import { invalid } from "../core/errors.ts";
import type { ErrorDetails, ServiceError } from "../core/errors.ts";

const MAX_PATH_CHARACTERS = 256;

function pathText(path: readonly PropertyKey[]): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else text += text === "" ? String(step) : `.${String(step)}`;
  }
  return text.length > MAX_PATH_CHARACTERS ? `${text.slice(0, MAX_PATH_CHARACTERS)}...` : text;
}

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  let value = data;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = Reflect.get(value, step);
  }
  return value;
}

function schemaAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): z.core.$ZodType | undefined {
  const inner = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
  const [step, ...rest] = path;
  if (step === undefined) return inner;
  if (inner instanceof z.ZodObject) {
    const member: unknown = Reflect.get(inner.shape, step);
    return member instanceof z.ZodType ? schemaAt(member, rest) : undefined;
  }
  return inner instanceof z.ZodArray ? schemaAt(inner.element, rest) : undefined;
}

/** How a JSON type reads in a sentence. */
const TYPES: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  boolean: "true or false",
  array: "an array",
  object: "an object",
  record: "an object",
};

function describe(issue: z.core.$ZodIssue, data: unknown): { problem: string; allowed?: ErrorDetails["allowed"] } {
  switch (issue.code) {
    case "invalid_type": {
      const allowed = TYPES[issue.expected] ?? issue.expected;
      const missing = valueAt(data, issue.path) === undefined;
      return { problem: missing ? `is missing; ${allowed} is wanted` : `${allowed} is wanted`, allowed };
    }
    case "invalid_value": {
      const allowed = issue.values.map(String);
      return { problem: `one of ${allowed.join(", ")} is wanted`, allowed };
    }
    default:
      return { problem: issue.message };
  }
}

/**
 * The first thing that is wrong with `data` as an `invalid_request`: it names the field by its path, and what is allowed.
 * `whole` is what a path that is empty stands for, as in `body`.
 */
export function refusal(error: z.core.$ZodError, schema: z.core.$ZodType, data: unknown, whole: string): ServiceError {
  // An unknown field is the most likely reason for a known one that seems to be missing.
  const issue = error.issues.find(({ code }) => code === "unrecognized_keys") ?? error.issues[0];
  if (issue === undefined) return invalid(whole, "is not valid");
  if (issue.code === "unrecognized_keys") {
    const parent = schemaAt(schema, issue.path);
    const allowed = parent instanceof z.ZodObject ? Object.keys(parent.shape) : [];
    return invalid(
      pathText([...issue.path, issue.keys[0] ?? ""]),
      `is not a known field; known are ${allowed.join(", ")}`,
      allowed,
    );
  }
  const { problem, allowed } = describe(issue, data);
  return invalid(pathText(issue.path) || whole, problem, allowed);
}
