import { posix } from "node:path";

import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { MAX_FILES, MAX_FILE_NAME_BYTES, checkFileName, checkFiles } from "../../core/validators.ts";
import { expectRefusal, refusal } from "./refusals.ts";

const BOUNDS = { maxProgramBytes: 1000, maxStdinBytes: 1000 };

/** Every string that JSON can carry, lone surrogates included. */
const utf16 = fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units));
const hostile = fc
  .array(
    fc.oneof(fc.constantFrom("/", ".", "..", "\0", "\n", "-", "@", "\\", "~", "a", "a.py", " ", "é", "\ud800"), utf16),
    {
      maxLength: 8,
    },
  )
  .map((parts) => parts.join(""));
const segment = fc.constantFrom("a", "b", "lib", "x.py", "..a", "a b", "{entry}", "é");
const plainName = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => segments.join("/"));

function filesNamed(...names: string[]) {
  return () => checkFiles({ language: "x", files: names.map((name) => ({ name, content: "" })) }, "main", BOUNDS);
}

describe("a file's name", () => {
  test("is refused, or is one path under the work folder", () => {
    fc.assert(
      fc.property(fc.oneof(utf16, hostile), (name) => {
        const error = refusal(() => checkFileName(name, "files[0].name"));
        if (error !== undefined) {
          expect(error).toMatchObject({ code: "invalid_request", details: { field: "files[0].name" } });
          return;
        }
        expect(posix.resolve("/work", name)).toBe(`/work/${name}`);
        expect(Buffer.from(name).toString()).toBe(name);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
        expect(Array.from(name).every((character) => character >= " " && character !== "\u007f")).toBe(true);
        expect(["-", "@"]).not.toContain(name[0]);
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    "main.py",
    "a/b/c.txt",
    ".hidden",
    "..a",
    "a..",
    "...",
    "a-b",
    "a@b",
    "dir/-x",
    "a b",
    "a\\b",
    "$(id)",
    "{sources}",
    "é😀.py",
    "a".repeat(255),
    "é".repeat(127),
  ])("may be %j", (name) => {
    expect(filesNamed(name)()[0]?.name).toBe(name);
  });

  test.each([
    ["empty", ""],
    ["absolute", "/etc/passwd"],
    ["only a slash", "/"],
    ["climbing", "../x"],
    ["climbing inside", "a/../../x"],
    ["climbing to where it was", "a/../x"],
    ["the folder itself", "."],
    ["its parent", ".."],
    ["with a dot segment", "a/./b"],
    ["with an empty segment", "a//b"],
    ["a folder", "a/"],
    ["with NUL", "a\0b"],
    ["with a newline", "a\nb"],
    ["with an escape", "a\u001bb"],
    ["with DEL", "a\u007f"],
    ["an option", "-rf"],
    ["an argument file", "@args"],
    ["too long", "a".repeat(MAX_FILE_NAME_BYTES + 1)],
    ["too long in bytes", "é".repeat(128)],
    ["half a surrogate pair", "a\ud83d"],
    ["the other half", "\ude00a"],
  ])("may not be %s", (_, name) => {
    expectRefusal(filesNamed("main.py", name), "files[1].name");
  });
});

describe("files together", () => {
  test.each([
    ["the same twice", ["a", "b", "a"], 2],
    ["a folder after its file", ["a", "a/b"], 1],
    ["a file after its folder", ["a/b", "a"], 1],
    ["a deep folder after its file", ["x", "a/b", "a/b/c/d"], 2],
    ["a file after its deep folder", ["a/b/c/d", "a/b"], 1],
  ])("may not have %s", (_, names, index) => {
    expectRefusal(filesNamed(...names), `files[${index}].name`);
  });

  test.each([[["a", "ab", "a.b", "A"]], [["a/b", "a/c", "ab"]], [["a/b/c", "a/b/d", "a/c"]]])("may be %j", (names) => {
    expect(filesNamed(...names)().map((file) => file.name)).toEqual(names);
  });

  test("collide exactly when the file system would have one path for two things", () => {
    fc.assert(
      fc.property(fc.array(plainName, { minLength: 1, maxLength: 6 }), (names) => {
        const collides = names.some((name, index) =>
          names.some((other, place) => place !== index && (other === name || other.startsWith(`${name}/`))),
        );
        expect(refusal(filesNamed(...names)) !== undefined).toBe(collides);
      }),
      { numRuns: 1000 },
    );
  });

  test("may be as many as the bound says, and no more", () => {
    const names = Array.from({ length: MAX_FILES }, (_, index) => `f${index}`);
    expect(filesNamed(...names)()).toHaveLength(MAX_FILES);
    expectRefusal(filesNamed(...names, "one-more"), "files", "invalid_request", MAX_FILES);
  });

  test("may not be none", () => expectRefusal(filesNamed(), "files"));
});
