import type { Said, TerminalSize } from "../answers.ts";
import { ScreenFeed } from "./screen-feed.ts";
import type { Draw } from "./screen-feed.ts";

/** One message of what is typed, in UTF-16 units; more is sent in several. */
const PIECE_UNITS = 16_384;
/**
 * What was typed and is not sent, in UTF-16 units or bytes, from which on more is not taken: a program that asks the terminal
 * a million times what it is, and never reads, gets no million answers.
 */
const MANY_UNITS = 65_536;

/** Where what is typed goes; an `InteractiveConnection`. */
export interface Listener {
  readonly unsentBytes: number;
  say: (said: Said) => void;
}

/** What goes between one run and its screen, whichever of both is there first, and through connections that come and go. */
export class TerminalLine {
  readonly output = new ScreenFeed();
  readonly #opened = Promise.withResolvers<TerminalSize>();
  #size: TerminalSize | undefined;
  #listener: Listener | undefined;
  #typed = "";

  constructor() {
    // Whoever waits for the size meets the failure.
    this.#opened.promise.catch(() => {});
  }

  /** The screen's size, once there is one. Throws what `fail` was told. */
  async size(): Promise<TerminalSize> {
    await this.#opened.promise;
    if (this.#size === undefined) throw new Error("the screen has no size");
    return this.#size;
  }

  /** The screen is there. */
  open(size: TerminalSize, draw: Draw): void {
    this.#size = size;
    this.#opened.resolve(size);
    this.output.open(draw);
  }

  /** There will be no screen. */
  fail(error: Error): void {
    this.#opened.reject(error);
  }

  resize(size: TerminalSize): void {
    this.#size = size;
    this.#listener?.say({ type: "resize", ...size });
  }

  type(text: string): void {
    if (this.#typed.length + (this.#listener?.unsentBytes ?? 0) > MANY_UNITS) return;
    this.#typed += text;
    this.#send();
  }

  /** What is said goes there from now on, and what was said while nobody listened. */
  connect(listener: Listener): void {
    this.#listener = listener;
    if (this.#size !== undefined) listener.say({ type: "resize", ...this.#size });
    this.#send();
  }

  /** What is typed waits for the next listener. */
  disconnect(): void {
    this.#listener = undefined;
  }

  #send(): void {
    if (this.#listener === undefined) return;
    const text = this.#typed.toWellFormed();
    this.#typed = "";
    for (let from = 0; from < text.length;) {
      const to = from + PIECE_UNITS;
      const end = /[\uD800-\uDBFF]/.test(text.charAt(to - 1)) ? to + 1 : to;
      this.#listener.say({ type: "stdin", data: text.slice(from, end) });
      from = end;
    }
  }
}
