import { isUtf8 } from "node:buffer";

import { invalid } from "../core/errors.ts";
import type { ServiceError } from "../core/errors.ts";

export const MAX_JSON_DEPTH = 32;
/** More members and elements than any run request has; it bounds what parsing a hostile body costs. */
export const MAX_JSON_VALUES = 10_000;
/** Longer than the longest name of a variable or limit. */
const MAX_KEY_CHARACTERS = 1024;

/** An array's current element is the number; an object's current member is the key, once it was read. */
type Frame = { keys: null; at: number } | { keys: Set<string>; at: string };

type Expected = "a value" | "a value or ]" | "a key or }" | "a key" | ":" | ", or }" | ", or ]" | "the end";

const LITERAL = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

function pathOf(frames: readonly Frame[]): string {
  let path = "";
  for (const frame of frames) {
    if (frame.keys === null) path += `[${frame.at}]`;
    else path += path === "" ? frame.at : `.${frame.at}`;
  }
  return path.length > 256 ? `${path.slice(0, 256)}...` : path;
}

function malformed(text: string, position: number, problem: string): ServiceError {
  const before = text.slice(0, position);
  const line = before.split("\n").length;
  const column = position - before.lastIndexOf("\n");
  return invalid("body", `is not JSON: ${problem} at position ${position} (line ${line}, column ${column})`);
}

/** The position behind the string that begins at `start`; its contents are left for `JSON.parse` to judge. */
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(quote - 1 - backslashes) === 0x5c) backslashes += 1;
    if (backslashes % 2 === 0) return quote + 1;
  }
  throw malformed(text, start, "a string that begins, but does not end,");
}

/** `JSON.parse` with the position of the error in `text`, of which `slice` begins at `offset`. */
function parse(text: string, slice: string, offset: number): unknown {
  try {
    return JSON.parse(slice);
  } catch (error) {
    const position = /position (\d+)/.exec(error instanceof Error ? error.message : "")?.[1];
    throw malformed(text, offset + Number(position ?? 0), "a character or escape that a string can't have,");
  }
}

/**
 * Walks through the text's structure. JSON itself allows the same key twice and any depth, which parsers then read
 * differently; here both are refused, and so is `__proto__`, however it is escaped.
 */
class StructureCheck {
  readonly #text: string;
  readonly #frames: Frame[] = [];
  #expected: Expected = "a value";
  #values = 0;

  constructor(text: string) {
    this.#text = text;
  }

  run(): void {
    const text = this.#text;
    let position = 0;
    for (;;) {
      while (isWhitespace(text.charCodeAt(position))) position += 1;
      if (position >= text.length) break;
      position = this.#token(position);
    }
    if (this.#expected !== "the end") throw this.#unexpected(text.length);
  }

  #token(position: number): number {
    const expected = this.#expected;
    switch (this.#text[position]) {
      case "{":
        return this.#open(position, { keys: new Set(), at: "" }, "a key or }");
      case "[":
        return this.#open(position, { keys: null, at: 0 }, "a value or ]");
      case "}":
        if (expected !== "a key or }" && expected !== ", or }") throw this.#unexpected(position);
        return this.#close(position);
      case "]":
        if (expected !== "a value or ]" && expected !== ", or ]") throw this.#unexpected(position);
        return this.#close(position);
      case ":":
        if (expected !== ":") throw this.#unexpected(position);
        this.#expected = "a value";
        return position + 1;
      case ",":
        return this.#comma(position);
      case '"':
        return expected === "a key" || expected === "a key or }" ? this.#key(position) : this.#string(position);
      default:
        return this.#literal(position);
    }
  }

  #unexpected(position: number): ServiceError {
    return malformed(this.#text, position, `${this.#expected} is wanted`);
  }

  #beginValue(position: number): void {
    if (this.#expected !== "a value" && this.#expected !== "a value or ]") throw this.#unexpected(position);
    this.#values += 1;
    if (this.#values > MAX_JSON_VALUES) {
      const field = pathOf(this.#frames.slice(0, -1)) || "body";
      throw invalid(field, `is where the body has more than ${MAX_JSON_VALUES} values`, MAX_JSON_VALUES);
    }
  }

  #endValue(): void {
    const frame = this.#frames.at(-1);
    if (frame === undefined) this.#expected = "the end";
    else this.#expected = frame.keys === null ? ", or ]" : ", or }";
  }

  #open(position: number, frame: Frame, expected: Expected): number {
    this.#beginValue(position);
    if (this.#frames.length === MAX_JSON_DEPTH) {
      const field = pathOf(this.#frames);
      throw invalid(field, `is nested deeper than ${MAX_JSON_DEPTH} levels`, MAX_JSON_DEPTH);
    }
    this.#frames.push(frame);
    this.#expected = expected;
    return position + 1;
  }

  #close(position: number): number {
    this.#frames.pop();
    this.#endValue();
    return position + 1;
  }

  #comma(position: number): number {
    const frame = this.#frames.at(-1);
    if (frame === undefined || (this.#expected !== ", or }" && this.#expected !== ", or ]")) {
      throw this.#unexpected(position);
    }
    if (frame.keys === null) frame.at += 1;
    this.#expected = frame.keys === null ? "a value" : "a key";
    return position + 1;
  }

  #key(position: number): number {
    const frame = this.#frames.at(-1);
    if (frame === undefined || frame.keys === null) throw this.#unexpected(position);
    const end = endOfString(this.#text, position);
    if (end - position > MAX_KEY_CHARACTERS) throw malformed(this.#text, position, "a key of absurd length");
    const key = parse(this.#text, this.#text.slice(position, end), position);
    if (typeof key !== "string") throw this.#unexpected(position);
    frame.at = key;
    if (key === "__proto__") throw invalid(pathOf(this.#frames), "is not a key that is allowed");
    if (frame.keys.has(key)) throw invalid(pathOf(this.#frames), "is there twice");
    frame.keys.add(key);
    this.#expected = ":";
    return end;
  }

  #string(position: number): number {
    this.#beginValue(position);
    this.#endValue();
    return endOfString(this.#text, position);
  }

  #literal(position: number): number {
    LITERAL.lastIndex = position;
    if (!LITERAL.test(this.#text)) throw this.#unexpected(position);
    this.#beginValue(position);
    this.#endValue();
    return LITERAL.lastIndex;
  }
}

function isWhitespace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/**
 * Parses a request's body. Throws `invalid_request`, naming position or field, for bytes that are not UTF-8 or not JSON,
 * for a key that is there twice or is `__proto__`, for more than `MAX_JSON_DEPTH` levels and `MAX_JSON_VALUES` values,
 * and for keys of over a thousand characters. Takes time and memory linear in the body's length.
 */
export function parseJson(bytes: Uint8Array): unknown {
  if (!isUtf8(bytes)) throw invalid("body", "is not UTF-8");
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  if (text === "") throw invalid("body", "is empty; a JSON object is wanted");
  new StructureCheck(text).run();
  return parse(text, text, 0);
}
