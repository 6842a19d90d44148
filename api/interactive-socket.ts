import type { WebSocket } from "ws";

/** How often it is asked whether the client is still there, in milliseconds. */
const PING_MS = 20_000;
/** How long a client may take to answer that the connection ends, in milliseconds. */
const FAREWELL_MS = 2000;
/** Messages that wait to be handled, and their bytes, from which on no more are read. */
const MAX_WAITING = 64;
const MAX_WAITING_BYTES = 1024 * 1024;
/** Messages of a second: more than a person types and a program pastes, and little work for the server. */
const MAX_MESSAGES_PER_SECOND = 500;

/** Status codes of RFC 6455, section 7.4.1. */
export const CLOSE = { normal: 1000, goingAway: 1001, refused: 1008, failed: 1011 } as const;

export interface Incoming {
  bytes: Buffer;
  isBinary: boolean;
}

/** One client's connection: messages in their order, both ways with back-pressure, and an end for those that are gone. */
export class InteractiveSocket {
  readonly #socket: WebSocket;
  readonly #waiting: Incoming[] = [];
  readonly #gone = new AbortController();
  readonly #pinging: NodeJS.Timeout;
  readonly #counting: NodeJS.Timeout;
  #waitingBytes = 0;
  #messages = 0;
  #hasAnswered = true;
  #more = Promise.withResolvers<void>();
  #last: Promise<void> = Promise.resolve();

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (bytes: Buffer, isBinary: boolean) => this.#take({ bytes, isBinary }));
    socket.on("pong", () => void (this.#hasAnswered = true));
    // What breaks a connection ends it as well.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearInterval(this.#pinging);
      clearInterval(this.#counting);
      this.#gone.abort();
      this.#wake();
    });
    this.#pinging = setInterval(() => this.#ping(), PING_MS).unref();
    this.#counting = setInterval(() => this.#countAnew(), 1000).unref();
  }

  /** Aborted when the connection has ended. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** The next message; undefined when none will come, or when `signal` is aborted. */
  async receive(signal: AbortSignal = this.gone): Promise<Incoming | undefined> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) {
        this.#waitingBytes -= next.bytes.length;
        this.#flow();
        return next;
      }
      if (this.gone.aborted || signal.aborted) return undefined;
      const { promise, resolve } = this.#more;
      const wake = (): void => resolve();
      signal.addEventListener("abort", wake, { once: true });
      await promise;
      signal.removeEventListener("abort", wake);
    }
  }

  /** Sends after all that was sent before; resolves when the connection has taken it, or is gone. */
  async send(message: object): Promise<void> {
    const sent = this.#last.then(async () => this.#sendNow(JSON.stringify(message)));
    this.#last = sent;
    await sent;
  }

  /** Ends the connection, after what was sent. */
  async close(code: number, reason: string): Promise<void> {
    await this.#last;
    this.#socket.close(code, reason);
    this.#socket.resume();
    const timer = setTimeout(() => this.#socket.terminate(), FAREWELL_MS);
    this.gone.addEventListener("abort", () => clearTimeout(timer), { once: true });
    if (this.gone.aborted) clearTimeout(timer);
  }

  async #sendNow(text: string): Promise<void> {
    if (this.gone.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = (): void => resolve();
    this.gone.addEventListener("abort", end, { once: true });
    this.#socket.send(text, end);
    await promise;
    this.gone.removeEventListener("abort", end);
  }

  #take(message: Incoming): void {
    this.#messages += 1;
    this.#waiting.push(message);
    this.#waitingBytes += message.bytes.length;
    this.#flow();
    this.#wake();
  }

  /** Reads on, or lets the client wait. */
  #flow(): void {
    const isFull =
      this.#waiting.length >= MAX_WAITING ||
      this.#waitingBytes >= MAX_WAITING_BYTES ||
      this.#messages >= MAX_MESSAGES_PER_SECOND;
    if (isFull && !this.#socket.isPaused) this.#socket.pause();
    if (!isFull && this.#socket.isPaused) this.#socket.resume();
  }

  #countAnew(): void {
    this.#messages = 0;
    this.#flow();
  }

  #wake(): void {
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }

  #ping(): void {
    // From one that is paused no answer is read.
    if (this.#socket.isPaused || this.#hasAnswered) {
      this.#hasAnswered = false;
      this.#socket.ping();
    } else {
      this.#socket.terminate();
    }
  }
}
