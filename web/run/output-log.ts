import { signal } from "@preact/signals";

import type { Encoding } from "../answers.ts";
import { fromBase64 } from "../bytes.ts";

/** What is kept of a stream to be shown, in UTF-16 units; the beginning of what is longer goes. */
const KEPT_UNITS = 400_000;
/** The largest piece: what goes at a time. */
const PIECE_UNITS = 20_000;

/** Cuts text into pieces, between characters. */
function* piecesOf(text: string): Generator<string> {
  for (let from = 0; from < text.length;) {
    const to = from + PIECE_UNITS;
    const end = /[\uD800-\uDBFF]/.test(text.charAt(to - 1)) ? to + 1 : to;
    yield text.slice(from, end);
    from = end;
  }
}

/** The end of one output stream, in the pieces in which it is drawn. */
export class OutputLog {
  /** Counts changes, for those who draw. */
  readonly version = signal(0);
  /** How much is not kept any more, in UTF-16 units. */
  dropped = 0;
  /** The number of the first piece; counts on when pieces go. */
  first = 0;
  #pieces: string[] = [];
  #kept = 0;
  #waiting: string[] = [];
  #waitingUnits = 0;
  #frameAsked = false;
  #decoder = new TextDecoder();

  get pieces(): readonly string[] {
    return this.#pieces;
  }

  get isEmpty(): boolean {
    return this.#pieces.length === 0;
  }

  clear(): void {
    this.first += this.#pieces.length;
    this.#pieces = [];
    this.#waiting = [];
    this.#kept = this.#waitingUnits = this.dropped = 0;
    this.#decoder = new TextDecoder();
    this.version.value += 1;
  }

  /** Adds what the program wrote: characters may be cut between events, which then come as bytes. */
  append(data: string, encoding: Encoding): void {
    if (encoding === "utf8") this.#add(this.#decoder.decode() + data);
    else this.#add(this.#decoder.decode(fromBase64(data), { stream: true }));
  }

  #add(text: string): void {
    if (text === "") return;
    this.#waiting.push(text);
    this.#waitingUnits += text.length;
    // A page that is not seen has no frames: what waits is bounded all the same.
    if (this.#waitingUnits > 2 * KEPT_UNITS) this.#take();
    if (this.#frameAsked) return;
    this.#frameAsked = true;
    requestAnimationFrame(() => {
      this.#frameAsked = false;
      this.#take();
      this.version.value += 1;
    });
  }

  /** Makes pieces of all that waits, and lets go of the oldest beyond what is kept. */
  #take(): void {
    const text = this.#waiting.join("");
    this.#waiting = [];
    this.#waitingUnits = 0;
    const kept = text.length > KEPT_UNITS ? text.slice(-KEPT_UNITS) : text;
    this.dropped += text.length - kept.length;
    for (const piece of piecesOf(kept)) this.#pieces.push(piece);
    this.#kept += kept.length;
    let gone = 0;
    while (this.#kept > KEPT_UNITS) {
      const oldest = this.#pieces[gone] ?? "";
      this.#kept -= oldest.length;
      this.dropped += oldest.length;
      gone += 1;
    }
    this.#pieces = this.#pieces.slice(gone);
    this.first += gone;
  }
}
