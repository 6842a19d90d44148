import type { NumberedEvent, Opening, Said, Told } from "../answers.ts";
import { ApiError } from "../api-error.ts";

export const INTERACTIVE_PATH = "/api/run/interactive";
/** What may wait here to be shown, in UTF-16 units; a WebSocket can't be told to wait, only to end. */
const MAX_WAITING_UNITS = 4_000_000;

/** The status that the refusal would have as an answer, for those that say what is to be done; 400 for all others. */
const STATUS: Readonly<Record<string, number>> = {
  unauthorized: 401,
  not_found: 404,
  rate_limited: 429,
  queue_full: 503,
  shutting_down: 503,
  unavailable: 503,
  internal: 500,
};

function refusal({ code, message }: { code: string; message: string }): ApiError {
  return new ApiError(code, STATUS[code] ?? 400, message);
}

/** A message as the event that it tells of; undefined for those that tell of none. */
function eventOf(told: Told): NumberedEvent | undefined {
  switch (told.type) {
    case "stage": {
      const id = String(told.sequence);
      if (told.state === "started") return { id, event: { type: "stage_started", data: told } };
      return { id, event: { type: "stage_ended", data: told } };
    }
    case "output":
    case "finished":
      return { id: String(told.sequence), event: { type: told.type, data: told } as NumberedEvent["event"] };
    case "accepted":
    case "error":
      return undefined;
  }
}

/** One connection to an interactive run of the server at this page's own address. */
export class InteractiveConnection {
  readonly #socket: WebSocket;
  readonly #waiting: { units: number; told: Told }[] = [];
  #waitingUnits = 0;
  #wasFull = false;
  #ended = false;
  #more = Promise.withResolvers<void>();

  private constructor(opening: Opening, key: string | null) {
    this.#socket = new WebSocket(new URL(INTERACTIVE_PATH, location.href.replace(/^http/, "ws")));
    this.#socket.addEventListener("open", () => this.#send(key === null ? opening : { ...opening, api_key: key }));
    this.#socket.addEventListener("message", ({ data }: MessageEvent<string>) => this.#take(data));
    this.#socket.addEventListener("close", () => this.#end());
  }

  /**
   * Starts a run, or comes back to one. Throws `ApiError` with what the server says against it, or undefined when the
   * connection was not made or broke, which says nothing of why.
   */
  static async open(
    opening: Opening,
    key: string | null,
    signal: AbortSignal,
  ): Promise<{ id: string; connection: InteractiveConnection } | undefined> {
    signal.throwIfAborted();
    const connection = new InteractiveConnection(opening, key);
    signal.addEventListener("abort", () => connection.close());
    const first = await connection.#next();
    signal.throwIfAborted();
    if (first?.type === "error") throw refusal(first.error);
    return first?.type === "accepted" ? { id: first.id, connection } : undefined;
  }

  /** Whether it ended because more came than was shown; the rest is had by coming back. */
  get wasFull(): boolean {
    return this.#wasFull;
  }

  /** What was said and is not on its way yet, in bytes. */
  get unsentBytes(): number {
    return this.#socket.bufferedAmount;
  }

  /** Says something to the program, unless the connection has ended. */
  say(said: Said): void {
    this.#send(said);
  }

  /** What happens, until the connection ends. Throws `ApiError` where the server says why it ends. */
  async *events(onRefusal: (message: string) => void): AsyncGenerator<NumberedEvent> {
    let last: ApiError | undefined;
    for (let told = await this.#next(); told !== undefined; told = await this.#next()) {
      // The last word is why the connection ends; one that others follow was about something that was said.
      if (last !== undefined) onRefusal(last.message);
      last = told.type === "error" ? refusal(told.error) : undefined;
      const event = eventOf(told);
      if (event !== undefined) yield event;
    }
    if (last !== undefined) throw last;
  }

  /** Ends the connection; the run goes on. */
  close(): void {
    this.#socket.close();
    this.#end();
  }

  #send(message: object): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  async #next(): Promise<Told | undefined> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) {
        this.#waitingUnits -= next.units;
        return next.told;
      }
      if (this.#ended) return undefined;
      await this.#more.promise;
    }
  }

  #take(text: string): void {
    if (this.#ended) return;
    const told = JSON.parse(text) as Told;
    // A result comes once and whole.
    const units = told.type === "finished" ? 0 : text.length;
    this.#waiting.push({ units, told });
    this.#waitingUnits += units;
    if (this.#waitingUnits > MAX_WAITING_UNITS) {
      this.#wasFull = true;
      this.close();
    }
    this.#wake();
  }

  #end(): void {
    this.#ended = true;
    this.#wake();
  }

  #wake(): void {
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }
}
