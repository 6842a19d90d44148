import { z } from "zod";

import { MAX_ARTIFACTS, MAX_ARTIFACT_BYTES } from "../core/artifacts.ts";
import type { ErrorCode } from "../core/errors.ts";
import { LIMITS, LIMIT_NAMES } from "../core/limits.ts";
import type { LimitName } from "../core/limits.ts";
import { MAX_TESTS } from "../core/create-tests.ts";
import { STATUSES } from "../core/run.ts";
import type { FinalStatus } from "../core/run.ts";
import {
  BASE64,
  MAX_ARGUMENTS,
  MAX_FILES,
  MAX_FILE_NAME_BYTES,
  MAX_GLOBS,
  MAX_VARIABLES,
  RESERVED_VARIABLES,
  VARIABLE_NAME,
} from "../core/validators.ts";
import { HTTP_STATUS } from "./errors.ts";

/*
 * A string's `meta` tells clients, in the API's description, what core checks: core's own words name the field, and
 * say what is allowed.
 */

const SEGMENT = String.raw`(?!\.{1,2}(?:/|$))[^/\u0000-\u001f\u007f]+`;
const RESERVED = RESERVED_VARIABLES.map(({ source }) => source).join("|");
/** What becomes an argument or a variable of a process. */
const WITHOUT_NUL = { pattern: String.raw`^[^\u0000]*$` };
const GLOB = String.raw`(?:\*\*|(?!\.{1,2}(?:/|$))(?:(?!\*\*)[^/\u0000-\u001f\u007f])+)`;

const FILE = z
  .strictObject({
    name: z
      .string()
      .meta({ pattern: `^(?![-@])${SEGMENT}(?:/${SEGMENT})*$`, maxLength: MAX_FILE_NAME_BYTES })
      .describe("A plain path relative to the work folder"),
    content: z.string(),
    encoding: z
      .enum(["utf8", "base64"])
      .optional()
      .describe("How content stands for the file's bytes; utf8 unless said"),
  })
  .meta({
    id: "File",
    anyOf: [{ properties: { encoding: { const: "utf8" } } }, { properties: { content: { pattern: BASE64.source } } }],
  });

function limitFields<Field>(field: (name: LimitName) => Field): Record<LimitName, Field> {
  return Object.fromEntries(LIMIT_NAMES.map((name) => [name, field(name)])) as Record<LimitName, Field>;
}

/** The type alone is checked here: what is in bounds depends on the language, and `checkLimits` says so. */
const LIMIT_FIELDS = limitFields((name) => {
  const { minimum, description } = LIMITS[name];
  return z.number().optional().meta({ type: "integer", minimum, description });
});
const LIMITS_ASKED = z.strictObject(LIMIT_FIELDS).meta({ id: "LimitsAsked" });
const { wall_ms, cpu_ms, memory_bytes, open_files, file_bytes, output_bytes } = LIMIT_FIELDS;
const TEST_LIMITS_ASKED = z
  .strictObject({ wall_ms, cpu_ms, memory_bytes, open_files, file_bytes, output_bytes })
  .meta({ id: "TestLimitsAsked" });

const TEST = z
  .strictObject({
    stdin: z.string().optional().describe("In place of the run's"),
    expected_stdout: z.string().optional().describe("What is to be printed; without it, to end well is enough"),
    args: z
      .array(z.string().meta(WITHOUT_NUL))
      .optional()
      .meta({ maxItems: MAX_ARGUMENTS })
      .describe("In place of the run's"),
    limits: TEST_LIMITS_ASKED.optional().describe("In place of the run's; the others are those of all tests"),
  })
  .meta({ id: "Test" });

const CHECKER = [["language"], ["code"]];
const requiring = (...fields: string[][]) => fields.map((required) => ({ required }));

const COMPARISON = z
  .strictObject({
    mode: z
      .enum(["exact", "lines", "tokens", "float", "checker"])
      .describe(
        "lines leaves out white space at the ends of lines and empty lines at the end, tokens all white space; float is tokens with a tolerance for numbers",
      ),
    tolerance: z
      .number()
      .optional()
      .meta({ minimum: 0, maximum: 1 })
      .describe("float: how far a number may be off, absolutely or in proportion; 0.000001 unless said"),
    language: z.string().optional().describe("checker: its language"),
    code: z
      .string()
      .optional()
      .meta({ minLength: 1 })
      .describe(
        "checker: a program that finds the files input, expected and output in its work folder, and ends with exit code 0 for accepted or 1 for wrong_answer",
      ),
  })
  .meta({
    id: "Comparison",
    oneOf: [
      {
        properties: { mode: { enum: ["exact", "lines", "tokens"] } },
        not: { anyOf: requiring(["tolerance"], ...CHECKER) },
      },
      { properties: { mode: { const: "float" } }, not: { anyOf: requiring(...CHECKER) } },
      { properties: { mode: { const: "checker" } }, required: CHECKER.flat(), not: { required: ["tolerance"] } },
    ],
  });

