import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, describe, expect, test } from "vitest";

import { LanguageRegistry, loadLanguages, parseLanguage } from "../../core/languages.ts";
import { LIMIT_NAMES } from "../../core/limits.ts";
import { checkFileName } from "../../core/validators.ts";

const DOCKER = join(import.meta.dirname, "../../docker");
const temporary = mkdtempSync(join(tmpdir(), "languages-"));
afterAll(() => rmSync(temporary, { recursive: true }));

const GOOD = `name: x
file: main.x
run: {command: [x, "{entry}"]}
version: {command: [x, --version], pattern: 'x (\\S+)'}
image: sandbox/x
`;

/** A folder with one folder for each language. */
function folderWith(languages: Record<string, string>): string {
  const folder = mkdtempSync(join(temporary, "docker-"));
  for (const [name, text] of Object.entries(languages)) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "language.yaml"), text);
  }
  return folder;
}

describe("the languages of this repository", () => {
  const registry = loadLanguages(DOCKER);

  test("are all there, by name", () => {
    expect(registry.names).toEqual([
      ...["bash", "c", "cpp", "go", "java", "nodejs", "python", "python-data", "rust", "typescript"],
    ]);
  });

  test.each([
    ["py", "python"],
    ["python3", "python"],
    ["js", "nodejs"],
    ["node", "nodejs"],
    ["ts", "typescript"],
    ["c++", "cpp"],
    ["sh", "bash"],
    ["java", "java"],
    ["golang", "go"],
    ["rs", "rust"],
    ["pydata", "python-data"],
    ["datascience", "python-data"],
  ])("are found as %s: %s", (alias, name) => expect(registry.find(alias)?.name).toBe(name));

  test.each(["", "Python", "python ", "__proto__", "constructor", "toString"])("do not include %j", (name) => {
    expect(registry.find(name)).toBeUndefined();
  });

  test.each(registry.languages)("$name has a file name that a request could have", ({ file }) => {
    expect(() => checkFileName(file, "file")).not.toThrow();
  });

  test.each([
    ["python", "Python 3.11.2", "3.11.2"],
    ["nodejs", "v24.21.0", "24.21.0"],
    ["bash", "GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)", "5.2.15"],
    ["c", "12.2.0\n", "12.2.0"],
    ["java", 'openjdk version "17.0.13" 2024-10-15\nOpenJDK Runtime Environment', "17.0.13"],
    ["go", "go version go1.19.8 linux/amd64\n", "1.19.8"],
    ["rust", "rustc 1.63.0\n", "1.63.0"],
    ["python-data", "Python 3.13.5\n", "3.13.5"],
  ])("%s reads its version from %j", (name, printed, version) => {
    expect(registry.find(name)?.version.pattern.exec(printed)?.[1]).toBe(version);
  });
});

