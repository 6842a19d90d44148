import { once } from "node:events";
import type { IncomingMessage } from "node:http";

import { WebSocket } from "ws";

import type { KubernetesClient } from "./kubernetes-client.ts";
import { KubernetesError } from "./kubernetes-error.ts";
import { CONTAINER } from "./kubernetes-names.ts";

/**
 * The first byte of a message is its channel; v5 adds only that a client can end one.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/, k8s.io/apimachinery/pkg/util/remotecommand/constants.go
 */
const PROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io"];
const CHANNELS = { stdin: 0, stdout: 1, error: 3 } as const;

/** What the handshake may take, in milliseconds: the API server reaches the node before it answers. */
const HANDSHAKE_MS = 30_000;
/** How often it is asked whether the other side is still there, in milliseconds: what is silent may be cut off. */
const PING_MS = 20_000;
/** The longest message, in bytes: the node sends what it reads at once, and gets as much in one message. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
const WRITE_BYTES = 32 * 1024;
/** Output that waits to be taken, in bytes, from which on no more is read. */
const MAX_WAITING_BYTES = 256 * 1024;
/** The longest refusal that is read, in bytes. */
const MAX_REFUSAL_BYTES = 64 * 1024;
const NORMAL_CLOSURE = 1000;

/** A connection to the stdin, and the output, of a container that runs. */
export class Attachment {
  readonly #socket: WebSocket;
  readonly #ended = Promise.withResolvers<void>();
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #more = Promise.withResolvers<void>();
  #failure: KubernetesError | undefined;
  #isOver = false;
  #hasAnswered = true;
  readonly #pinging: NodeJS.Timeout;

  /** `socket` is connecting. */
  constructor(socket: WebSocket, signal: AbortSignal) {
    this.#socket = socket;
    this.#ended.promise.catch(() => {});
    const abort = (): void => socket.terminate();
    signal.addEventListener("abort", abort, { once: true });
    socket.on("message", (message: Buffer) => this.#take(message));
    socket.on("pong", () => void (this.#hasAnswered = true));
    socket.on("error", (error) => void (this.#failure ??= KubernetesError.unreachable(error)));
    socket.on("close", (code, reason) => {
      signal.removeEventListener("abort", abort);
      this.#end(code, reason.toString(), signal.aborted);
    });
    this.#pinging = setInterval(() => this.#ping(), PING_MS).unref();
  }

  /** Resolves when the container has ended or either side has closed; rejects with `KubernetesError` when it broke. */
  get closed(): Promise<void> {
    return this.#ended.promise;
  }

  /** What the container writes to stdout from now on, to be read once. Nothing is read ahead of who reads slowly. Throws as `closed` does. */
  get output(): AsyncIterable<Buffer> {
    return this.#output();
  }

  /** Resolves when the connection has taken the bytes, which then are on their way. Throws `KubernetesError`. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += WRITE_BYTES) {
      const message = Buffer.concat([Buffer.of(CHANNELS.stdin), bytes.subarray(at, at + WRITE_BYTES)]);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      this.#socket.send(message, (error) => (error ? reject(KubernetesError.unreachable(error)) : resolve()));
      await promise;
    }
  }

  /** Lets go of the container, which goes on. */
  close(): void {
    this.#socket.close(NORMAL_CLOSURE);
  }

  async *#output(): AsyncGenerator<Buffer> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) {
        this.#waitingBytes -= next.length;
        if (this.#socket.isPaused && this.#waitingBytes < MAX_WAITING_BYTES) this.#socket.resume();
        yield next;
      } else if (this.#isOver) {
        await this.#ended.promise;
        return;
      } else {
        await this.#more.promise;
      }
    }
  }

  #take(message: Buffer): void {
    const content = message.subarray(1);
    // The server says hello on each channel with nothing.
    if (content.length === 0) return;
    if (message[0] === CHANNELS.stdout) {
      this.#waiting.push(content);
      this.#waitingBytes += content.length;
      if (this.#waitingBytes >= MAX_WAITING_BYTES) this.#socket.pause();
      this.#wake();
    } else if (message[0] === CHANNELS.error) {
      this.#failure ??= KubernetesError.ofStatus(content.toString());
    }
  }

  #end(code: number, reason: string, asked: boolean): void {
    clearInterval(this.#pinging);
    this.#isOver = true;
    if (asked || (this.#failure === undefined && code === NORMAL_CLOSURE)) this.#ended.resolve();
    else {
      const words = `the connection to the container was closed with code ${code}${reason === "" ? "" : `: ${reason}`}`;
      this.#ended.reject(this.#failure ?? KubernetesError.unreachable(new Error(words)));
    }
    this.#wake();
  }

  #wake(): void {
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }

  #ping(): void {
    // One that is paused reads no answer either.
    if (this.#socket.isPaused) this.#hasAnswered = true;
    else if (this.#hasAnswered) {
      this.#hasAnswered = false;
      this.#socket.ping();
    } else {
      this.#failure ??= KubernetesError.unreachable(new Error("the connection to the container is silent"));
      this.#socket.terminate();
    }
  }
}

/**
 * Attaches to the stdin of a Pod's container, which has one, and to its stdout with `stdout`. What the container wrote
 * earlier is in its log only. Throws `KubernetesError`; an account that lacks a verb is told which.
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#get-connect-get-requests-to-attach-of-pod
 */
export async function attach(
  client: KubernetesClient,
  namespace: string,
  pod: string,
  { stdout }: { stdout: boolean },
  signal: AbortSignal,
): Promise<Attachment> {
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}/attach`;
  const query = { container: CONTAINER, stdin: true, stdout, stderr: false, tty: false };
  const { url, options } = await client.upgrade(path, query);
  if (signal.aborted) throw KubernetesError.unreachable(signal.reason);
  const socket = new WebSocket(url, PROTOCOLS, {
    ...options,
    handshakeTimeout: HANDSHAKE_MS,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
  });
  const attachment = new Attachment(socket, signal);
  const refused = Promise.withResolvers<never>();
  refused.promise.catch(() => {});
  socket.once("unexpected-response", (_, response) => {
    void refusal(response).then((error) => {
      refused.reject(error);
      socket.terminate();
    });
  });
  try {
    await Promise.race([once(socket, "open"), refused.promise]);
  } catch (error) {
    throw error instanceof KubernetesError ? error : KubernetesError.unreachable(error);
  }
  return attachment;
}

/** The answer with which the API server opens no WebSocket. */
async function refusal(response: IncomingMessage): Promise<KubernetesError> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > MAX_REFUSAL_BYTES) break;
    }
  } catch (error) {
    return KubernetesError.unreachable(error);
  }
  return KubernetesError.of(response.statusCode ?? 0, Buffer.concat(chunks).toString());
}
