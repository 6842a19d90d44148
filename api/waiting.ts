import type { FastifyReply, FastifyRequest } from "fastify";

/**
 * Aborted when the client goes before it has its answer, and when `closing` is. (`request.signal` is another thing: it
 * follows the incoming message, which Node closes as soon as a body was read. And what `AbortSignal.any` makes of a signal
 * that outlives the request is never freed.)
 */
export function clientGone(reply: FastifyReply, closing?: AbortSignal): AbortSignal {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  const { raw } = reply;
  if (raw.destroyed || closing?.aborted === true) abort();
  closing?.addEventListener("abort", abort);
  raw.once("close", () => {
    closing?.removeEventListener("abort", abort);
    if (!raw.writableFinished) abort();
  });
  return controller.signal;
}

/** Lets a connection stay silent until the returned value is disposed of; then the server's time-out counts again. */
export function allowSilence(request: FastifyRequest): Disposable {
  const { socket } = request.raw;
  const timeoutMs = socket.timeout ?? 0;
  socket.setTimeout(0);
  return { [Symbol.dispose]: () => void socket.setTimeout(timeoutMs) };
}

export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
}

/** Aborted after `milliseconds`, or when `gone` is. Disposing of it clears the timer. */
export function deadline(milliseconds: number, gone: AbortSignal): Deadline {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  const timer = setTimeout(abort, milliseconds);
  if (gone.aborted) abort();
  gone.addEventListener("abort", abort);
  return { signal: controller.signal, [Symbol.dispose]: () => clearTimeout(timer) };
}
