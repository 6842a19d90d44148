import { z } from "zod";

import { EVENTS } from "./answers.ts";

const EVENT = z.discriminatedUnion("event", [
  z.strictObject({ id: z.int(), event: z.literal("stage_started"), data: EVENTS.stage_started }),
  z.strictObject({ id: z.int(), event: z.literal("output"), data: EVENTS.output }),
  z.strictObject({ id: z.int(), event: z.literal("stage_ended"), data: EVENTS.stage_ended }),
  z.strictObject({ id: z.int(), event: z.literal("test"), data: EVENTS.test }),
  z.strictObject({ id: z.int(), event: z.literal("finished"), data: EVENTS.finished }),
]);

/** One server-sent event of a run, with its data checked. */
export type ServerEvent = z.infer<typeof EVENT>;

function parseBlock(block: string): ServerEvent | undefined {
  const fields: Record<string, string> = {};
  for (const line of block.split("\n")) {
    // A line that begins with a colon is a comment, which keeps the connection alive.
    if (line.startsWith(":")) continue;
    const [, name = "", value = ""] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    fields[name] = value;
  }
  const { id, event, data } = fields;
  if (data === undefined) return undefined;
  return EVENT.parse({ id: Number(id), event, data: JSON.parse(data) });
}

/** Reads `text/event-stream` until the server ends it. */
export async function* readEvents(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<ServerEvent> {
  let pending = "";
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const blocks = (pending + text).split("\n\n");
    pending = blocks.pop() ?? "";
    for (const block of blocks) {
      const event = parseBlock(block);
      if (event !== undefined) yield event;
    }
  }
}

/** Everything that is still to come. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
