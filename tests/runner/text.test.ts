import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BINARIES, type BinaryName } from "./binaries.ts";
import { bytesOf, type Frame, last } from "./frames.ts";
import { execute } from "./sandbox.ts";

const isUtf8 = (bytes: Buffer): boolean => Buffer.from(bytes.toString()).equals(bytes);

/** What a chunk takes within the quotes of a JSON string, by the protocol's rule. */
function escapedBytes(text: string): number {
  const escaped = text.replaceAll(/["\\\p{Cc}\u2028\u2029]/gu, (character) =>
    '"\\\b\f\n\r\t'.includes(character) ? "xx" : "xxxxxx",
  );
  return Buffer.byteLength(escaped);
}

function isTextByRule(bytes: Buffer): boolean {
  return isUtf8(bytes) && escapedBytes(bytes.toString()) <= 4 * Math.ceil(bytes.length / 3);
}

/** The frames of a program that prints `bytes`, all of which must come through. */
async function printed(bytes: Buffer, binary: BinaryName): Promise<Extract<Frame, { type: "stdout" }>[]> {
  const outcome = await execute({ stages: [{ command: ["cat"], stdin: bytes }] }, { binary });
  expect(last(outcome).stdout.equals(bytes)).toBe(true);
  return outcome.frames.filter((frame) => frame.type === "stdout");
}

const character = fc.oneof(
  fc.string({ unit: "binary", minLength: 1, maxLength: 4 }).map((text) => Buffer.from(text)),
  fc
    .constantFrom('"', "\\", "\n", "\0", "\x7f", "\x80", "\x9f", "\xa0", "\u2027", "\u2028", "\u2029", "\u202a")
    .map((text) => Buffer.from(text)),
  { weight: 8, arbitrary: fc.string({ maxLength: 30 }).map((text) => Buffer.from(text)) },
);
const mostlyText = fc.array(character, { minLength: 1, maxLength: 40 }).map((parts) => Buffer.concat(parts));
const anyBytes = fc.uint8Array({ minLength: 1, maxLength: 8 }).map((bytes) => Buffer.from(bytes));
const nearlyText = fc.tuple(mostlyText, anyBytes, mostlyText).map((parts) => Buffer.concat(parts));

describe.each(BINARIES)("output as text (%s)", (binary) => {
  test("is chosen by one rule, and every byte comes through either way", async () => {
    const output = fc.oneof(mostlyText, nearlyText, anyBytes);
    await fc.assert(
      fc.asyncProperty(output, async (bytes) => {
        for (const frame of await printed(bytes, binary)) expect("text" in frame).toBe(isTextByRule(bytesOf(frame)));
      }),
      { numRuns: 100 },
    );
  });

  test("is what a person can read", async () => {
    const [frame] = await printed(Buffer.from('a "b" \\ ü 漢 😀\tc\r\n'), binary);
    expect(frame).toMatchObject({ text: 'a "b" \\ ü 漢 😀\tc\r\n' });
  });

  test.each([
    ["continuation without a start", "80"],
    ["a start without a continuation", "c3"],
    ["a start before another character", "c341"],
    ["two bytes for one", "c1bf"],
    ["three bytes for two", "e09fbf"],
    ["four bytes for three", "f08fbfbf"],
    ["half of a surrogate pair", "eda080"],
    ["the last of them", "edbfbf"],
    ["a point beyond the last", "f4908080"],
    ["five bytes", "f888808080"],
    ["a character cut short", "f09f98"],
    ["0xff", "ff"],
  ])("is not made of bytes that are not UTF-8: %s", async (_, hex) => {
    const bytes = Buffer.concat([Buffer.from("plain text before "), Buffer.from(hex, "hex")]);
    const [frame] = await printed(bytes, binary);
    expect(frame).toHaveProperty("data");
  });

  test.each(["7f", "c280", "dfbf", "e0a080", "ed9fbf", "ee8080", "efbfbf", "f0908080", "f48fbfbf"])(
    "is made of the first and last characters of each length: %s",
    async (hex) => {
      const bytes = Buffer.concat([Buffer.from("plain text before, and"), Buffer.from(hex, "hex")]);
      expect((await printed(bytes, binary))[0]).toHaveProperty("text");
    },
  );

  test("is not longer than base64 would be", async () => {
    // 48 bytes take 64 in base64: 16 of the two-byte escapes fit, 17 don't.
    for (const [escapes, key] of [
      [16, "text"],
      [17, "data"],
    ] as const) {
      const [frame] = await printed(Buffer.from("\n".repeat(escapes).padEnd(48, "x")), binary);
      expect(frame).toHaveProperty(key);
    }
  });

  test("fills a whole chunk", async () => {
    const bytes = Buffer.from("line of some length\n".repeat(30_000));
    const frames = await printed(bytes, binary);
    expect(frames.every((frame) => "text" in frame)).toBe(true);
  });
});
