import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { LIMITS, LIMIT_NAMES, limitsFrom } from "../../core/limits.ts";
import type { LimitBounds } from "../../core/limits.ts";
import { checkArguments, checkEnvironment, checkFiles, checkLimits, checkStdin } from "../../core/validators.ts";
import type { RunRequest } from "../../core/validators.ts";
import { expectRefusal, refusal } from "./refusals.ts";

const BOUNDS = { maxProgramBytes: 100, maxStdinBytes: 100 };
const LONE = ["\ud83d", "\ude00", "a\udfffb", "\ude00\ud83d"];
const KIB = 1024;

function check(request: Omit<RunRequest, "language">) {
  return () => checkFiles({ language: "x", ...request }, "main.x", BOUNDS);
}

function file(content: string, encoding?: "utf8" | "base64") {
  return check({ files: [{ name: "main.x", content, encoding }] });
}

describe("the program", () => {
  test("is code, as a file of the language's name", () => {
    expect(check({ code: "é" })()).toEqual([{ name: "main.x", content: Buffer.from("é") }]);
  });

  test("is files, in their order", () => {
    const files = [
      { name: "b", content: "1" },
      { name: "a", content: "", encoding: "utf8" as const },
    ];
    expect(check({ files })()).toEqual([
      { name: "b", content: Buffer.from("1") },
      { name: "a", content: Buffer.alloc(0) },
    ]);
  });

  test("is one of the two", () => {
    expectRefusal(check({ code: "x", files: [{ name: "a", content: "" }] }), "files");
    expectRefusal(check({}), "code");
  });

  test("is not empty", () => expectRefusal(check({ code: "" }), "code"));

  test.each(LONE)("has no half of a surrogate pair, such as %j", (text) => {
    expectRefusal(check({ code: text }), "code");
    expectRefusal(file(text), "files[0].content");
  });

  test("may be as large as the bound, in bytes", () => {
    const bytes = "é".repeat(BOUNDS.maxProgramBytes / 2);
    expect(check({ code: bytes })()).toHaveLength(1);
    expectRefusal(check({ code: `${bytes}x` }), "code", "program_too_large", BOUNDS.maxProgramBytes);
    const half = { content: "x".repeat(BOUNDS.maxProgramBytes / 2) };
    expect(
      check({
        files: [
          { name: "a", ...half },
          { name: "b", ...half },
        ],
      })(),
    ).toHaveLength(2);
    const more = [
      { name: "a", ...half },
      { name: "b", ...half },
      { name: "c", content: "x" },
    ];
    expectRefusal(check({ files: more }), "files", "program_too_large", BOUNDS.maxProgramBytes);
  });

  test("counts base64 as what it stands for", () => {
    const content = Buffer.alloc(BOUNDS.maxProgramBytes).toString("base64");
    expect(file(content, "base64")()[0]?.content).toHaveLength(BOUNDS.maxProgramBytes);
  });
});

describe("base64", () => {
  test("comes through as its bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const [read] = file(Buffer.from(bytes).toString("base64"), "base64")();
        expect(read?.content).toEqual(Buffer.from(bytes));
      }),
    );
  });

  test("is refused unless it is just that", () => {
    const nearly = fc.array(fc.constantFrom("A", "z", "0", "+", "/", "=", "-", "_", " ", "\n", "é"), { maxLength: 12 });
    fc.assert(
      fc.property(nearly, (characters) => {
        const text = characters.join("");
        const lengthOf = (source: string): number => Buffer.from(source, "base64").length;
        const plain = text.replace(/={0,2}$/, "");
        const good =
          /^[A-Za-z0-9+/]*$/.test(plain) &&
          text.length % 4 === 0 &&
          lengthOf(text) === Math.floor((plain.length * 3) / 4);
        const error = refusal(file(text, "base64"));
        expect(error === undefined).toBe(good && plain.length % 4 !== 1);
        if (error !== undefined) expect(error.details.field).toBe("files[0].content");
      }),
      { numRuns: 2000 },
    );
  });

  test.each(["QQ", "QQ=", "Q===", "=", "====", "QQ==QQ==", "QQ ==", "Q-__", "QUJ\n", "data:,QUJD"])(
    "is not %j",
    (text) => {
      expectRefusal(file(text, "base64"), "files[0].content");
    },
  );
});

describe("stdin", () => {
  test("is nothing where it is not given", () => expect(checkStdin(undefined, BOUNDS)).toHaveLength(0));

  test("comes through as UTF-8, up to its bound", () => {
    expect(checkStdin("é\0\n", BOUNDS)).toEqual(Buffer.from("é\0\n"));
    expect(checkStdin("é".repeat(50), BOUNDS)).toHaveLength(100);
    expectRefusal(() => checkStdin(`${"é".repeat(50)}x`, BOUNDS), "stdin", "program_too_large", 100);
  });

  test.each(LONE)("is not %j", (text) => expectRefusal(() => checkStdin(text, BOUNDS), "stdin"));
});

