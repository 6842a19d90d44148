import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { expectationOf, meets } from "../../core/comparison.ts";

type Compared = Parameters<typeof meets>[0];

function accepts(comparison: Compared, expected: string, output: string | Uint8Array): boolean {
  return meets(comparison, expectationOf(comparison, expected), Buffer.from(output));
}

const EXACT: Compared = { mode: "exact" };
const LINES: Compared = { mode: "lines" };
const TOKENS: Compared = { mode: "tokens" };
const FLOAT: Compared = { mode: "float", tolerance: 1e-6 };
const ALL = [EXACT, LINES, TOKENS, FLOAT];

const blank = fc.stringMatching(/^[ \t\r\v\f]{0,5}$/);
const word = fc.stringMatching(/^[a-z0-9üé🌍.+-]{1,6}$/u);
const line = fc.array(word, { maxLength: 4 }).map((words) => words.join(" "));
const lines = fc.array(line, { maxLength: 6 });

describe.each(ALL)("comparison $mode", (comparison) => {
  test("accepts what is expected, whatever it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) =>
        accepts(comparison, text.toWellFormed(), text.toWellFormed()),
      ),
    );
  });

  test("refuses another word, one more and one less", () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,5}$/), { minLength: 1, maxLength: 5 }), (words) => {
        const text = words.join("\n");
        expect(accepts(comparison, text, `${text}\nx`)).toBe(false);
        expect(accepts(comparison, text, words.slice(1).join("\n"))).toBe(false);
        expect(accepts(comparison, text, [`${words[0]}x`, ...words.slice(1)].join("\n"))).toBe(false);
      }),
    );
  });

  test("takes bytes that are no UTF-8 for themselves and for nothing else", () => {
    expect(accepts(comparison, "\uFFFD", Buffer.of(0xff))).toBe(false);
    expect(accepts(comparison, "", Buffer.of(0xa0))).toBe(false);
    expect(accepts(comparison, "à", Buffer.of(0xc3))).toBe(false);
  });

  test("takes time in proportion to the output, not to its square", () => {
    const spaces = `${" ".repeat(4_000_000)}x`;
    const started = performance.now();
    expect(accepts(comparison, "y", spaces)).toBe(false);
    expect(accepts(comparison, "y", "\n".repeat(1_000_000))).toBe(false);
    expect(accepts(comparison, "1", `${"1".repeat(4_000_000)}e`)).toBe(false);
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

test("exact counts every byte", () => {
  expect(accepts(EXACT, "a\n", "a\n")).toBe(true);
  for (const output of ["a", "a\n\n", "a \n", "a\r\n", "A\n"]) expect(accepts(EXACT, "a\n", output)).toBe(false);
});

test("lines leaves out what is at the ends of lines and of the whole, and nothing else", () => {
  fc.assert(
    fc.property(
      lines,
      fc.array(blank, { minLength: 6, maxLength: 6 }),
      fc.array(blank, { maxLength: 3 }),
      (text, ends, last) => {
        const padded = [...text.map((each, index) => each + (ends[index] ?? "")), ...last].join("\n");
        expect(accepts(LINES, text.join("\n"), padded)).toBe(true);
        expect(accepts(LINES, padded, text.join("\n"))).toBe(true);
      },
    ),
  );
  for (const output of [" a\nb", "a\n\nb", "a b", "\na\nb", "ab"]) expect(accepts(LINES, "a\nb", output)).toBe(false);
  expect(accepts(LINES, "a  b", "a b")).toBe(false);
});

test("tokens leaves out all white space but that it parts what it parts", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(word, fc.stringMatching(/^[ \t\r\n\v\f]{1,4}$/)), { maxLength: 10 }), (pairs) => {
      const words = pairs.map(([each]) => each);
      expect(accepts(TOKENS, words.join(" "), `\n ${pairs.flat().join("")}`)).toBe(true);
    }),
  );
  expect(accepts(TOKENS, "a b", "ab")).toBe(false);
  expect(accepts(TOKENS, "a b", "b a")).toBe(false);
});

describe("float", () => {
  test.each([
    ["1", "1.0000005", true],
    ["1", "1.000002", false],
    ["1000000", "1000000.9", true],
    ["1000000", "1000002", false],
    ["0", "0.0000009", true],
    ["0", "-0.0000011", false],
    ["3.5e2", "350", true],
    [".5 x", "5e-1\nx", true],
    ["1e999", "1e998", false],
    ["1e999", "1e999", true],
    ["nan inf", "nan inf", true],
    ["nan", "NaN", false],
    ["1", "1x", false],
    ["0x10", "16", false],
    ["1 2", "1", false],
    ["1", "1 2", false],
    ["1_000", "1000", false],
  ])("%j against %j is %j", (expected, output, accepted) => {
    expect(accepts(FLOAT, expected, output)).toBe(accepted);
  });

  test("accepts a difference within the tolerance and refuses one beyond it", () => {
    const number = fc.double({ min: -1e9, max: 1e9, noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(number, fc.double({ min: 1e-9, max: 0.1, noNaN: true }), (value, tolerance) => {
        const comparison: Compared = { mode: "float", tolerance };
        const step = tolerance * Math.max(1, Math.abs(value));
        expect(accepts(comparison, String(value), String(value + step * 0.9))).toBe(true);
        expect(accepts(comparison, String(value), String(value + step * 1.1))).toBe(false);
      }),
    );
  });
});

test("of what is compared exactly, by lines or by tokens, only a digest is kept", () => {
  for (const comparison of [EXACT, LINES, TOKENS])
    expect(expectationOf(comparison, "secret".repeat(1000))).toHaveLength(44);
});
