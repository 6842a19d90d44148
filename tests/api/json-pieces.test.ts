import fc from "fast-check";
import { expect, test } from "vitest";

import { jsonPieces } from "../../api/json-pieces.ts";

function join(value: unknown): string {
  return [...jsonPieces(value)].join("");
}

test("the pieces are together what JSON.stringify writes", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(join(value)).toBe(JSON.stringify(value));
    }),
  );
});

test("a large string comes in small pieces, and no character is cut", () => {
  for (const offset of [0, 1]) {
    const value = {
      stdout: "x".repeat(offset) + "\u{1f600}".repeat(500_000),
      compile: null,
      nul: "\0".repeat(500_000),
    };
    expect(join(value)).toBe(JSON.stringify(value));
    for (const piece of jsonPieces(value)) expect(piece.length).toBeLessThan(500_000);
  }
});

test("halves of surrogate pairs are escaped as JSON.stringify escapes them", () => {
  const value = "\ud83d".repeat(200_000) + "\ude00".repeat(200_000);
  expect(JSON.parse(join(value))).toBe(value);
});
