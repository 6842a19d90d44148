import type { SourceText, TestCase } from "./answers.ts";
import { fromBase64Url, toBase64Url } from "./bytes.ts";
import { COMPARISONS } from "./draft.ts";
import type { SavedDraft } from "./draft.ts";

const PREFIX = "#program=";
/** What is read of a link; browsers take about 2 MB of address. */
const MAX_LINK_UNITS = 1_500_000;
/** A few bytes of a link can stand for gigabytes. */
const MAX_TEXT_BYTES = 4 * 1024 * 1024;
const MAX_FILES = 200;
const MAX_LIMITS = 50;

async function through(
  bytes: Uint8Array<ArrayBuffer>,
  stream: ReadableWritablePair<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>,
): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for await (const piece of new Blob([bytes]).stream().pipeThrough(stream)) {
    length += piece.length;
    if (length > MAX_TEXT_BYTES) throw new Error("the program in the link is too large");
    pieces.push(piece);
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

/** The fragment of an address that holds the whole draft, compressed: nothing is stored anywhere else. */
export async function linkFragment(draft: SavedDraft): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(draft));
  if (bytes.length > MAX_TEXT_BYTES) throw new Error("the program is too large for a link");
  return PREFIX + toBase64Url(await through(bytes, new CompressionStream("deflate-raw")));
}

/** An own member, never one that an object inherits. */
function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}

function text(value: unknown): string {
  if (typeof value !== "string") throw new TypeError("text is wanted");
  return value;
}

function list<Value>(value: unknown, maximum: number, read: (item: unknown) => Value): Value[] {
  if (!Array.isArray(value) || value.length > maximum) throw new TypeError("a list is wanted");
  return value.map(read);
}

function source(value: unknown): SourceText {
  return { name: text(member(value, "name")), content: text(member(value, "content")) };
}

function testCase(value: unknown): TestCase {
  return { stdin: text(member(value, "stdin")), expected_stdout: text(member(value, "expected_stdout")) };
}

function numbers(value: unknown): Record<string, number> {
  if (typeof value !== "object" || value === null) throw new TypeError("an object is wanted");
  const entries: [string, unknown][] = Object.entries(value);
  const wanted = entries.filter((entry): entry is [string, number] => {
    return /^[a-z_]{1,40}$/.test(entry[0]) && entry[0] !== "__proto__" && Number.isSafeInteger(entry[1]);
  });
  return Object.fromEntries(wanted.slice(0, MAX_LIMITS));
}

/** The draft that an address holds; undefined when it holds none. Throws with a message for people when it is damaged. */
export async function draftOfLink(hash: string): Promise<SavedDraft | undefined> {
  if (!hash.startsWith(PREFIX)) return undefined;
  if (hash.length > MAX_LINK_UNITS) throw new Error("the program in the link is too large");
  try {
    const bytes = await through(fromBase64Url(hash.slice(PREFIX.length)), new DecompressionStream("deflate-raw"));
    const saved: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    const files = list(member(saved, "files"), MAX_FILES, source);
    if (files.length === 0) throw new TypeError("a file is wanted");
    return {
      language: text(member(saved, "language")),
      files,
      stdin: text(member(saved, "stdin")),
      args: list(member(saved, "args"), MAX_FILES, text),
      limits: numbers(member(saved, "limits")),
      tests: list(member(saved, "tests") ?? [], MAX_FILES, testCase),
      comparison: COMPARISONS.find((mode) => mode === member(saved, "comparison")) ?? "lines",
      stopOnFailure: member(saved, "stopOnFailure") === true,
      artifacts: list(member(saved, "artifacts") ?? [], MAX_FILES, text),
    };
  } catch (error) {
    throw new Error("the link holds no program: a part of it may be missing", { cause: error });
  }
}
