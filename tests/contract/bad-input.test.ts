import { describe, expect } from "vitest";

import { LIMIT_NAMES } from "../support/answers.ts";
import type { Client, RequestBody } from "../support/client.ts";
import { contractTest } from "../support/contract.ts";
import { expectNothingRuns, expectRefusal } from "../support/refusals.ts";
import type { ExpectedRefusal } from "../support/refusals.ts";

const MAX_PROGRAM_BYTES = 20_000;
const MAX_STDIN_BYTES = 10_000;
const test = contractTest({
  CPU_LIMIT: "1",
  MAX_PROGRAM_BYTES: String(MAX_PROGRAM_BYTES),
  MAX_STDIN_BYTES: String(MAX_STDIN_BYTES),
});

const HELLO = { language: "bash", code: "echo hello" };
const LONE = "a\uD800b";

type Invalid = Partial<ExpectedRefusal> & { field: string };

/** The request must be refused on both routes. */
async function expectInvalid(api: Client, request: RequestBody, expected: Invalid): Promise<void> {
  for (const path of ["/api/run/sync", "/api/run"]) {
    await expectRefusal(api, () => api.post(path, request), { status: 400, code: "invalid_request", ...expected });
  }
}

function withFile(file: Record<string, unknown>): RequestBody {
  return {
    language: "bash",
    files: [
      { name: "main.sh", content: "echo hello" },
      { content: "x", ...file },
    ],
  };
}

describe("the language", () => {
  test.for([
    "cobol",
    "",
    "Python",
    " python",
    "python ",
    "../python",
    "constructor",
    "__proto__",
    "python\n",
    "{{python}}",
    "$(python)",
  ])("%j is unknown, and the known ones are listed", async (language, { api }) => {
    const names = (await api.languages()).map(({ name }) => name);
    await expectInvalid(
      api,
      { ...HELLO, language },
      { code: "unknown_language", field: "language", says: /bash.*python/ },
    );
    const { error } = await api.refused(api.post("/api/run", { ...HELLO, language }));
    expect(error.details?.allowed).toEqual(names);
  });

  test("can't be missing", async ({ api }) => {
    await expectInvalid(api, { code: "echo" }, { field: "language" });
  });
});

describe("the program", () => {
  test("can't be empty", async ({ api }) => {
    await expectInvalid(api, { language: "bash", code: "" }, { field: "code", says: /empty/ });
  });

  test("can't be missing", async ({ api }) => {
    await expectInvalid(api, { language: "bash" }, { field: "code", says: /code.*files/ });
  });

  test("can't be code and files both", async ({ api }) => {
    await expectInvalid(
      api,
      { ...HELLO, files: [{ name: "a.sh", content: "x" }] },
      { field: "files", says: /exclude/ },
    );
  });

  test("can't be no files", async ({ api }) => {
    await expectInvalid(api, { language: "bash", files: [] }, { field: "files", says: /empty/ });
  });

  test("can't be more than 256 files", async ({ api }) => {
    const files = (count: number) => Array.from({ length: count }, (_, n) => ({ name: `f${n}`, content: "echo $0" }));
    await expectInvalid(api, { language: "bash", files: files(257) }, { field: "files", says: /256/ });
    expect(await api.run({ language: "bash", files: files(256) })).toMatchObject({ stdout: "f0\n" });
  });

  test("can't be too large: its bytes are counted, not its characters", async ({ api }) => {
    const code = (bytes: number) => `#${"é".repeat((bytes - 1) / 2)}`;
    const expected = { status: 413, code: "program_too_large", says: new RegExp(`${MAX_PROGRAM_BYTES}`) };
    await expectInvalid(api, { language: "bash", code: code(MAX_PROGRAM_BYTES + 1) }, { ...expected, field: "code" });
    expect(await api.run({ language: "bash", code: code(MAX_PROGRAM_BYTES - 1) })).toMatchObject({
      status: "succeeded",
    });
    expect(await api.run({ language: "bash", code: `${code(MAX_PROGRAM_BYTES - 1)}a` })).toMatchObject({
      status: "succeeded",
    });

    const half = { content: "x".repeat(MAX_PROGRAM_BYTES / 2) };
    const files = [
      { name: "a", ...half },
      { name: "b", ...half },
      { name: "c", content: "eA==", encoding: "base64" },
    ];
    await expectInvalid(api, { language: "bash", files }, { ...expected, field: "files" });
  });

  test("may be exactly as large as it may be in base64, which has more characters", async ({ api }) => {
    const content = Buffer.from(`echo hello #${"x".repeat(MAX_PROGRAM_BYTES - 12)}`).toString("base64");
    const files = [{ name: "main.sh", content, encoding: "base64" }];
    expect(await api.run({ language: "bash", files })).toMatchObject({ stdout: "hello\n" });
  });

  test("can't come in a body that is larger than any program and stdin", async ({ api }) => {
    const request = { ...HELLO, stdin: "x".repeat(200_000) };
    await expectNothingRuns(api, async () => {
      const { status, error } = await api.refused(api.post("/api/run/sync", request));
      expect({ status, code: error.code }).toEqual({ status: 413, code: "program_too_large" });
    });
  });

  test("can't have more stdin than allowed", async ({ api }) => {
    const expected = { status: 413, code: "program_too_large", field: "stdin", says: new RegExp(`${MAX_STDIN_BYTES}`) };
    await expectInvalid(api, { ...HELLO, stdin: "x".repeat(MAX_STDIN_BYTES + 1) }, expected);
    expect(await api.run({ ...HELLO, stdin: "x".repeat(MAX_STDIN_BYTES) })).toMatchObject({ stdout: "hello\n" });
  });
});

