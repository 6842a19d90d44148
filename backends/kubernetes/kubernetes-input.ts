import { FRESH_LINE, InputChannel } from "../../core/interaction.ts";
import type { InteractiveInput } from "../../core/interaction.ts";
import type { Attachment } from "./kubernetes-attach.ts";

type Connection = Pick<Attachment, "write" | "closed" | "close">;

/** What this replica says to one run: by a connection to its container that is made when there is something to say. */
export class KubernetesInput {
  readonly #channel: InputChannel;
  readonly #connect: (signal: AbortSignal) => Promise<Connection | undefined>;
  readonly #closing: AbortSignal;
  #connection: Promise<Connection | undefined> | undefined;

  /** `connect` resolves when the program runs, with undefined when it has ended. */
  constructor(
    hasTerminal: boolean,
    closing: AbortSignal,
    connect: (signal: AbortSignal) => Promise<Connection | undefined>,
  ) {
    this.#connect = connect;
    this.#closing = closing;
    this.#channel = new InputChannel(hasTerminal, async (line) => {
      await (await this.#connected())?.write(line);
    });
  }

  /** As `InputChannel.write`; throws `KubernetesError` when the container can't be reached. */
  async write(input: InteractiveInput): Promise<boolean> {
    return await this.#channel.write(input);
  }

  fed(bytes: number): void {
    this.#channel.fed(bytes);
  }

  /** The run has ended. */
  close(): void {
    this.#channel.close();
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.then(
      (open) => open?.close(),
      () => undefined,
    );
  }

  #connected(): Promise<Connection | undefined> {
    this.#connection ??= this.#begin();
    return this.#connection;
  }

  async #begin(): Promise<Connection | undefined> {
    try {
      const connection = await this.#connect(this.#closing);
      if (connection === undefined) return undefined;
      // One that has ended is made anew for what is said next.
      const forget = (): void => void (this.#connection = undefined);
      connection.closed.then(forget, forget);
      await connection.write(FRESH_LINE);
      return connection;
    } catch (error) {
      this.#connection = undefined;
      throw error;
    }
  }
}