const PROGRAM = z.strictObject({
  language: z.string().describe("A language's name or alias, as /api/languages lists them"),
  code: z.string().optional().meta({ minLength: 1 }).describe("The program, if it is one file; excludes files"),
  files: z
    .array(FILE)
    .optional()
    .meta({ minItems: 1, maxItems: MAX_FILES })
    .describe(`The program, if it is up to ${MAX_FILES} files; the first one is run`),
  stdin: z.string().optional(),
  args: z.array(z.string().meta(WITHOUT_NUL)).optional().meta({ maxItems: MAX_ARGUMENTS }),
  env: z
    .record(z.string().meta({ pattern: `(?!${RESERVED})${VARIABLE_NAME.source}` }), z.string().meta(WITHOUT_NUL))
    .optional()
    .meta({ maxProperties: MAX_VARIABLES })
    .describe("Environment variables, by name"),
  limits: LIMITS_ASKED.optional().describe("Bounds of this run, within the language's maximum"),
  tests: z
    .array(TEST)
    .optional()
    .meta({ minItems: 1, maxItems: MAX_TESTS })
    .describe(`Up to ${MAX_TESTS} tests: compiled once, each run in a process tree and a work folder of its own`),
  comparison: COMPARISON.optional().describe("How the tests' outputs are compared; lines unless said"),
  artifacts: z
    .array(z.string().meta({ pattern: `^${GLOB}(?:/${GLOB})*$`, maxLength: MAX_FILE_NAME_BYTES }))
    .optional()
    .meta({ minItems: 1, maxItems: MAX_GLOBS })
    .describe(
      `Up to ${MAX_GLOBS} globs of files that come back, relative to the work folder: * is any part of a name, ? one byte of it, ** any folders`,
    ),
  stop_on_failure: z.boolean().optional().describe("Skip the tests after the first one that is not accepted"),
  network: z
    .boolean()
    .optional()
    .describe("Whether the program may open connections to where the operator lets it; not unless said"),
  callback_url: z
    .string()
    .optional()
    .describe(
      "Who is told the result when the run has ended, by a POST that is signed: see Sandbox-Signature in the README",
    ),
});

const PROGRAM_RULES = {
  oneOf: [{ required: ["code"] }, { required: ["files"] }],
  dependentRequired: { comparison: ["tests"], stop_on_failure: ["tests"] },
  not: { required: ["tests", "artifacts"] },
  examples: [{ language: "python", code: "a, b = 1, 2\nprint(a + b)" }],
};

/** What a client sends to have a program run. Bounds on sizes and contents are checked in core. */
export const RUN_REQUEST = PROGRAM.meta({ id: "RunRequest", ...PROGRAM_RULES });

/** The same for a client that waits, whose description lacks the field that is refused there. */
export const SYNC_RUN_REQUEST = PROGRAM.meta({ id: "SyncRunRequest", ...PROGRAM_RULES });

const ENCODING = z.enum(["utf8", "base64"]).describe("utf8, or base64 where the bytes are not UTF-8");
const TIME = z.iso.datetime({ precision: 3 });
const COUNT = z.int().nonnegative();

const STAGE_USAGE = z.strictObject({
  exit_code: z.int().nullable(),
  signal: z.string().nullable().describe("The signal that ended the stage, such as SIGSEGV"),
  wall_ms: COUNT,
  cpu_ms: COUNT.nullable().describe("Null where the kernel shows no account of it"),
  memory_bytes: COUNT.nullable().describe(
    "The peak of all processes, or of the largest where the kernel keeps no account of all; null without either",
  ),
  limit: z
    .enum(["wall", "idle", "cpu", "memory", "processes", "output", "file_size", "inodes"])
    .nullable()
    .describe("The limit that ended the stage"),
  truncated: z.boolean().describe("Whether either stream was cut at output_bytes"),
  stdout_truncated: z.boolean(),
  stderr_truncated: z.boolean(),
  cached: z
    .literal(true)
    .optional()
    .describe(
      "Of a compile stage that was not executed again, since the same key had the same compiled before: all else is what was said and measured then",
    ),
});

const STREAMS = { stdout: z.string(), stdout_encoding: ENCODING, stderr: z.string(), stderr_encoding: ENCODING };

const STAGE = z.strictObject({ ...STREAMS, ...STAGE_USAGE.shape }).meta({ id: "Stage" });

const FINAL_STATUSES = STATUSES.filter((status): status is FinalStatus => status !== "queued" && status !== "running");

/** Those of runs, but that a test is accepted where a run succeeds. */
const TEST_STATUSES = [
  "accepted",
  "wrong_answer",
  "checker_failed",
  "skipped",
  ...FINAL_STATUSES.filter((status): status is Exclude<FinalStatus, "succeeded"> => status !== "succeeded"),
] as const;

const IDENTITY = {
  id: z.string(),
  language: z.string().describe("The language's name"),
  version: z.string().nullable().describe("The version of its toolchain"),
};

const ARTIFACT = z
  .strictObject({
    name: z.string().describe("Relative to the work folder"),
    size_bytes: COUNT,
    content: z.string().optional(),
    encoding: z.literal("base64").optional(),
    truncated: z.boolean().describe("Whether the content is left out"),
  })
  .meta({ id: "Artifact" });