describe("a file's name", () => {
  test.for([
    ["is absolute", "/etc/passwd", /absolute/],
    ["climbs", "../x", /segment/],
    ["climbs and comes back", "../work/x", /segment/],
    ["climbs from below", "a/../../x", /segment/],
    ["climbs at its end", "a/..", /segment/],
    ["goes up and down", "a/../b", /segment/],
    ["is the parent", "..", /segment/],
    ["is empty", "", /empty/],
    ["is the folder", ".", /segment/],
    ["begins at the folder", "./a", /segment/],
    ["stays in a folder", "a/./b", /segment/],
    ["has two slashes", "a//b", /segment/],
    ["ends with a slash", "a/", /segment/],
    ["is two slashes", "//", /absolute|segment/],
    ["is over 255 bytes", "x".repeat(256), /255/],
    ["is over 255 bytes though not over 255 characters", "é".repeat(128), /255/],
    ["is over 255 bytes with its folders", `${"d/".repeat(127)}ab`, /255/],
    ["contains NUL", "a\0b", /control/],
    ["ends with NUL", "main.sh\0", /control/],
    ["contains a newline", "a\nb", /control/],
    ["contains a carriage return", "a\rb", /control/],
    ["contains DEL", "a\u007Fb", /control/],
    ["is half of a surrogate pair", LONE, /surrogate/],
    ["is an option", "-x", /option/],
    ["is a compiler's response file", "@x", /option/],
  ] as const)("that %s is refused", async ([, name, says], { api }) => {
    await expectInvalid(api, withFile({ name }), { field: "files[1].name", says });
  });

  test.for([
    ["is there twice", ["a", "b", "a"], 2],
    ["is the first's", ["a", "a"], 1],
    ["is a folder's", ["a/b", "a"], 1],
    ["is a file's, which can't be a folder too", ["a", "a/b"], 1],
    ["is a file's, far below", ["a/b/c", "x", "a/b/c/d/e"], 2],
  ] as const)("that %s is refused", async ([, names, index], { api }) => {
    const files = names.map((name) => ({ name, content: "x" }));
    await expectInvalid(api, { language: "bash", files }, { field: `files[${index}].name` });
  });

  test("may be anything else", async ({ api }) => {
    const names = [
      "x".repeat(255),
      `${"d".repeat(100)}/${"e".repeat(100)}/${"f".repeat(53)}`,
      "with space",
      "...",
      "..a",
      "a..",
      ".hidden",
      "ünï/🌍",
      "{{x}}",
      "$(HOME)",
      "a'b\"c",
      "*",
      "~",
      "con",
      "a\\b",
    ];
    const files = names.map((name, index) => ({ name, content: `of ${index}` }));
    const main = { name: "main.sh", content: 'for name; do cat "$name"; echo; done' };
    expect(await api.run({ language: "bash", files: [main, ...files], args: names })).toMatchObject({
      stdout: names.map((_, index) => `of ${index}\n`).join(""),
      status: "succeeded",
    });
  });

  test("differs by its case and by how its characters are composed", async ({ api }) => {
    const files = ["main.sh", "MAIN.sh", "\u00E9", "e\u0301"].map((name) => ({ name, content: "ls | wc -l" }));
    expect(await api.run({ language: "bash", files })).toMatchObject({ stdout: "4\n" });
  });
});