describe("an entry", () => {
  test("needs little, and has defaults for the rest", () => {
    expect(parseLanguage(GOOD, "x.yaml")).toMatchObject({
      name: "x",
      aliases: [],
      source_extensions: [],
      environment: {},
      packages: [],
      limits: { default: {}, maximum: {} },
    });
    expect(parseLanguage(GOOD, "x.yaml").compile).toBeUndefined();
  });

  test.each(LIMIT_NAMES)("may set the limit %s", (name) => {
    const language = parseLanguage(`${GOOD}limits: {default: {${name}: 5}, maximum: {${name}: 6}}`, "x.yaml");
    expect(language.limits).toEqual({ default: { [name]: 5 }, maximum: { [name]: 6 } });
  });

  test.each<[string, string, RegExp]>([
    ["an unknown key", `${GOOD}runtime: x`, /runtime/],
    ["an unknown key deeper down", GOOD.replace("[x, --version]", "[x], timeout: 1"), /timeout.*\n?.*version/],
    ["an unknown key of a stage", GOOD.replace("run: {", "run: {wall_ms: 1, "), /wall_ms[^]*run/],
    ["an unknown key beside the limits", `${GOOD}limits: {minimum: {}}`, /minimum[^]*limits/],
    ["an unknown key of the compile stage", `${GOOD}compile: {command: [x], env: {}}`, /env[^]*compile/],
    ["an unknown limit", `${GOOD}limits: {default: {time: 1}}`, /time.*\n?.*limits\.default/],
    ["a limit of no time", `${GOOD}limits: {maximum: {wall_ms: 0}}`, /limits\.maximum\.wall_ms/],
    ["a limit in words", `${GOOD}limits: {maximum: {wall_ms: 1s}}`, /limits\.maximum\.wall_ms/],
    ["a missing key", GOOD.replace(/^image.*\n/m, ""), /image/],
    ["an unknown placeholder", GOOD.replace("{entry}", "{file}"), /placeholder[^]*run\.command/],
    [
      "an unknown placeholder in the compile command",
      `${GOOD}compile: {command: [x, "a{}"]}`,
      /placeholder[^]*compile\.command/,
    ],
    ["{sources} inside of a word", `${GOOD}compile: {command: [x, "-i{sources}"]}`, /\{sources\}[^]*compile\.command/],
    ["an empty command", GOOD.replace('[x, "{entry}"]', "[]"), /run\.command/],
    ["an empty word", GOOD.replace('[x, "{entry}"]', '[x, ""]'), /run\.command\[1\]/],
    ["a command in one string", GOOD.replace('[x, "{entry}"]', "x main.x"), /run\.command/],
    ["a name in capitals", GOOD.replace("name: x", "name: X"), /name/],
    ["a number for a name", GOOD.replace("name: x", "name: 1"), /name/],
    ["an extension without its dot", `${GOOD}source_extensions: [x]`, /source_extensions\[0\]/],
    ["an environment of numbers", `${GOOD}environment: {A: 1}`, /environment\.A/],
    ["a prelude without a variable", `${GOOD}ahead: {prelude: x}`, /ahead/],
    ["a variable of what waits that is none", `${GOOD}ahead: {environment: {A-B: x}}`, /ahead/],
    ["an option among the packages", `${GOOD}packages: [--allow]`, /packages\[0\]/],
    ["a relative path of a package", `${GOOD}paths: [usr/lib]`, /paths\[0\]/],
    ["a version pattern that is no expression", GOOD.replace("x (\\S+)", "x (\\S+"), /version\.pattern/],
    ["a version pattern without a group", GOOD.replace("x (\\S+)", "x \\S+"), /version\.pattern/],
    ["a file outside of the work folder", GOOD.replace("main.x", "../main.x"), /file/],
    ["a key twice", `${GOOD}image: y`, /unique/],
    ["broken YAML", `${GOOD}limits: {`, /line 6/],
    ["two documents", `${GOOD}---\n${GOOD}`, /documents/],
    ["aliases that multiply", `${GOOD}a: &a [x,x]\nb: &b [${"*a,".repeat(99)}*a]\nc: [${"*b,".repeat(99)}*b]`, /alias/],
    ["nothing", "", /object/],
    ["a list", "- x", /object/],
  ])("is refused for %s, and the error names the file and the field", (_, text, field) => {
    const parse = (): unknown => parseLanguage(text, "docker/x/language.yaml");
    expect(parse).toThrow(/^docker\/x\/language\.yaml: /);
    expect(parse).toThrow(field);
  });
});

describe("a folder of languages", () => {
  test("is read in the order of names; what has no entry is passed over", () => {
    const folder = folderWith({ b: GOOD.replace("name: x", "name: b"), a: GOOD.replace("name: x", "name: a") });
    mkdirSync(join(folder, "common"));
    writeFileSync(join(folder, "README.md"), "");
    expect(loadLanguages(folder).names).toEqual(["a", "b"]);
  });

  test("has each language in the folder of its name", () => {
    const folder = folderWith({ y: GOOD });
    expect(() => loadLanguages(folder)).toThrow(`${join(folder, "y", "language.yaml")}: name is x, but its folder y`);
  });

  test("names the file that is wrong", () => {
    const folder = folderWith({ x: GOOD, y: `${GOOD}more: 1` });
    expect(() => loadLanguages(folder)).toThrow(join(folder, "y", "language.yaml"));
  });

  test("that is not there is an error", () => expect(() => loadLanguages(join(temporary, "none"))).toThrow(/ENOENT/));

  test("with an entry that can't be read is an error", () => {
    const folder = folderWith({});
    mkdirSync(join(folder, "x", "language.yaml"), { recursive: true });
    expect(() => loadLanguages(folder)).toThrow(/EISDIR/);
  });
});

describe("two languages", () => {
  const language = (name: string, ...aliases: string[]) => ({ ...parseLanguage(GOOD, "x.yaml"), name, aliases });

  test.each([
    ["name", [language("a"), language("a")], "a: a, a"],
    ["alias", [language("a", "z"), language("b", "z")], "z: a, b"],
    ["name and alias", [language("a"), language("b", "a")], "a: a, b"],
    ["alias and name", [language("a", "b"), language("b")], "b: a, b"],
  ])("may not share a %s", (_, languages, words) => {
    expect(() => new LanguageRegistry(languages)).toThrow(`two languages are called ${words}`);
  });
});
