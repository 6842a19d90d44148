import type { NumberedEvent, RunEvent } from "../answers.ts";

/**
 * Splits text that comes in pieces into lines. Looks at each character once, however long a line is: the result of a run is
 * one line of tens of megabytes.
 */
async function* linesOf(chunks: ReadableStream<string>): AsyncGenerator<string> {
  let begun: string[] = [];
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf("\n"); end !== -1; end = chunk.indexOf("\n", from)) {
      begun.push(chunk.slice(from, end));
      yield begun.join("");
      begun = [];
      from = end + 1;
    }
    if (from < chunk.length) begun.push(chunk.slice(from));
  }
}

/** Reads `text/event-stream` as this server writes it (one line of data an event) until it ends: https://html.spec.whatwg.org/#parsing-an-event-stream */
export async function* readEvents(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<NumberedEvent> {
  let id = "";
  let type = "";
  let data: string | undefined;
  for await (const line of linesOf(body.pipeThrough(new TextDecoderStream()))) {
    if (line.startsWith("id: ")) id = line.slice(4);
    else if (line.startsWith("event: ")) type = line.slice(7);
    else if (line.startsWith("data: ")) data = line.slice(6);
    else if (line === "" && data !== undefined) {
      yield { id, event: { type, data: JSON.parse(data) as unknown } as RunEvent };
      data = undefined;
    }
  }
}