describe("an unknown field", () => {
  test.for([
    ["cdoe", { ...HELLO, cdoe: "x" }, "cdoe"],
    ["network", { ...HELLO, network: true }, "network"],
    ["tests", { ...HELLO, tests: [] }, "tests"],
    ["artifacts", { ...HELLO, artifacts: [] }, "artifacts"],
    ["constructor", { ...HELLO, constructor: {} }, "constructor"],
    ["toString", { ...HELLO, toString: 1 }, "toString"],
    ["a file's mode", withFile({ name: "a", mode: 0o777 }), "files[1].mode"],
    ["a limit", { ...HELLO, limits: { speed: 1 } }, "limits.speed"],
    ["a limit of another form", { ...HELLO, limits: { wallMs: 1 } }, "limits.wallMs"],
  ] as const)("is refused by its name: %s", async ([, request, field], { api }) => {
    await expectInvalid(api, request, { field });
  });
});

describe("a wrong type is refused, and never made into the right one", () => {
  const wrong: [field: string, request: RequestBody, allowed: RegExp][] = [
    ...[1, null, true, ["bash"], {}].map((language): [string, RequestBody, RegExp] => [
      "language",
      { ...HELLO, language },
      /string/,
    ]),
    ...[1, null, ["x"], { toString: "x" }].map((code): [string, RequestBody, RegExp] => [
      "code",
      { language: "bash", code },
      /string/,
    ]),
    ...["x", { 0: {} }, null, 1].map((files): [string, RequestBody, RegExp] => [
      "files",
      { language: "bash", files },
      /array/,
    ]),
    ["files[0]", { language: "bash", files: ["x"] }, /object/],
    ["files[0]", { language: "bash", files: [null] }, /object/],
    ["files[1].name", withFile({ name: 1 }), /string/],
    ["files[1].name", withFile({}), /string/],
    ["files[1].content", withFile({ name: "a", content: 1 }), /string/],
    ["files[1].content", withFile({ name: "a", content: null }), /string/],
    ["files[1].encoding", withFile({ name: "a", encoding: "latin1" }), /utf8.*base64/],
    ["files[1].encoding", withFile({ name: "a", encoding: null }), /utf8.*base64/],
    ...[1, null, ["x"], false].map((stdin): [string, RequestBody, RegExp] => ["stdin", { ...HELLO, stdin }, /string/]),
    ...["x", { 0: "x" }, null].map((args): [string, RequestBody, RegExp] => ["args", { ...HELLO, args }, /array/]),
    ...[1, null, ["x"]].map((arg): [string, RequestBody, RegExp] => [
      "args[1]",
      { ...HELLO, args: ["x", arg] },
      /string/,
    ]),
    ...["A=1", ["A=1"], null].map((env): [string, RequestBody, RegExp] => ["env", { ...HELLO, env }, /object/]),
    ...[1, null, true, {}].map((value): [string, RequestBody, RegExp] => [
      "env.A",
      { ...HELLO, env: { A: value } },
      /string/,
    ]),
    ...["x", [], null, 1].map((limits): [string, RequestBody, RegExp] => ["limits", { ...HELLO, limits }, /object/]),
    ...["1000", true, null, [1000], {}].map((value): [string, RequestBody, RegExp] => [
      "limits.wall_ms",
      { ...HELLO, limits: { wall_ms: value } },
      /number|integer/,
    ]),
  ];

  test.for(wrong)("%s in %j", async ([field, request, says], { api }) => {
    await expectInvalid(api, request, { field, says });
  });

  test.for(["[]", '"x"', "null", "1", "true"])("a body that is %s", async (body, { api }) => {
    const call = () => api.fetch("POST", "/api/run", { body, headers: { "content-type": "application/json" } });
    await expectNothingRuns(api, async () => {
      const { status, error } = await api.refused(call());
      expect({ status, code: error.code }).toEqual({ status: 400, code: "invalid_request" });
      expect(error.message).toMatch(/object/);
    });
  });
});

