import { Readable } from "node:stream";

import { FrameError, MAX_LINE_BYTES, parseFrame } from "../../core/frames.ts";
import type { Attachment } from "./kubernetes-attach.ts";
import { KubernetesError } from "./kubernetes-error.ts";
import { readLines } from "./kubernetes-lines.ts";
import type { LogLine } from "./kubernetes-log.ts";

/**
 * A run's frames as its runner writes them, which is some milliseconds before they are in the log. `ready` came before the
 * connection. Throws `KubernetesError` when the connection has not brought them all: the log has them.
 */
export async function* readAttached(
  attachment: Attachment,
  ready: LogLine,
  signal: AbortSignal,
): AsyncGenerator<LogLine> {
  const close = (): void => attachment.close();
  signal.addEventListener("abort", close, { once: true });
  try {
    yield ready;
    let next = 0;
    for await (const line of readLines(Readable.from(attachment.output), MAX_LINE_BYTES)) {
      const frame = parseFrame(line);
      if (frame.type === "ready") continue;
      if (frame.type === "fed") {
        yield { frame, line, at: new Date() };
        continue;
      }
      if (frame.seq !== next) break;
      next += 1;
      yield { frame, line, at: new Date() };
    }
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
  } finally {
    signal.removeEventListener("abort", close);
    attachment.close();
  }
  throw KubernetesError.unreachable(new Error("the connection to the container has not brought all"));
}
