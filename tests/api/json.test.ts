import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { ServiceError } from "../../core/errors.ts";
import { MAX_JSON_DEPTH, MAX_JSON_VALUES, parseJson } from "../../api/json.ts";

function parse(text: string): unknown {
  return parseJson(Buffer.from(text));
}

/** What `parseJson` throws for the text; anything but a refusal fails. */
function refusalOf(text: string | Uint8Array): ServiceError {
  try {
    parseJson(Buffer.from(text));
  } catch (error) {
    if (error instanceof ServiceError && error.code === "invalid_request") return error;
    throw error;
  }
  throw new Error(`accepted: ${Buffer.from(text).toString()}`);
}

const deep = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);

describe("JSON is accepted", () => {
  test.for([
    "{}",
    "[]",
    ' \t\r\n{ "a" : [ 1 , -0.5e+3 , true , false , null , "x" ] }\n',
    "null",
    '"text"',
    "0",
    String.raw`{"a":"\\","b":"\"","c":"\\\"}","d":"\u00e9\ud83d\ude00"}`,
    '{"a":{"x":1},"b":{"x":2},"x":3}',
    '{"":1," ":2}',
    '{"constructor":1,"prototype":2,"toString":3}',
    '{"text":"\u2028\u2029\ufeff"}',
    deep(MAX_JSON_DEPTH),
    `[${"0,".repeat(MAX_JSON_VALUES - 2)}0]`,
  ])("%s", (text) => {
    expect(parse(text)).toEqual(JSON.parse(text));
  });
});

describe("what is not JSON is refused with its position", () => {
  test.for([
    ["", /empty/],
    [" ", /position 1 /],
    ["abc", /position 0 \(line 1, column 1\)/],
    ['{"a":tru}', /position 5 /],
    ['{"a":1 "b":2}', /position 7 /],
    ['{"a":1,}', /a key is wanted at position 7 /],
    ["[1,]", /a value is wanted at position 3 /],
    ["[1", /, or \] is wanted at position 2 /],
    ["[01]", /position 2 /],
    ["[1.]", /position 2 /],
    ["[+1]", /position 1 /],
    ["[.5]", /position 1 /],
    ["[NaN]", /position 1 /],
    ["{'a':1}", /a key or } is wanted at position 1 /],
    ["{a:1}", /position 1 /],
    ["{1:1}", /position 1 /],
    ['{"a"}', /: is wanted at position 4 /],
    ["[1]]", /the end is wanted at position 3 /],
    ["[1}", /position 2 /],
    ["[1] // no comments", /position 4 /],
    ["/* none */ 1", /position 0 /],
    ["\ufeff{}", /position 0 /],
    ["[1,\u00a02]", /position 3 /],
    ['{\n "a": 1,\n "b": oops\n}', /line 3, column 7/],
    ['"no end', /position 0 /],
    ['["a\\"]', /position 1 /],
    ['"tab\there"', /position 4 /],
    [String.raw`["\x41"]`, /position 3 /],
    [String.raw`{"\ud8":1}`, /position [1-6] /],
  ] as const)("%j", ([text, position]) => {
    expect(refusalOf(text).message).toMatch(position);
  });

  test("bytes that are not UTF-8", () => {
    for (const bytes of [
      [0x22, 0xff, 0x22],
      [0x22, 0xed, 0xa0, 0x80, 0x22],
      [0x22, 0xc3, 0x22],
      [0xff, 0xfe, 0x7b, 0x00],
    ]) {
      expect(refusalOf(Buffer.from(bytes)).message).toBe("body: is not UTF-8");
    }
  });
});

describe("JSON that readers understand differently is refused with the field", () => {
  test.for([
    ['{"a":1,"a":1}', "a"],
    [String.raw`{"a":1,"\u0061":2}`, "a"],
    ['{"limits":{"wall_ms":1,"cpu_ms":2,"wall_ms":3}}', "limits.wall_ms"],
    ['{"files":[{"name":"a"},{"name":"b","name":"c"}]}', "files[1].name"],
    ['{"__proto__":{}}', "__proto__"],
    [String.raw`{"env":{"\u005f_proto__":"x"}}`, "env.__proto__"],
    [String.raw`[[{"__pro\u0074o__":1}]]`, "[0][0].__proto__"],
    [`{"a":${deep(MAX_JSON_DEPTH)}}`, `a${"[0]".repeat(MAX_JSON_DEPTH - 1)}`],
    [`{"args":[${"0,".repeat(MAX_JSON_VALUES)}0]}`, "args"],
    [`[${"0,".repeat(MAX_JSON_VALUES)}0]`, "body"],
  ] as const)("%#: %s", ([text, field]) => {
    expect(refusalOf(text).details.field).toBe(field);
  });

  test("a key of over a thousand characters", () => {
    expect(refusalOf(`{"${"k".repeat(1100)}":1}`).message).toMatch(/key/);
  });
});