describe("limits", () => {
  test.for(LIMIT_NAMES)("%s can't be zero, negative, fractional or beyond its maximum", async (name, { api }) => {
    const maximum = (await api.languages()).find((language) => language.name === "bash")?.limits.maximum[name] ?? 0;
    for (const value of [0, -1, 0.5, maximum - 0.5, maximum + 1, Number.MAX_SAFE_INTEGER, 1e300, -1e300]) {
      const says = new RegExp(`\\d+ to ${maximum}\\b`);
      await expectInvalid(api, { ...HELLO, limits: { [name]: value } }, { field: `limits.${name}`, says });
    }
  });

  test.for(["1e400", "-1e400", "1.0000000000000000000001e999"])(
    "can't be the infinity that %s becomes",
    async (text, { api }) => {
      const body = `{"language":"bash","code":"echo","limits":{"wall_ms":${text}}}`;
      const call = () => api.fetch("POST", "/api/run", { body, headers: { "content-type": "application/json" } });
      await expectRefusal(api, call, { status: 400, code: "invalid_request", field: "limits.wall_ms" });
    },
  );
});

describe("env", () => {
  test.for(["", "1A", "A B", "A=B", "A-B", "Ä", "A\0", "A\n", "$A", "A".repeat(129), "a.b"])(
    "can't have a variable called %j",
    async (name, { api }) => {
      await expectInvalid(api, { ...HELLO, env: { [name]: "x" } }, { field: `env.${name.slice(0, 64)}`, says: /name/ });
    },
  );

  test.for([
    ...["LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "GLIBC_TUNABLES", "GCONV_PATH", "PATH"],
    ...["NODE_OPTIONS", "NODE_PATH", "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "BASH_ENV", "ENV", "SHELLOPTS"],
    ...["JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH"],
  ])("can't set %s, which changes what is loaded before the program", async (name, { api }) => {
    await expectInvalid(api, { ...HELLO, env: { [name]: "x" } }, { field: `env.${name}`, says: /reserved/ });
  });

  test("can't have a value with NUL, one that is too long, or too many", async ({ api }) => {
    await expectInvalid(api, { ...HELLO, env: { A: "a\0b" } }, { field: "env.A", says: /NUL/ });
    await expectInvalid(api, { ...HELLO, env: { A: "x".repeat(65_537) } }, { field: "env.A", says: /65536/ });
    const many = Object.fromEntries(Array.from({ length: 257 }, (_, n) => [`A${n}`, ""]));
    await expectInvalid(api, { ...HELLO, env: many }, { field: "env", says: /256/ });
  });

  test("has no name that means more to the server than to the program", async ({ api }) => {
    const env = { constructor: "1", toString: "2", hasOwnProperty: "3", _: "4", prototype: "5" };
    const code = "echo $constructor$toString$hasOwnProperty$prototype";
    expect(await api.run({ language: "bash", code, env })).toMatchObject({ stdout: "1235\n" });
  });
});

describe("args", () => {
  test("can't have NUL, be too long, or be too many", async ({ api }) => {
    await expectInvalid(api, { ...HELLO, args: ["x", "a\0b"] }, { field: "args[1]", says: /NUL/ });
    await expectInvalid(api, { ...HELLO, args: ["x".repeat(65_537)] }, { field: "args[0]", says: /65536/ });
    await expectInvalid(api, { ...HELLO, args: Array.from({ length: 257 }, () => "") }, { field: "args", says: /256/ });
  });

  test("are never read by a shell or taken for a placeholder", async ({ api }) => {
    const args = ["$(id)", "`id`", "; id", "{entry}", "{sources}", "{{ x }}", "$(HOME)", "-c", "--", "*", "\\", "\n"];
    const result = await api.run({ language: "bash", code: 'printf "[%s]" "$@"', args });
    expect(result.stdout).toBe(args.map((argument) => `[${argument}]`).join(""));
  });
});

describe("half of a surrogate pair, which UTF-8 can't carry, is refused", () => {
  test.for([
    ["code", { language: "bash", code: LONE }],
    ["stdin", { ...HELLO, stdin: LONE }],
    ["args[1]", { ...HELLO, args: ["x", LONE] }],
    ["env.A", { ...HELLO, env: { A: LONE } }],
    ["files[1].name", withFile({ name: LONE })],
    ["files[1].content", withFile({ name: "a", content: LONE })],
  ] as const)("in %s", async ([field, request], { api }) => {
    await expectInvalid(api, request, { field, says: /surrogate/ });
  });
});

describe("base64", () => {
  test.for(["x", "eA", "eA=", "eA===", "e A=", "eA==\n", "eA==eA==", "_-==", "====", "é===", "eA==x"])(
    "%j is refused",
    async (content, { api }) => {
      await expectInvalid(api, withFile({ name: "a", content, encoding: "base64" }), {
        field: "files[1].content",
        says: /base64/,
      });
    },
  );
});
