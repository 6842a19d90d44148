import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { LIMITS, LIMIT_NAMES, boundsFor, limitsFrom } from "../../core/limits.ts";
import type { LimitBounds, Limits } from "../../core/limits.ts";

const limits: fc.Arbitrary<Limits> = fc
  .array(fc.integer({ min: 1, max: 100 }), { minLength: LIMIT_NAMES.length, maxLength: LIMIT_NAMES.length })
  .map((values) => limitsFrom((name) => values[LIMIT_NAMES.indexOf(name)] ?? 0));
const someLimits: fc.Arbitrary<Partial<Limits>> = fc
  .tuple(limits, fc.subarray(LIMIT_NAMES))
  .map(([all, names]) => Object.fromEntries(names.map((name) => [name, all[name]])));
/** As settings are checked before: no default above its maximum. */
const server: fc.Arbitrary<LimitBounds> = fc.tuple(limits, limits).map(([one, other]) => ({
  default: limitsFrom((name) => Math.min(one[name], other[name])),
  maximum: limitsFrom((name) => Math.max(one[name], other[name])),
}));

describe.each(LIMIT_NAMES)("the limit %s", (name) => {
  test("has a default from its minimum to its maximum", () => {
    const { minimum, default: usual, maximum } = LIMITS[name];
    expect(minimum).toBeGreaterThan(0);
    expect(usual).toBeGreaterThanOrEqual(minimum);
    expect(maximum).toBeGreaterThanOrEqual(usual);
    expect([minimum, usual, maximum].every(Number.isSafeInteger)).toBe(true);
  });

  test("is described", () => expect(LIMITS[name].description).toMatch(/^[A-Z].+[^.]$/));
});

describe("a language's bounds", () => {
  test("are the server's where the language says nothing", () => {
    fc.assert(
      fc.property(server, (bounds) => {
        expect(boundsFor(bounds, { default: {}, maximum: {} })).toEqual(bounds);
      }),
    );
  });

  test("never exceed the server's, and never fall apart", () => {
    fc.assert(
      fc.property(server, someLimits, someLimits, (bounds, usual, most) => {
        const result = boundsFor(bounds, { default: usual, maximum: most });
        for (const name of LIMIT_NAMES) {
          expect(result.maximum[name]).toBe(Math.min(most[name] ?? Infinity, bounds.maximum[name]));
          expect(result.default[name]).toBe(Math.min(usual[name] ?? bounds.default[name], result.maximum[name]));
        }
      }),
    );
  });
});
