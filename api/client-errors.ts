import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";

import { ServiceError } from "../core/errors.ts";
import { answerTo } from "./errors.ts";

function refusalOf({ code }: NodeJS.ErrnoException): [status: number, error: ServiceError] {
  switch (code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return [408, new ServiceError("request_timeout", "the request took too long to arrive")];
    case "HPE_HEADER_OVERFLOW":
      return [431, new ServiceError("invalid_request", "the headers are too long")];
    default:
      return [400, new ServiceError("invalid_request", "this is not a valid HTTP request")];
  }
}

/**
 * Answers what Node's parser could not make a request of (https://nodejs.org/api/http.html#event-clienterror), or
 * not in time, and closes the connection: after such bytes nothing that follows can be trusted.
 */
export function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, refusal] = refusalOf(error);
  const { body } = answerTo(refusal);
  const text = JSON.stringify(body);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    "Content-Type: application/json; charset=utf-8",
    `Content-Length: ${Buffer.byteLength(text)}`,
    "X-Content-Type-Options: nosniff",
    "Connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${text}`, () => socket.destroy());
}
