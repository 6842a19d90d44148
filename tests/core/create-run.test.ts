import { join } from "node:path";

import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { BASE_ENVIRONMENT, createRun } from "../../core/create-run.ts";
import { loadLanguages, parseLanguage } from "../../core/languages.ts";
import type { Language } from "../../core/languages.ts";
import { LIMITS, boundsFor, limitsFrom } from "../../core/limits.ts";
import { isRunId } from "../../core/run.ts";
import type { Run } from "../../core/run.ts";
import type { RunRequest } from "../../core/validators.ts";
import { expectRefusal } from "./refusals.ts";

const registry = loadLanguages(join(import.meta.dirname, "../../docker"));
const SERVER = {
  default: limitsFrom((name) => LIMITS[name].default),
  maximum: limitsFrom((name) => LIMITS[name].maximum),
};
const REQUEST_BOUNDS = { maxProgramBytes: 1000, maxStdinBytes: 1000 };

function create(
  language: Language,
  request: Omit<RunRequest, "language"> = { code: "x" },
  idempotencyKey?: string,
): Run {
  return createRun(
    { language: language.name, ...request },
    language,
    boundsFor(SERVER, language.limits),
    REQUEST_BOUNDS,
    {
      tenant: "t",
      durable: true,
      idempotencyKey,
      version: "1.2.3",
    },
  );
}

function commands(run: Run): (readonly string[])[] {
  return run.program.stages.map((stage) => stage.command);
}

function files(...names: string[]): Omit<RunRequest, "language"> {
  return { files: names.map((name) => ({ name, content: "x" })) };
}

function parsed(yaml: string): Language {
  return parseLanguage(
    `name: x\nfile: main.x\nsource_extensions: [.x]\nversion: {command: [x], pattern: (.*)}\nimage: x\n${yaml}`,
    "x.yaml",
  );
}

const JAVAC = [
  ...["/opt/sandbox/languages/java/compile", "javac"],
  ...["-J-XX:+UseSerialGC", "-J-XX:TieredStopAtLevel=1", "-J-Xshare:auto"],
  ...["-proc:none", "-encoding", "UTF-8", "-cp", ".", "-d", "."],
];
const JAVA = "java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -XX:-UsePerfData -Xmx384m -cp .".split(" ");

/** What one file of code becomes, for every language there is. */
const COMMANDS: Record<string, string[][]> = {
  bash: [["bash", "main.sh"]],
  c: [["gcc", "-O2", "-std=gnu17", "-o", "program", "main.c", "-lm"], ["./program"]],
  cpp: [
    ["/opt/sandbox/languages/cpp/compile", "g++", "-O2", "-std=gnu++20", "-o", "program", "main.cpp"],
    ["./program"],
  ],
  go: [["go", "build", "-buildvcs=false", "-ldflags=-w", "-o", "program", "."], ["./program"]],
  java: [
    [...JAVAC, "Main.java"],
    [...JAVA, "Main"],
  ],
  nodejs: [["node", "main.js"]],
  python: [["python3", "main.py"]],
  "python-data": [["/usr/bin/python3", "main.py"]],
  rust: [["rustc", "--edition=2021", "--crate-name=program", "-O", "-o", "program", "main.rs"], ["./program"]],
  typescript: [
    [
      "node",
      "--experimental-transform-types",
      "--disable-warning=ExperimentalWarning",
      expect.stringMatching(/^--import=data:text\/javascript,import.*stripTypeScriptTypes/),
      "main.ts",
    ],
  ],
};

test("the table of commands has every language", () => {
  expect(Object.keys(COMMANDS)).toEqual(registry.names);
});

