import { deflateRawSync } from "node:zlib";

import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { draftOfLink, linkFragment } from "../../web/link.ts";

const DRAFT = {
  language: "python",
  files: [{ name: "main.py", content: "print('ü')\n" }],
  stdin: "in",
  args: ["a", "b c"],
  limits: { wall_ms: 5000 },
  tests: [{ stdin: "1", expected_stdout: "2" }],
  comparison: "tokens" as const,
  stopOnFailure: true,
  artifacts: ["*.png"],
};

/** A link that holds any text. */
function linkTo(text: string): string {
  return `#program=${deflateRawSync(text).toString("base64url")}`;
}

test("a link gives back the draft that it was made of", async () => {
  const part = fc.string({ unit: "binary", maxLength: 200 });
  const drafts = fc.record({
    language: part,
    files: fc.array(fc.record({ name: part, content: part }), { minLength: 1, maxLength: 3 }),
    stdin: part,
    args: fc.array(part, { maxLength: 3 }),
    limits: fc.constantFrom({}, { wall_ms: 1, memory_bytes: 2 ** 40 }),
    tests: fc.array(fc.record({ stdin: part, expected_stdout: part }), { maxLength: 3 }),
    comparison: fc.constantFrom("lines", "exact", "tokens", "float"),
    stopOnFailure: fc.boolean(),
    artifacts: fc.array(part, { maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(drafts, async (draft) => {
      expect(await draftOfLink(await linkFragment(draft))).toEqual(draft);
    }),
    { numRuns: 50 },
  );
});

test("a link is of letters that every program passes on, and smaller than what it holds", async () => {
  const fragment = await linkFragment({ ...DRAFT, stdin: "again and ".repeat(1000) });
  expect(fragment).toMatch(/^#program=[\w-]+$/);
  expect(fragment.length).toBeLessThan(1000);
});

test.for(["", "#", "#elsewhere", "#program", "#other=abc"])("%j holds no draft", async (hash) => {
  expect(await draftOfLink(hash)).toBeUndefined();
});

describe("a link is refused in words when it holds", () => {
  test.for([
    ["nothing", "#program="],
    ["no base64", "#program=%%%"],
    ["nothing compressed", "#program=AAAA"],
    ["a part of it", linkTo(JSON.stringify(DRAFT)).slice(0, -12)],
    ["no JSON", linkTo("{")],
    ["null", linkTo("null")],
    ["a number", linkTo("5")],
    ["no file", linkTo(JSON.stringify({ ...DRAFT, files: [] }))],
    ["files that are none", linkTo(JSON.stringify({ ...DRAFT, files: [null] }))],
    ["files without text", linkTo(JSON.stringify({ ...DRAFT, files: [{ name: "a", content: {} }] }))],
    ["too many files", linkTo(JSON.stringify({ ...DRAFT, files: Array(201).fill(DRAFT.files[0]) }))],
    ["args that are no list", linkTo(JSON.stringify({ ...DRAFT, args: { length: 1, 0: "a" } }))],
    ["a language that is inherited", linkTo(JSON.stringify({ __proto__: null, ...DRAFT, language: undefined }))],
    ["tests without text", linkTo(JSON.stringify({ ...DRAFT, tests: [{ stdin: 1, expected_stdout: "" }] }))],
    ["limits that are none", linkTo(JSON.stringify({ ...DRAFT, limits: "all" }))],
  ] as const)("%s", async ([, hash]) => {
    await expect(draftOfLink(hash)).rejects.toThrow("the link holds no program");
  });

  test("more than can be read", async () => {
    await expect(draftOfLink(`#program=${"A".repeat(2_000_000)}`)).rejects.toThrow("too large");
    const bomb = linkTo(" ".repeat(50_000_000));
    expect(bomb.length).toBeLessThan(100_000);
    await expect(draftOfLink(bomb)).rejects.toThrow("the link holds no program");
  });
});

test("names that objects inherit are nothing but text", async () => {
  const text = `{"__proto__":{"polluted":1},"constructor":1,"language":"__proto__","files":[{"name":"__proto__","content":"x","__proto__":{"a":1}}],"stdin":"","args":[],"limits":{"__proto__":5,"constructor":7,"wall_ms":9,"cpu_ms":"5","memory_bytes":1.5},"tests":[],"comparison":"toString","stopOnFailure":1,"artifacts":[]}`;
  expect(await draftOfLink(linkTo(text))).toEqual({
    language: "__proto__",
    files: [{ name: "__proto__", content: "x" }],
    stdin: "",
    args: [],
    limits: { constructor: 7, wall_ms: 9 },
    tests: [],
    comparison: "lines",
    stopOnFailure: false,
    artifacts: [],
  });
  expect("polluted" in {}).toBe(false);
});