test("a hostile body of 20 MB is judged in seconds", () => {
  const size = 20 * 1024 * 1024;
  const bodies = [
    " ".repeat(size),
    `{"stdin":"${"\\n".repeat(size / 2)}"}`,
    `"${"\\".repeat(size)}`,
    "[".repeat(size),
    "0,".repeat(size / 2),
    "9".repeat(size),
    '"a":'.repeat(size / 4),
    `"${"\\\\".repeat(size / 2)}"`,
  ].map((text) => Buffer.from(text));
  for (const body of bodies) {
    const started = performance.now();
    try {
      parseJson(body);
    } catch (error) {
      expect(error).toBeInstanceOf(ServiceError);
    }
    expect(performance.now() - started).toBeLessThan(5000);
  }
});

/** Whether the text, which is JSON, has what is refused; found in another way than the parser's. */
function isExcluded(text: string, value: unknown): boolean {
  const members = text.replaceAll(/"(?:[^"\\]|\\.)*"/gs, "").split(":").length - 1;
  let keys = 0;
  let depth = 0;
  let proto = false;
  const visit = (node: unknown, level: number): void => {
    if (typeof node !== "object" || node === null) return;
    depth = Math.max(depth, level);
    if (!Array.isArray(node)) {
      keys += Object.keys(node).length;
      proto ||= Object.hasOwn(node, "__proto__");
    }
    for (const member of Object.values(node)) visit(member, level + 1);
  };
  visit(value, 1);
  return members !== keys || proto || depth > MAX_JSON_DEPTH;
}

function agrees(text: string): void {
  let expected: { value: unknown } | undefined;
  try {
    expected = { value: JSON.parse(text) };
  } catch {
    expected = undefined;
  }
  if (expected !== undefined && !isExcluded(text, expected.value)) expect(parse(text)).toEqual(expected.value);
  else refusalOf(text);
}

describe("accepts what JSON.parse accepts, but for the exclusions, and throws nothing but refusals", () => {
  const keys = fc.constantFrom("a", "b", "__proto__", "constructor", '\u0061"', "");
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      fc.string(),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      tie("list"),
      tie("members"),
    ),
    list: fc.array(tie("tree"), { maxLength: 3 }),
    members: fc.array(fc.tuple(keys, tie("tree")), { maxLength: 3 }).map((entries) => ({ entries })),
  }));

  /** Writes members one by one, so that a key can be there twice. */
  function write(node: unknown): string {
    if (Array.isArray(node)) return `[${node.map(write).join(",")}]`;
    if (typeof node !== "object" || node === null) return JSON.stringify(node) ?? "null";
    const entries = Reflect.get(node, "entries") as [string, unknown][];
    return `{${entries.map(([key, member]) => `${JSON.stringify(key)}: ${write(member)}`).join(" ,")}}`;
  }

  test("documents", () => {
    fc.assert(fc.property(tree.map(write), agrees), { numRuns: 1000 });
  });

  test("documents with a character too many, too few or another", () => {
    const pieces = fc.constantFrom(
      "",
      '"',
      "\\",
      "{",
      "}",
      "[",
      "]",
      ":",
      ",",
      "0",
      "-",
      ".",
      "e",
      "\n",
      "\0",
      "\ufeff",
      "t",
    );
    const damaged = fc.tuple(tree.map(write), fc.nat(), fc.nat({ max: 2 }), pieces).map(([text, at, cut, piece]) => {
      const position = at % (text.length + 1);
      return text.slice(0, position) + piece + text.slice(position + cut);
    });
    fc.assert(fc.property(damaged, agrees), { numRuns: 3000 });
  });

  test("tokens in any order", () => {
    const token = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ":",
      ",",
      '"a"',
      '"b"',
      '"__proto__"',
      "1",
      "-1e5",
      "true",
      "null",
      " ",
      '"',
      "\\",
    );
    fc.assert(
      fc.property(
        fc.array(token, { maxLength: 12 }).map((tokens) => tokens.join("")),
        agrees,
      ),
      { numRuns: 5000 },
    );
  });

  test("bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          parseJson(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ServiceError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
