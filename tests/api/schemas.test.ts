import { describe, expect, test } from "vitest";

import { refusal } from "../../api/issues.ts";
import { RUN_REQUEST, WAIT } from "../../api/schemas.ts";
import { LIMIT_NAMES } from "../../core/limits.ts";
import type { ServiceError } from "../../core/errors.ts";

function refusalOf(data: unknown): ServiceError {
  const parsed = RUN_REQUEST.safeParse(data);
  if (parsed.success) throw new Error("accepted");
  return refusal(parsed.error, RUN_REQUEST, data, "body");
}

const HELLO = { language: "python", code: "print()" };

describe("a request", () => {
  test("is taken as it is", () => {
    const full = {
      language: "c",
      files: [
        { name: "main.c", content: "int main;" },
        { name: "a.bin", content: "AA==", encoding: "base64" },
      ],
      stdin: "",
      args: ["", "-x"],
      env: { A: "", constructor: "x", toString: "y", "1": "one", "": "nameless" },
      limits: Object.fromEntries(LIMIT_NAMES.map((name) => [name, 1])),
    };
    expect(RUN_REQUEST.parse(structuredClone(full))).toEqual(full);
    expect(RUN_REQUEST.parse(HELLO)).toEqual(HELLO);
  });

  test.for([
    [{ ...HELLO, limit: {} }, "limit", /known are language, code, files, stdin, args, env, limits/],
    [{ ...HELLO, network: "true" }, "network", /true or false is wanted/],
    [{ ...HELLO, verdict: "accepted" }, "verdict", /not a known field/],
    [{ langauge: "python", code: "x" }, "langauge", /known are language/],
    [{ ...HELLO, limits: { wall: 1 } }, "limits.wall", /known are wall_ms, cpu_ms/],
    [
      { language: "c", files: [{ name: "a", content: "b", mode: 7 }] },
      "files[0].mode",
      /known are name, content, encoding/,
    ],
    [{ code: "x" }, "language", /is missing; a string is wanted/],
    [{ ...HELLO, language: null }, "language", /a string is wanted/],
    [{ ...HELLO, language: 1 }, "language", /a string is wanted/],
    [{ ...HELLO, code: ["x"] }, "code", /a string is wanted/],
    [{ ...HELLO, stdin: 5 }, "stdin", /a string is wanted/],
    [{ ...HELLO, args: "x" }, "args", /an array is wanted/],
    [{ ...HELLO, args: ["a", 1] }, "args[1]", /a string is wanted/],
    [{ ...HELLO, env: [] }, "env", /an object is wanted/],
    [{ ...HELLO, env: { A: 1 } }, "env.A", /a string is wanted/],
    [{ ...HELLO, env: { "1": null } }, "env.1", /a string is wanted/],
    [{ ...HELLO, limits: [] }, "limits", /an object is wanted/],
    [{ ...HELLO, limits: { wall_ms: "1000" } }, "limits.wall_ms", /a number is wanted/],
    [{ ...HELLO, limits: { wall_ms: Infinity } }, "limits.wall_ms", /a number is wanted/],
    [{ language: "c", files: {} }, "files", /an array is wanted/],
    [{ language: "c", files: ["a"] }, "files[0]", /an object is wanted/],
    [
      { language: "c", files: [{ name: "a", content: "b" }, { name: "b" }] },
      "files[1].content",
      /is missing; a string is wanted/,
    ],
    [
      { language: "c", files: [{ name: "a", content: "b", encoding: "hex" }] },
      "files[0].encoding",
      /one of utf8, base64 is wanted/,
    ],
    [[], "body", /an object is wanted/],
    [null, "body", /an object is wanted/],
    ["x", "body", /an object is wanted/],
  ] as const)("%# is refused at the field: %j", ([data, field, problem]) => {
    const { code, details, message } = refusalOf(data);
    expect({ code, field: details.field }).toEqual({ code: "invalid_request", field });
    expect(message).toMatch(problem);
    expect(details.allowed).toBeDefined();
  });

  test("with a very long unknown name is refused shortly", () => {
    expect(refusalOf({ ...HELLO, ["x".repeat(100_000)]: 1 }).message.length).toBeLessThan(1000);
  });
});

describe("wait_ms", () => {
  test.for([
    ["0", 0],
    ["60000", 60_000],
    ["007", 7],
  ] as const)("may be %s", ([text, expected]) => {
    expect(WAIT.parse({ wait_ms: text })).toEqual({ wait_ms: expected });
  });

  test.for(["", "-1", "1.5", "60001", "1e3", "0x10", " 1", "abc", "99999999999", ["1", "2"]])(
    "can't be %j",
    (value) => {
      const data = { wait_ms: value };
      const parsed = WAIT.safeParse(data);
      if (parsed.success) throw new Error("accepted");
      expect(refusal(parsed.error, WAIT, data, "querystring").details.field).toBe("wait_ms");
    },
  );

  test("has no companions", () => {
    const parsed = WAIT.safeParse({ wait: "1" });
    if (parsed.success) throw new Error("accepted");
    expect(refusal(parsed.error, WAIT, { wait: "1" }, "querystring").message).toMatch(/^wait: .*known are wait_ms/);
  });
});
