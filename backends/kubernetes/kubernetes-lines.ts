import { Buffer } from "node:buffer";
import type { Readable } from "node:stream";

import { KubernetesError } from "./kubernetes-error.ts";

/**
 * The lines of a stream, each of `maxBytes` at most; throws `KubernetesError` when it breaks. What follows the last newline
 * is no line.
 */
export async function* readLines(body: Readable, maxBytes: number): AsyncGenerator<string> {
  const chunks: AsyncIterator<Buffer> = body[Symbol.asyncIterator]();
  let parts: Buffer[] = [];
  let bytes = 0;
  try {
    for (;;) {
      const chunk = await nextChunk(chunks);
      if (chunk === undefined) return;
      let start = 0;
      for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
        parts.push(chunk.subarray(start, end));
        yield Buffer.concat(parts).toString("utf8");
        parts = [];
        bytes = 0;
        start = end + 1;
      }
      parts.push(chunk.subarray(start));
      bytes += chunk.length - start;
      if (bytes > maxBytes) throw new KubernetesError(0, "", `a line is longer than ${maxBytes} bytes`);
    }
  } finally {
    body.destroy();
  }
}

async function nextChunk(chunks: AsyncIterator<Buffer>): Promise<Buffer | undefined> {
  try {
    const step = await chunks.next();
    return step.done === true ? undefined : step.value;
  } catch (error) {
    throw KubernetesError.unreachable(error);
  }
}
