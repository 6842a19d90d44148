import { Readable } from "node:stream";

/** Characters of a string that are written at a time: as many as six times that number of bytes, when all are escaped. */
const PIECE_CHARACTERS = 64 * 1024;

function* stringPieces(text: string): Generator<string> {
  if (text.length <= PIECE_CHARACTERS) {
    yield JSON.stringify(text);
    return;
  }
  yield '"';
  for (let start = 0; start < text.length;) {
    let end = Math.min(start + PIECE_CHARACTERS, text.length);
    // A cut between the halves of a surrogate pair would have each half escaped.
    if (end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end += 1;
    yield JSON.stringify(text.slice(start, end)).slice(1, -1);
    start = end;
  }
  yield '"';
}

/** The JSON of `value`, an object or string made of plain data, in pieces that are small even where its strings are large. */
export function* jsonPieces(value: unknown): Generator<string> {
  if (typeof value === "string") {
    yield* stringPieces(value);
  } else if (Array.isArray(value)) {
    let separator = "[";
    for (const member of value) {
      yield separator;
      yield* jsonPieces(member);
      separator = ",";
    }
    yield separator === "[" ? "[]" : "]";
  } else if (typeof value === "object" && value !== null) {
    let separator = "{";
    for (const [key, member] of Object.entries(value)) {
      yield `${separator}${JSON.stringify(key)}:`;
      yield* jsonPieces(member);
      separator = ",";
    }
    yield separator === "{" ? "{}" : "}";
  } else {
    yield JSON.stringify(value);
  }
}

/** `jsonPieces` as a stream that makes each piece when the client has taken the one before. */
export function jsonStream(value: unknown): Readable {
  return Readable.from(jsonPieces(value));
}
