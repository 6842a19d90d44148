import type { RunEvent } from "../core/run.ts";
import { jsonPieces } from "./json-pieces.ts";
import { renderEventData } from "./render.ts";

/** Often enough for proxies that end silent connections after half a minute. */
const HEARTBEAT_MS = 15_000;
/** What a client waits before it comes back after the connection was lost, in milliseconds. */
const RETRY_MS = 1000;

function* eventPieces(event: RunEvent): Generator<string> {
  yield `id: ${event.seq}\nevent: ${event.type}\ndata: `;
  yield* jsonPieces(renderEventData(event));
  yield "\n\n";
}

/** Resolves after one heartbeat's time, or with the next event if that comes first. */
async function nextOrSilence<Value>(next: Promise<Value>): Promise<Value | undefined> {
  const { promise: silence, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, HEARTBEAT_MS, undefined);
  try {
    return await Promise.race([next, silence]);
  } finally {
    clearTimeout(timer);
  }
}

/** A run's events as server-sent events, in pieces; a comment goes where nothing else has for a while. */
export async function* eventStream(events: AsyncIterator<RunEvent>): AsyncGenerator<string> {
  try {
    yield `retry: ${RETRY_MS}\n\n`;
    let next = events.next();
    for (;;) {
      const step = await nextOrSilence(next);
      if (step === undefined) {
        yield ": still there\n\n";
        continue;
      }
      if (step.done === true) return;
      yield* eventPieces(step.value);
      next = events.next();
    }
  } finally {
    await events.return?.();
  }
}
