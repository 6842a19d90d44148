import { z } from "zod";

import { invalid } from "../core/errors.ts";
import { INTERACTIVE_SIGNALS } from "../core/interaction.ts";
import type { InteractiveInput, InteractiveSignal } from "../core/interaction.ts";
import type { RunEvent } from "../core/run.ts";
import { BASE64, wellFormed } from "../core/validators.ts";
import type { ServiceError } from "../core/errors.ts";
import { answerTo } from "./errors.ts";
import { refusal } from "./issues.ts";
import { parseJson } from "./json.ts";
import { renderEventData } from "./render.ts";
import { RUN_REQUEST } from "./schemas.ts";

/** A terminal wider or higher than this is no one's screen, and its lines would only cost memory. */
const MAX_TERMINAL_CELLS = 1000;
const CELLS = z.number().refine((cells) => Number.isInteger(cells) && cells >= 1 && cells <= MAX_TERMINAL_CELLS, {
  error: `an integer from 1 to ${MAX_TERMINAL_CELLS} is wanted`,
});
const SIZE = z.strictObject({ cols: CELLS, rows: CELLS });
const SEQUENCE = z.number().refine((sequence) => Number.isSafeInteger(sequence) && sequence >= 0, {
  error: "a sequence number is wanted, an integer from 0",
});
const SIGNALS = { INT: "SIGINT", TERM: "SIGTERM", KILL: "SIGKILL" } as const satisfies Record<
  string,
  InteractiveSignal
>;
if (Object.keys(SIGNALS).length !== Object.keys(INTERACTIVE_SIGNALS).length) throw new Error("a signal has no name");

const MESSAGES = {
  start: z.strictObject({
    type: z.literal("start"),
    request: RUN_REQUEST,
    tty: SIZE.optional(),
    api_key: z.string().optional(),
  }),
  attach: z.strictObject({
    type: z.literal("attach"),
    id: z.string(),
    from: SEQUENCE.optional(),
    api_key: z.string().optional(),
  }),
  stdin: z.strictObject({
    type: z.literal("stdin"),
    data: z.string(),
    encoding: z.enum(["utf8", "base64"]).optional(),
  }),
  end: z.strictObject({ type: z.literal("end") }),
  signal: z.strictObject({ type: z.literal("signal"), signal: z.enum(["INT", "TERM", "KILL"]) }),
  resize: z.strictObject({ type: z.literal("resize"), ...SIZE.shape }),
};

const TYPE = z.looseObject({ type: z.enum(["start", "attach", "stdin", "end", "signal", "resize"]) });

type Message = { [Name in keyof typeof MESSAGES]: z.infer<(typeof MESSAGES)[Name]> }[keyof typeof MESSAGES];
/** What a client may say first. */
export type Opening = Extract<Message, { type: "start" | "attach" }>;

/** A message as it came. Throws `invalid_request` that names the field, and `body` where it is none. */
export function parseMessage(bytes: Buffer, isBinary: boolean): Message {
  if (isBinary) throw invalid("body", "is binary; text is wanted, one JSON object a message");
  const data = parseJson(bytes);
  const type = TYPE.safeParse(data);
  if (!type.success) throw refusal(type.error, TYPE, data, "body");
  const schema = MESSAGES[type.data.type];
  const parsed = schema.safeParse(data);
  if (!parsed.success) throw refusal(parsed.error, schema, data, "body");
  return parsed.data;
}

/** What a message says to the program. Throws `invalid_request`. */
export function inputOf(message: Exclude<Message, Opening>): InteractiveInput {
  switch (message.type) {
    case "stdin": {
      const { data, encoding = "utf8" } = message;
      if (encoding === "base64" && !BASE64.test(data)) throw invalid("data", "is not base64");
      wellFormed(data, "data");
      return { type: "stdin", bytes: Buffer.from(data, encoding) };
    }
    case "end":
      return { type: "end" };
    case "signal":
      return { type: "signal", signal: SIGNALS[message.signal] };
    case "resize":
      return { type: "resize", size: { columns: message.cols, rows: message.rows } };
  }
}

/** An event as the client gets it. */
export function eventMessage(event: RunEvent): object {
  const sequence = event.seq;
  switch (event.type) {
    case "stage_started":
      return { type: "stage", sequence, state: "started", ...renderEventData(event) };
    case "stage_ended":
      return { type: "stage", sequence, state: "ended", ...renderEventData(event) };
    case "output":
    case "test":
    case "finished":
      return { type: event.type, sequence, ...renderEventData(event) };
  }
}

/** An error as the client gets it; as everywhere, that of an internal failure says nothing of its cause. */
export function errorMessage(error: ServiceError): object {
  return { type: "error", ...answerTo(error).body };
}
