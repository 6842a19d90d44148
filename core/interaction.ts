/** The size of a terminal, in characters. */
export interface TerminalSize {
  columns: number;
  rows: number;
}

/** Makes a run one that is spoken to while it runs; with a terminal, its three streams are that, and its output is stdout. */
export interface Interaction {
  terminal?: TerminalSize | undefined;
  /** How long the program may neither print nor take input, in milliseconds. */
  idleMs: number;
}

export const INTERACTIVE_SIGNALS = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 } as const;
export type InteractiveSignal = keyof typeof INTERACTIVE_SIGNALS;

/** What is said to an interactive program while it runs. */
export type InteractiveInput =
  | { type: "stdin"; bytes: Uint8Array }
  /** Of a terminal: the character that means the end, which a program may take for something else (termios(3)). */
  | { type: "end" }
  | { type: "signal"; signal: InteractiveSignal }
  | { type: "resize"; size: TerminalSize };

/** The most that one line carries, in bytes (`MAX_INPUT_BYTES` in `runner/interaction.c`). */
export const MAX_LINE_INPUT_BYTES = 16 * 1024;

/** Control-D, which ends the input of a terminal. */
const END_OF_TRANSMISSION = Buffer.of(4);

/** An empty line, after which the runner reads anew: for who speaks where another one may have been cut off. */
export const FRESH_LINE = Buffer.from("\n");

/** As the runner reads it: a line each; see the head of `runner/interaction.c`. */
export function encodeStdin(bytes: Uint8Array): Buffer {
  return Buffer.from(`i ${bytes.length} ${Buffer.from(bytes).toString("base64")}\n`);
}

/** The line for anything but bytes of stdin. */
export function encodeControl(input: Exclude<InteractiveInput, { type: "stdin" }>): Buffer {
  switch (input.type) {
    case "end":
      return Buffer.from("e\n");
    case "signal":
      return Buffer.from(`s ${INTERACTIVE_SIGNALS[input.signal]}\n`);
    case "resize":
      return Buffer.from(`r ${input.size.columns} ${input.size.rows}\n`);
    default:
      return input satisfies never;
  }
}

/** What may be on its way to a program that does not take it, in bytes: half of what the runner keeps for it. */
const WINDOW_BYTES = 64 * 1024;

/** Passes on what is said to one run, in order, and no more than its program takes; only signals and sizes go ahead. */
export class InputChannel {
  readonly #send: (line: Buffer) => Promise<void>;
  readonly #hasTerminal: boolean;
  #last: Promise<void> = Promise.resolve();
  #sentBytes = 0;
  #fedBytes = 0;
  #moved = Promise.withResolvers<void>();
  #closed = false;

  /** `send` takes a line to the runner; its promise resolves when the next one may follow. */
  constructor(hasTerminal: boolean, send: (line: Buffer) => Promise<void>) {
    this.#hasTerminal = hasTerminal;
    this.#send = send;
  }

  /** Resolves when it is on its way, false when the run has ended before. */
  async write(input: InteractiveInput): Promise<boolean> {
    if (this.#closed) return false;
    if (input.type === "signal" || input.type === "resize") {
      await this.#send(encodeControl(input));
      return true;
    }
    const turn = this.#last.then(async () => this.#inTurn(input));
    this.#last = turn.then(
      () => undefined,
      () => undefined,
    );
    return await turn;
  }

  /** The runner says how much the program's stdin has taken in all. */
  fed(bytes: number): void {
    // One that another server has spoken to before has taken more than was sent from here.
    this.#sentBytes = Math.max(this.#sentBytes, bytes);
    this.#fedBytes = bytes;
    this.#move();
  }

  /** Nothing is taken any more. */
  close(): void {
    this.#closed = true;
    this.#move();
  }

  async #inTurn(input: Extract<InteractiveInput, { type: "stdin" | "end" }>): Promise<boolean> {
    if (input.type === "end" && !this.#hasTerminal) {
      if (this.#closed) return false;
      await this.#send(encodeControl(input));
      return true;
    }
    const bytes = input.type === "end" ? END_OF_TRANSMISSION : input.bytes;
    for (let at = 0; at < bytes.length; at += MAX_LINE_INPUT_BYTES) {
      const piece = bytes.subarray(at, at + MAX_LINE_INPUT_BYTES);
      while (!this.#closed && this.#sentBytes + piece.length - this.#fedBytes > WINDOW_BYTES) await this.#moved.promise;
      if (this.#closed) return false;
      this.#sentBytes += piece.length;
      await this.#send(encodeStdin(piece));
    }
    return !this.#closed;
  }

  #move(): void {
    this.#moved.resolve();
    this.#moved = Promise.withResolvers();
  }
}
