import { createHash } from "node:crypto";

/** How a test's output is held against what is expected of it; a checker's program decides by itself. */
export type Comparison =
  | { mode: "exact" }
  /** White space at the ends of lines and empty lines at the end count for nothing. */
  | { mode: "lines" }
  /** White space only parts what counts. */
  | { mode: "tokens" }
  /** As `tokens`; numbers may differ by `tolerance`, absolutely or in proportion to what is expected. */
  | { mode: "float"; tolerance: number }
  | { mode: "checker" };

const NEWLINE = 0x0a;
const SPACE = 0x20;

/** White space of ASCII; bytes of other characters are none, whatever they are by themselves. */
function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || (byte !== undefined && byte >= 0x09 && byte <= 0x0d);
}

/** The lines without what `lines` leaves out. Takes time linear in the output's length, whatever it is made of. */
function canonicalLines(output: Uint8Array): Uint8Array {
  const canonical = new Uint8Array(output.length);
  let length = 0;
  let newlines = 0;
  for (let start = 0; start <= output.length;) {
    const newline = output.indexOf(NEWLINE, start);
    const next = newline === -1 ? output.length : newline;
    let end = next;
    while (end > start && isBlank(output[end - 1])) end -= 1;
    if (end > start) {
      canonical.fill(NEWLINE, length, length + newlines);
      canonical.set(output.subarray(start, end), length + newlines);
      length += newlines + end - start;
      newlines = 0;
    }
    newlines += 1;
    start = next + 1;
  }
  return canonical.subarray(0, length);
}

function* tokensOf(output: Uint8Array): Generator<Uint8Array> {
  let start = 0;
  for (let at = 0; at <= output.length; at += 1) {
    if (at < output.length && !isBlank(output[at])) continue;
    if (at > start) yield output.subarray(start, at);
    start = at + 1;
  }
}

function canonicalTokens(output: Uint8Array): Uint8Array {
  const canonical = new Uint8Array(output.length + 1);
  let length = 0;
  for (const token of tokensOf(output)) {
    canonical.set(token, length);
    length += token.length;
    canonical[length++] = SPACE;
  }
  return canonical.subarray(0, length);
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("base64");
}

/** The longest token that is taken for a number, in bytes. */
const MAX_NUMBER_BYTES = 400;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,9})?$/;

function numberOf(token: Uint8Array): number | undefined {
  if (token.length > MAX_NUMBER_BYTES) return undefined;
  const text = Buffer.from(token).toString("latin1");
  const value = NUMBER.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

function areClose(expected: Uint8Array, actual: Uint8Array, tolerance: number): boolean {
  if (Buffer.compare(expected, actual) === 0) return true;
  const [wanted, got] = [numberOf(expected), numberOf(actual)];
  if (wanted === undefined || got === undefined) return false;
  return Math.abs(wanted - got) <= tolerance * Math.max(1, Math.abs(wanted));
}

function allClose(expected: Uint8Array, output: Uint8Array, tolerance: number): boolean {
  const actual = tokensOf(output);
  for (const token of tokensOf(expected)) {
    const next = actual.next();
    if (next.done === true || !areClose(token, next.value, tolerance)) return false;
  }
  return actual.next().done === true;
}

/**
 * What is kept of an expected output, and all that `meets` needs of it: a digest of what counts, or the text itself where
 * a digest can't tell.
 */
export function expectationOf(comparison: Comparison, expected: string): string {
  const bytes = Buffer.from(expected);
  switch (comparison.mode) {
    case "exact":
      return digest(bytes);
    case "lines":
      return digest(canonicalLines(bytes));
    case "tokens":
      return digest(canonicalTokens(bytes));
    case "float":
    case "checker":
      return expected;
    default:
      return comparison satisfies never;
  }
}

/** Whether the output is what `expectationOf` was made of. Not for a checker, whose program says it. */
export function meets(
  comparison: Exclude<Comparison, { mode: "checker" }>,
  expectation: string,
  output: Uint8Array,
): boolean {
  if (comparison.mode === "float") return allClose(Buffer.from(expectation), output, comparison.tolerance);
  const canonical = { exact: (bytes: Uint8Array) => bytes, lines: canonicalLines, tokens: canonicalTokens };
  return digest(canonical[comparison.mode](output)) === expectation;
}
