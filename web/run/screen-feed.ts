import type { Encoding } from "../answers.ts";
import { fromBase64 } from "../bytes.ts";

/** What is drawn at a time, in UTF-16 units: of escape sequences that cost most, what is over before anybody notices. */
const PIECE_UNITS = 4096;
/** What waits to be drawn, in UTF-16 units, from which on more is waited with. */
const MANY_UNITS = 500_000;
/** Marks that one character may bear: a terminal draws all of them in its cell, however many. */
const STACKED_MARKS = /([\p{M}\p{Cf}]{8})[\p{M}\p{Cf}]+/gu;
const LAST_MARKS = /[\p{M}\p{Cf}]*$/u;

/** What draws text: calls back when it has. */
export type Draw = (text: string, drawn: () => void) => void;

/** Hands a program's output to the screen in small pieces, each when the one before is drawn. */
export class ScreenFeed {
  #draw: Draw | undefined;
  #waiting: string[] = [];
  #waitingUnits = 0;
  #isDrawing = false;
  #isClosed = false;
  #decoder = new TextDecoder();
  /** Those of the last character, which may go on. */
  #marks = "";
  #calm = Promise.withResolvers<void>();

  /** Begins to draw, all that waits first. */
  open(draw: Draw): void {
    this.#draw = draw;
    this.#next();
  }

  /** Adds what the program wrote: characters may be cut between events, which then come as bytes. */
  append(data: string, encoding: Encoding): void {
    if (encoding === "utf8") this.#add(this.#decoder.decode() + data);
    else this.#add(this.#decoder.decode(fromBase64(data), { stream: true }));
  }

  /** Resolves when there is room for more. */
  async room(): Promise<void> {
    while (this.#waitingUnits > MANY_UNITS) await this.#calm.promise;
  }

  /** Draws no more, whatever waits or comes. */
  close(): void {
    this.#isClosed = true;
    this.#waiting = [];
    this.#waitingUnits = 0;
    this.#calm.resolve();
  }

  #add(text: string): void {
    if (text === "" || this.#isClosed) return;
    const whole = (this.#marks + text).replaceAll(STACKED_MARKS, "$1");
    const bounded = whole.slice(this.#marks.length);
    this.#marks = LAST_MARKS.exec(whole)?.[0] ?? "";
    for (let from = 0; from < bounded.length; from += PIECE_UNITS) {
      const piece = bounded.slice(from, from + PIECE_UNITS);
      this.#waiting.push(piece);
      this.#waitingUnits += piece.length;
    }
    if (!this.#isDrawing) this.#next();
  }

  #next(): void {
    const piece = this.#waiting.shift();
    if (piece === undefined || this.#draw === undefined) {
      if (piece !== undefined) this.#waiting.unshift(piece);
      this.#isDrawing = false;
      return;
    }
    this.#isDrawing = true;
    this.#draw(piece, () => {
      this.#waitingUnits = Math.max(0, this.#waitingUnits - piece.length);
      if (this.#waitingUnits <= MANY_UNITS) {
        this.#calm.resolve();
        this.#calm = Promise.withResolvers();
      }
      this.#next();
    });
  }
}