describe.each(registry.languages)("$name", (entry) => {
  test("has its commands filled in", () => expect(commands(create(entry))).toEqual(COMMANDS[entry.name]));

  test("puts code into its file", () => {
    expect(create(entry).program.files).toEqual([{ name: entry.file, content: Buffer.from("x") }]);
  });

  test("gives the arguments to the program alone, last and as they are", () => {
    const args = ["{entry}", "", "$(id)"];
    const run = create(entry, { code: "x", args });
    const plain = commands(create(entry));
    expect(commands(run)).toEqual([...plain.slice(0, -1), [...plain.at(-1)!, ...args]]);
  });

  test("has the base environment and its own in every stage, and the caller's in the last", () => {
    const run = create(entry, { code: "x", env: { LANG: "C", MINE: "1" } });
    const base = { ...BASE_ENVIRONMENT, ...entry.environment };
    const expected = run.program.stages.map((stage) =>
      stage.name === "run" ? { ...base, LANG: "C", MINE: "1" } : base,
    );
    expect(run.program.stages.map((stage) => stage.environment)).toEqual(expected);
  });

  test("reads stdin when it runs, not when it compiles", () => {
    const run = create(entry, { code: "x", stdin: "in" });
    const expected = run.program.stages.map((stage) => (stage.name === "run" ? "in" : ""));
    expect(run.program.stages.map((stage) => String(stage.stdin))).toEqual(expected);
  });

  test("bounds each stage by that stage's limits", () => {
    const limits = {
      wall_ms: 1,
      cpu_ms: 2,
      memory_bytes: 2 ** 23,
      compile_wall_ms: 4,
      compile_cpu_ms: 5,
      compile_memory_bytes: 2 ** 24,
    };
    const expected = { compile: [4, 5, 2 ** 24], run: [1, 2, 2 ** 23] };
    for (const stage of create(entry, { code: "x", limits }).program.stages) {
      expect([stage.wallMs, stage.cpuMs, stage.memoryBytes]).toEqual(expected[stage.name]);
    }
  });
});

describe("placeholders", () => {
  const echo = parsed(
    "compile: {command: [c, '{sources}', -o]}\nrun: {command: [r, 'a={entry}', '{main_class}', '-m{memory_mebibytes}']}",
  );
  const [all, run] = [0, 1].map(
    (stage) => (request: Omit<RunRequest, "language">) => commands(create(echo, request))[stage],
  ) as [
    (request: Omit<RunRequest, "language">) => readonly string[],
    (request: Omit<RunRequest, "language">) => readonly string[],
  ];

  test("{sources} are the files with the language's extensions, in their order", () => {
    expect(all(files("b.x", "readme", "sub/a.x", "x.xy", "a.h"))).toEqual(["c", "b.x", "sub/a.x", "-o"]);
  });

  test("{sources} have the entry first when its extension is another", () => {
    expect(all(files("start", "b.x"))).toEqual(["c", "start", "b.x", "-o"]);
  });

  test("{entry} is the first file", () => expect(run(files("z.x", "a.x"))[1]).toBe("a=z.x"));

  test.each([
    ["Main.java", "Main"],
    ["a/b/Main.java", "a.b.Main"],
    ["Main", "Main"],
    ["a.b/Main.java", "a.b.Main"],
  ])("{main_class} of %s is %s", (entry, name) => expect(run(files(entry))[2]).toBe(name));

  test.each([
    [4 * 1024 * 1024, "-m4"],
    [8 * 1024 * 1024 - 1, "-m7"],
    [1024 ** 3, "-m1024"],
  ])("{memory_mebibytes} of %d bytes is %s", (memory_bytes, word) => {
    expect(run({ code: "x", limits: { memory_bytes } })[3]).toBe(word);
  });

  test.each(["{entry}", "{main_class}", "$&", "$1", "{sources}", "a b;c"])(
    "in a name, %s is a name like any other",
    (name) => {
      expect(run(files(name)).slice(1, 3)).toEqual([`a=${name}`, name]);
      expect(all(files(name))).toEqual(["c", name, "-o"]);
    },
  );

  test("a file's name never becomes more or fewer words", () => {
    const name = fc.stringMatching(/^[a-z{}$& ;]{1,12}$/);
    fc.assert(
      fc.property(name, (text) => {
        expect(all(files(text))).toHaveLength(3);
        expect(run(files(text))).toHaveLength(4);
      }),
    );
  });
});

describe("a run", () => {
  const python = registry.find("py")!;

  test("says whose it is and what it runs", () => {
    expect(create(python)).toMatchObject({ tenant: "t", language: "python", version: "1.2.3", durable: true });
  });

  test("has the same id for the same tenant and key, and otherwise another", () => {
    const ids = [
      create(python, { code: "x" }, "key"),
      create(python, { code: "y" }, "key"),
      create(python, { code: "x" }, "other"),
    ];
    expect(ids[0]?.id).toBe(ids[1]?.id);
    expect(ids[0]?.id).not.toBe(ids[2]?.id);
    expect(create(python).id).not.toBe(create(python).id);
    expect(ids.every((run) => isRunId(run.id))).toBe(true);
  });

  test.each([
    ["files[0].name", files("/x")],
    ["stdin", { code: "x", stdin: "\ud800" }],
    ["args[0]", { code: "x", args: ["\0"] }],
    ["env.PATH", { code: "x", env: { PATH: "/" } }],
    ["limits.wall_ms", { code: "x", limits: { wall_ms: 0 } }],
  ])("is refused for a wrong %s", (field, request) => expectRefusal(() => create(python, request), field));
});
