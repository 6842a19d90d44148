import { z } from "zod";

const id = z.string().regex(/^r[a-z2-7]{31}$/);
const time = z.iso.datetime();
const encoding = z.enum(["utf8", "base64"]);
const count = z.int().nonnegative();

const streams = {
  stdout: z.string(),
  stdout_encoding: encoding,
  stderr: z.string(),
  stderr_encoding: encoding,
  exit_code: z.int().nullable(),
};

const usage = {
  exit_code: z.int().nullable(),
  signal: z
    .string()
    .regex(/^SIG[A-Z0-9+]+$/)
    .nullable(),
  wall_ms: count,
  cpu_ms: count.nullable(),
  memory_bytes: count.nullable(),
  limit: z.enum(["wall", "idle", "cpu", "memory", "processes", "output", "file_size", "inodes"]).nullable(),
  truncated: z.boolean(),
  stdout_truncated: z.boolean(),
  stderr_truncated: z.boolean(),
};

const STAGE = z.strictObject({ ...streams, ...usage });

/** Of a compile stage that may not have been executed again. */
const cached = z.literal(true).optional();
const COMPILE_STAGE = STAGE.extend({ cached });

/** How a run ends, or one of its tests, that does not end as it should. */
const badEnds = [
  "failed",
  "compile_failed",
  "signaled",
  "time_limit",
  "cpu_limit",
  "memory_limit",
  "output_limit",
  "process_limit",
  "cancelled",
  "lost",
] as const;

const testStatus = z.enum(["accepted", "wrong_answer", "checker_failed", "skipped", ...badEnds]);
const TEST = z.strictObject({ index: count, status: testStatus, ...streams, ...usage });

const identity = { id, language: z.string(), version: z.string().nullable() };

/** What is said of a run that has not ended. */
export const STATE = z.strictObject({
  ...identity,
  status: z.enum(["queued", "running"]),
  created_at: time,
  started_at: time.nullable(),
});
export type State = z.infer<typeof STATE>;

/** What is said of a run that has. */
export const RESULT = z.strictObject({
  ...identity,
  status: z.enum(["succeeded", ...badEnds]),
  reason: z.string().nullable(),
  compile: COMPILE_STAGE.nullable(),
  run: STAGE.nullable(),
  tests: z.array(TEST).optional(),
  verdict: testStatus.optional(),
  artifacts: z
    .array(
      z.union([
        z.strictObject({
          name: z.string(),
          size_bytes: count,
          content: z.base64(),
          encoding: z.literal("base64"),
          truncated: z.literal(false),
        }),
        z.strictObject({ name: z.string(), size_bytes: count, truncated: z.literal(true) }),
      ]),
    )
    .optional(),
  artifacts_omitted: count.optional(),
  created_at: time,
  started_at: time.nullable(),
  finished_at: time,
  ...streams,
});
export type Result = z.infer<typeof RESULT>;

export const ERROR = z.strictObject({
  error: z.strictObject({
    code: z.string().regex(/^[a-z_]+$/),
    message: z.string().min(1),
    details: z
      .strictObject({
        field: z.string().optional(),
        allowed: z.union([z.string(), z.number(), z.array(z.string())]).optional(),
        retry_after_seconds: z.number().optional(),
      })
      .optional(),
  }),
});
export type ErrorBody = z.infer<typeof ERROR>;

export const LIMIT_NAMES = [
  "wall_ms",
  "cpu_ms",
  "memory_bytes",
  "cpu_millicores",
  "processes",
  "open_files",
  "file_bytes",
  "work_bytes",
  "work_inodes",
  "output_bytes",
  "compile_wall_ms",
  "compile_cpu_ms",
  "compile_memory_bytes",
] as const;

const limits = z.record(z.enum(LIMIT_NAMES), z.int().positive());

export const LANGUAGES = z.array(
  z.strictObject({
    name: z.string(),
    aliases: z.array(z.string()),
    version: z.string().nullable(),
    available: z.boolean(),
    reason: z.string().optional(),
    limits: z.strictObject({ default: limits, maximum: limits }),
  }),
);

export const HEALTH = z.discriminatedUnion("status", [
  z.strictObject({ status: z.literal("ready"), problems: z.tuple([]) }),
  z.strictObject({ status: z.literal("degraded"), problems: z.array(z.string().min(1)).min(1) }),
  z.strictObject({ status: z.literal("unavailable"), problems: z.array(z.string().min(1)).min(1) }),
]);

const stage = z.enum(["compile", "run"]);

/** The data of each kind of event. */
export const EVENTS = {
  stage_started: z.strictObject({ stage }),
  output: z.strictObject({ stage, stream: z.enum(["stdout", "stderr"]), data: z.string(), encoding }),
  stage_ended: z.strictObject({ stage, ...usage, cached }),
  test: TEST,
  finished: z.strictObject({ result: RESULT }),
};
