import type { IncomingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import { MIMEType } from "node:util";

import { ServiceError } from "../core/errors.ts";
import { parseJson } from "./json.ts";

function isJson(contentType: string | undefined): boolean {
  if (contentType === undefined) return false;
  if (contentType === "application/json") return true; // As most say it.
  try {
    const type = new MIMEType(contentType);
    const charset = type.params.get("charset");
    return type.essence === "application/json" && (charset === null || charset.toLowerCase() === "utf-8");
  } catch {
    return false;
  }
}

/** Throws `unsupported_media_type` unless the body is announced as plain UTF-8 JSON. */
export function checkContentType(headers: IncomingHttpHeaders): void {
  const encoding = headers["content-encoding"];
  if (encoding !== undefined && encoding.trim().toLowerCase() !== "identity") {
    throw new ServiceError("unsupported_media_type", "content-encoding: compressed bodies are not accepted", {
      field: "content-encoding",
      allowed: "identity",
    });
  }
  if (!isJson(headers["content-type"])) {
    throw new ServiceError("unsupported_media_type", "content-type: application/json is wanted, in UTF-8", {
      field: "content-type",
      allowed: "application/json",
    });
  }
}

/**
 * Reads and parses the bodies of requests. All that are being received at one time share `budgetBytes` of memory, so
 * that many large uploads at once are refused rather than end the process.
 */
export class BodyReader {
  readonly #limitBytes: number;
  readonly #budgetBytes: number;
  #heldBytes = 0;

  constructor(limitBytes: number, budgetBytes: number) {
    this.#limitBytes = limitBytes;
    this.#budgetBytes = budgetBytes;
  }

  /**
   * Throws `program_too_large` and `queue_full`, and what `parseJson` throws. The rest of a body that is refused is
   * read and thrown away, because a client that is cut off while it sends does not get to see the answer.
   */
  async read(payload: Readable, headers: IncomingHttpHeaders): Promise<unknown> {
    if (Number(headers["content-length"] ?? 0) > this.#limitBytes) throw this.#tooLarge();
    const received = Promise.withResolvers<void>();
    const chunks: Buffer[] = [];
    let bytes = 0;
    const refuse = (error: ServiceError): void => {
      payload.off("data", take).resume();
      received.reject(error);
    };
    const take = (chunk: Buffer): void => {
      chunks.push(chunk);
      bytes += chunk.length;
      this.#heldBytes += chunk.length;
      if (bytes > this.#limitBytes) refuse(this.#tooLarge());
      else if (this.#heldBytes > this.#budgetBytes) {
        refuse(new ServiceError("queue_full", "body: too many large requests are arriving at once"));
      }
    };
    // By its events: to iterate over a stream takes several turns for a body that is there already.
    payload.on("data", take);
    payload.once("end", () => received.resolve());
    payload.on("error", (cause) => received.reject(cutOff(cause)));
    payload.once("close", () => {
      // To make an error takes longer than all of the above.
      if (!payload.readableEnded) received.reject(cutOff());
    });
    try {
      await received.promise;
      return parseJson(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, bytes));
    } finally {
      this.#heldBytes -= bytes;
      // The request, which lasts as long as its run, still has the listeners above.
      chunks.length = 0;
    }
  }

  #tooLarge(): ServiceError {
    return new ServiceError("program_too_large", `body: has more than the ${this.#limitBytes} bytes that are allowed`, {
      field: "body",
      allowed: this.#limitBytes,
    });
  }
}

function cutOff(cause?: Error): ServiceError {
  return new ServiceError("invalid_request", "body: ended before it was whole", { field: "body" }, { cause });
}
