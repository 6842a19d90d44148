import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { loadLanguages } from "../../core/languages.ts";
import { temporaryFolder } from "../support/server.ts";

const ROOT = join(import.meta.dirname, "../..");
const [, ...COMMAND] = loadLanguages(join(ROOT, "docker")).find("java")?.compile?.command ?? [];

/** What the command leaves and says of a source, in a folder of its own. */
async function compile(source: string, through: readonly string[]): Promise<object> {
  await using folder = await temporaryFolder();
  writeFileSync(join(folder.path, "Main.java"), source);
  const [file = "", ...words] = [...through, ...COMMAND.map((word) => (word === "{sources}" ? "Main.java" : word))];
  const { status, stdout, stderr } = spawnSync(file, words, { cwd: folder.path, encoding: "utf8" });
  const classes = readdirSync(folder.path).map((name) => [name, readFileSync(join(folder.path, name), "base64")]);
  return { status, stdout, stderr, classes };
}

test.concurrent.each([
  [
    "a program",
    "public class Main { record R(int a) { } public static void main(String[] a) { Runnable r = () -> { }; } }",
  ],
  ["an error", "public class Main { int x = missing; }"],
  ["a note", "class Main { void f(java.util.List l) { l.add(1); } }"],
  ["another file's class", "public class Other { }"],
])("javac makes the same with what makes it faster: %s", async (_, source) => {
  const plain = await compile(source, []);
  expect(await compile(source, [join(ROOT, "build/languages/java/compile")])).toEqual(plain);
});
