import { once } from "node:events";

import { WebSocket } from "ws";
import { z } from "zod";

import { RESULT } from "./answers.ts";
import { within } from "./time.ts";

const WAIT_MS = 60_000;

const sequence = z.int().nonnegative();
const stage = z.enum(["compile", "run"]);
const MESSAGE = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("accepted"), id: z.string() }),
  z.looseObject({ type: z.literal("stage"), sequence, stage, state: z.enum(["started", "ended"]) }),
  z.strictObject({
    type: z.literal("output"),
    sequence,
    stage,
    stream: z.enum(["stdout", "stderr"]),
    data: z.string(),
    encoding: z.enum(["utf8", "base64"]),
  }),
  z.strictObject({ type: z.literal("finished"), sequence, result: RESULT }),
  z.strictObject({
    type: z.literal("error"),
    error: z.strictObject({ code: z.string(), message: z.string(), details: z.looseObject({}).optional() }),
  }),
]);

export type InteractiveMessage = z.infer<typeof MESSAGE>;
type Finished = Extract<InteractiveMessage, { type: "finished" }>;

/** One connection to an interactive run; ends with `await using`. */
export class InteractiveClient implements AsyncDisposable {
  readonly socket: WebSocket;
  readonly messages: InteractiveMessage[] = [];
  #changed = Promise.withResolvers<void>();
  #closed: { code: number; reason: string } | undefined;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("message", (data: Buffer) => {
      this.messages.push(MESSAGE.parse(JSON.parse(data.toString("utf8"))));
      this.#wake();
    });
    socket.on("error", () => {});
    socket.on("close", (code, reason) => {
      this.#closed = { code, reason: reason.toString() };
      this.#wake();
    });
  }

  /** Connects to the server at `url`; `headers` such as one with a key. */
  static async open(url: string, headers: Record<string, string> = {}): Promise<InteractiveClient> {
    const socket = new WebSocket(new URL("/api/run/interactive", url.replace(/^http/, "ws")), { headers });
    const client = new InteractiveClient(socket);
    await within(WAIT_MS, "the connection's start", once(socket, "open"));
    return client;
  }

  send(message: object | string): void {
    this.socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  type(data: string): void {
    this.send({ type: "stdin", data });
  }

  /** All that came of one stream until now. */
  printed(stream: "stdout" | "stderr" = "stdout"): string {
    const chunks = this.messages.flatMap((message) =>
      message.type === "output" && message.stream === stream ? [Buffer.from(message.data, message.encoding)] : [],
    );
    return Buffer.concat(chunks).toString();
  }

  /** Waits until `found` says so of what has come. Throws with all of that when the connection ends before. */
  async until<Found>(what: string, found: () => Found | undefined | false): Promise<Found> {
    const search = async (): Promise<Found> => {
      for (;;) {
        const { promise } = this.#changed;
        const value = found();
        if (value !== undefined && value !== false) return value;
        if (this.#closed !== undefined) throw new Error(`closed before ${what}: ${JSON.stringify(this.messages)}`);
        await promise;
      }
    };
    return await within(WAIT_MS, what, search());
  }

  async prints(text: string, stream: "stdout" | "stderr" = "stdout"): Promise<void> {
    await this.until(JSON.stringify(text), () => this.printed(stream).includes(text));
  }

  async accepted(): Promise<string> {
    return await this.until("accepted", () => this.messages.find((message) => message.type === "accepted")?.id);
  }

  async error(): Promise<Extract<InteractiveMessage, { type: "error" }>["error"]> {
    return await this.until("error", () => this.messages.find((message) => message.type === "error")?.error);
  }

  async finished(): Promise<Finished["result"]> {
    return await this.until("finished", () => this.messages.find((message) => message.type === "finished")?.result);
  }

  async closed(): Promise<{ code: number; reason: string }> {
    const search = async (): Promise<{ code: number; reason: string }> => {
      while (this.#closed === undefined) await this.#changed.promise;
      return this.#closed;
    };
    return await within(WAIT_MS, "the connection's end", search());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.terminate();
    await this.closed();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