const STATUS_OF_TEST = z.enum(TEST_STATUSES);

const TEST_RESULT = z
  .strictObject({
    index: COUNT.describe("Counts from 0, as in the request"),
    status: STATUS_OF_TEST,
    ...STREAMS,
    ...STAGE_USAGE.shape,
  })
  .meta({ id: "TestResult" });

/** A run that has ended. */
export const RESULT = z
  .strictObject({
    ...IDENTITY,
    status: z.enum(FINAL_STATUSES),
    reason: z.string().nullable().describe("Why a run was lost, or its checker failed"),
    ...STREAMS,
    exit_code: z
      .int()
      .nullable()
      .describe("With stdout and stderr: of the run stage, or of the compile stage if it was the last"),
    compile: STAGE.nullable(),
    run: STAGE.nullable(),
    tests: z.array(TEST_RESULT).optional().describe("Of a run with tests, in their order; run is then null"),
    artifacts: z
      .array(ARTIFACT)
      .optional()
      .describe(
        `Of a run that asked for them, by name: the first ${MAX_ARTIFACTS} with content, as far as ${MAX_ARTIFACT_BYTES} bytes go`,
      ),
    artifacts_omitted: COUNT.optional().describe("How many more files matched that are not named"),
    verdict: STATUS_OF_TEST.optional().describe("Of a run with tests: accepted, or the first that is not"),
    created_at: TIME,
    started_at: TIME.nullable(),
    finished_at: TIME,
  })
  .meta({ id: "Result" });

/** A run that has not ended. */
export const PENDING = z
  .strictObject({
    ...IDENTITY,
    status: z.enum(["queued", "running"]),
    created_at: TIME,
    started_at: TIME.nullable(),
  })
  .meta({ id: "Pending" });

export const RESULT_OR_PENDING = z.union([RESULT, PENDING]);

/** The data of each server-sent event, by the event's name. */
export const EVENT_DATA = {
  stage_started: z.strictObject({ stage: z.enum(["compile", "run"]) }),
  output: z.strictObject({
    stage: z.enum(["compile", "run"]),
    stream: z.enum(["stdout", "stderr"]),
    data: z.string(),
    encoding: ENCODING,
  }),
  stage_ended: z.strictObject({ stage: z.enum(["compile", "run"]), ...STAGE_USAGE.shape }),
  test: TEST_RESULT,
  finished: z.strictObject({ result: RESULT }),
} as const;

const EVENT_NAMES = Object.keys(EVENT_DATA) as (keyof typeof EVENT_DATA)[];

/** One server-sent event, as its stream is described: OpenAPI 3.1 has no words for the whole of it. */
export const EVENT = z
  .strictObject({
    id: z.string().regex(/^\d+$/),
    event: z.enum(EVENT_NAMES),
    data: z.string().meta({ contentMediaType: "application/json" }),
  })
  .meta({ id: "Event" });

const BOUNDS = z.strictObject(limitFields((name) => COUNT.describe(LIMITS[name].description))).meta({ id: "Limits" });

export const LANGUAGES = z.array(
  z
    .strictObject({
      name: z.string(),
      aliases: z.array(z.string()),
      version: z.string().nullable(),
      available: z.boolean(),
      reason: z.string().optional().describe("Why it is not available, and how to get it"),
      limits: z.strictObject({ default: BOUNDS, maximum: BOUNDS }),
    })
    .meta({ id: "Language" }),
);

export const HEALTH = z.strictObject({ status: z.literal("ok") });

export const READINESS = z
  .strictObject({ status: z.enum(["ready", "degraded", "unavailable"]), problems: z.array(z.string()) })
  .meta({ id: "Readiness" });

const ERROR_CODES = Object.keys(HTTP_STATUS) as ErrorCode[];

export const ERROR = z
  .strictObject({
    error: z.strictObject({
      code: z.enum(ERROR_CODES),
      message: z.string(),
      details: z
        .strictObject({
          field: z.string().optional().describe("Path of the offending field, as in files[1].name"),
          allowed: z
            .union([z.string(), z.number(), z.array(z.string())])
            .optional()
            .describe("What would have been accepted"),
          retry_after_seconds: z.int().positive().optional(),
        })
        .optional(),
    }),
  })
  .meta({ id: "Error" });

/** The longest that one request for a result waits, in milliseconds. */
const MAX_WAIT_MS = 60_000;

export const WAIT = z.strictObject({
  wait_ms: z
    .string()
    .regex(/^\d{1,9}$/, `an integer from 0 to ${MAX_WAIT_MS} is allowed`)
    .transform(Number)
    .refine((milliseconds) => milliseconds <= MAX_WAIT_MS, `an integer from 0 to ${MAX_WAIT_MS} is allowed`)
    .optional()
    .meta({ type: "integer", minimum: 0, maximum: MAX_WAIT_MS })
    .describe("How long to wait for the run's end, in milliseconds"),
});

export const ARTIFACT_PARAMS = z.strictObject({
  id: z.string().describe("The run's id"),
  name: z.string().describe("The artifact's name, each / in it as %2F"),
});

export const RUN_PARAMS = z.strictObject({ id: z.string().describe("The run's id") });