describe("arguments", () => {
  test.each([[[]], [["", "--help", "-", "a b", "*", "é😀", "\n", "$(id)"]]])("may be %j", (args) => {
    expect(checkArguments(args)).toEqual(args);
  });

  test.each(["a\0", ...LONE])("are not %j", (argument) => {
    expectRefusal(() => checkArguments(["a", argument]), "args[1]");
  });

  test("are bounded in number, each, and together", () => {
    expect(checkArguments(Array.from({ length: 256 }, () => "x"))).toHaveLength(256);
    expectRefusal(() => checkArguments(Array.from({ length: 257 }, () => "x")), "args", "invalid_request", 256);
    const longest = "é".repeat(32 * KIB);
    expect(checkArguments(Array.from({ length: 8 }, () => longest))).toHaveLength(8);
    expectRefusal(() => checkArguments([`${longest}x`]), "args[0]", "invalid_request", 64 * KIB);
    expectRefusal(
      () => checkArguments([...Array.from({ length: 8 }, () => longest), "x"]),
      "args",
      "invalid_request",
      512 * KIB,
    );
  });
});

describe("variables", () => {
  test.each([
    ["A"],
    ["_"],
    ["a1_"],
    ["HOME"],
    ["LANG"],
    ["PYTHONUNBUFFERED"],
    ["LD"],
    ["MY_LD_PRELOAD"],
    ["__proto__"],
    ["A".repeat(128)],
  ])("may be called %s", (name) => {
    const env = Object.fromEntries([[name, "v"]]);
    expect(Object.entries(checkEnvironment(env))).toEqual([[name, "v"]]);
  });

  test.each([
    ...["", "1A", "A=B", "A B", "A-B", "A\0", "A\n", "é", "A.B", "\ud83d", "A".repeat(129)],
    ...["LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "LD_", "GLIBC_TUNABLES", "GCONV_PATH", "PATH"],
    ...["JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH", "NODE_OPTIONS", "NODE_PATH"],
    ...["PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONBREAKPOINT"],
    ...["BASH_ENV", "ENV", "SHELLOPTS", "BASHOPTS", "BASH_FUNC_ls"],
  ])("are not called %j", (name) => {
    const env = Object.fromEntries([
      ["GOOD", ""],
      [name, "v"],
    ]);
    expectRefusal(() => checkEnvironment(env), `env.${name.slice(0, 64)}`);
  });

  test.each(["a\0", ...LONE])("do not hold %j", (value) => {
    expectRefusal(() => checkEnvironment({ NAME: value }), "env.NAME");
  });

  test("are bounded in number, each, and together", () => {
    const env = (length: number, value: string) =>
      Object.fromEntries(Array.from({ length }, (_, index) => [`V${index}`, value]));
    expect(Object.keys(checkEnvironment(env(256, "")))).toHaveLength(256);
    expectRefusal(() => checkEnvironment(env(257, "")), "env", "invalid_request", 256);
    expect(Object.keys(checkEnvironment(env(7, "x".repeat(64 * KIB))))).toHaveLength(7);
    expectRefusal(() => checkEnvironment(env(1, "x".repeat(64 * KIB + 1))), "env.V0", "invalid_request", 64 * KIB);
    expectRefusal(() => checkEnvironment(env(8, "x".repeat(64 * KIB))), "env", "invalid_request", 512 * KIB);
  });

  test("are names and values that an environment can hold, or refused", () => {
    const text = fc.array(fc.nat(0xff)).map((units) => String.fromCharCode(...units));
    fc.assert(
      fc.property(fc.dictionary(fc.oneof(text, fc.constantFrom("A", "PATH", "LD_X")), text, { maxKeys: 3 }), (env) => {
        const error = refusal(() => checkEnvironment(env));
        if (error !== undefined) {
          expect(error.details.field).toMatch(/^env\./);
          return;
        }
        for (const [name, value] of Object.entries(env)) {
          expect(name).toMatch(/^[A-Za-z_][A-Za-z0-9_]*$/);
          expect(value).not.toContain("\0");
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("limits", () => {
  const bounds: LimitBounds = {
    default: limitsFrom((name) => LIMITS[name].default),
    maximum: limitsFrom((name) => LIMITS[name].maximum),
  };

  test("that are not asked for have their defaults", () => {
    expect(checkLimits(undefined, bounds)).toEqual(bounds.default);
    expect(checkLimits({ wall_ms: 5, cpu_ms: undefined }, bounds)).toEqual({ ...bounds.default, wall_ms: 5 });
  });

  describe.each(LIMIT_NAMES)("%s", (name) => {
    const { minimum, maximum } = LIMITS[name];

    test.each([minimum, minimum + 1, maximum - 1, maximum])("may be %d", (value) => {
      expect(checkLimits({ [name]: value }, bounds)).toEqual({ ...bounds.default, [name]: value });
    });

    test.each([minimum - 1, maximum + 1, 0, -1, -0, minimum + 0.5, NaN, Infinity, -Infinity, 2 ** 60])(
      "may not be %d",
      (value) => {
        expectRefusal(
          () => checkLimits({ [name]: value }, bounds),
          `limits.${name}`,
          "invalid_request",
          `${minimum}..${maximum}`,
        );
      },
    );

    test("may be a server's maximum that lies below the usual minimum", () => {
      const low: LimitBounds = { ...bounds, maximum: { ...bounds.maximum, [name]: 1 } };
      expect(checkLimits({ [name]: 1 }, low)[name]).toBe(1);
      expectRefusal(() => checkLimits({ [name]: 2 }, low), `limits.${name}`, "invalid_request", "1..1");
    });
  });
});
