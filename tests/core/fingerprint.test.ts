import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { fingerprint } from "../../core/create-run.ts";
import type { RunRequest } from "../../core/validators.ts";

describe("the fingerprint", () => {
  const request: fc.Arbitrary<RunRequest> = fc.record(
    {
      language: fc.constantFrom("python", "c"),
      code: fc.string({ unit: "binary" }),
      files: fc.array(fc.record({ name: fc.string(), content: fc.string() }), { maxLength: 3 }),
      stdin: fc.string(),
      args: fc.array(fc.string(), { maxLength: 3 }),
      env: fc.dictionary(fc.string(), fc.string(), { maxKeys: 4 }),
      limits: fc.record({ wall_ms: fc.nat(), cpu_ms: fc.nat() }, { requiredKeys: [] }),
    },
    { requiredKeys: ["language"] },
  );

  /** The same JSON with the members of every object in the opposite order. */
  function reversed(json: string): RunRequest {
    return JSON.parse(json, (_, value: unknown) =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).toReversed())
        : value,
    ) as RunRequest;
  }

  test("is the same in whatever order fields are named", () => {
    fc.assert(
      fc.property(request, (asked) => {
        expect(fingerprint(reversed(JSON.stringify(asked)))).toBe(fingerprint(asked));
      }),
    );
  });

  test("does not tell a field that is undefined from one that is missing", () => {
    expect(fingerprint({ language: "c", code: "x", stdin: undefined, limits: { wall_ms: undefined } })).toBe(
      fingerprint({ language: "c", code: "x", limits: {} }),
    );
  });

  test("is another for another request", () => {
    fc.assert(
      fc.property(request, request, (one, other) => {
        const same = JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
        expect(fingerprint(one) === fingerprint(other)).toBe(same);
      }),
    );
  });

  test.each<[string, RunRequest, RunRequest]>([
    ["code and stdin", { language: "c", code: "a", stdin: "b" }, { language: "c", code: "b", stdin: "a" }],
    ["the order of arguments", { language: "c", args: ["a", "b"] }, { language: "c", args: ["b", "a"] }],
    ["where arguments are cut", { language: "c", args: ["ab", "c"] }, { language: "c", args: ["a", "bc"] }],
    ["the name and value of a variable", { language: "c", env: { a: "b" } }, { language: "c", env: { b: "a" } }],
    ["text and a number", { language: "c", args: ["1"] }, { language: "c", limits: { wall_ms: 1 } }],
    [
      "a variable called __proto__",
      { language: "c", env: JSON.parse('{"__proto__":"a"}') },
      { language: "c", env: {} },
    ],
  ])("tells apart %s", (_, one, other) => expect(fingerprint(one)).not.toBe(fingerprint(other)));

  function sorted(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(sorted);
    if (typeof value !== "object" || value === null) return value;
    return [
      "object",
      ...Object.entries(value)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, member]) => [key, sorted(member)]),
    ];
  }
});
