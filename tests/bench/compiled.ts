import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";

import type { Language } from "../../core/languages.ts";
import type { Connections } from "./connections.ts";
import { HELLO, HELLO_OF_ALL_HEADERS } from "./programs.ts";
import { bareCommands, bareSubject, execute, execution, expectGreeting } from "./subjects.ts";
import type { Check, Command, Subject } from "./subjects.ts";

/** One program, in two ways that are to be compared. */
export interface Comparison {
  name: string;
  bare: Subject;
  ours: Subject;
}

const TESTS = 50;
/** Reads a number and prints its double. */
const DOUBLE = "#include <iostream>\nint main() { int n; std::cin >> n; std::cout << 2 * n << '\\n'; }\n";

/** Asks for a program that was never seen before, or else for one that was, and holds the server to it. */
function asking(connections: Connections, language: string, code: string, isNew: boolean): Subject {
  let count = 0;
  return async () => {
    count += 1;
    const isCached = !isNew && count > 1;
    const body = { language, code: isNew ? `${code}// ${count}\n` : code };
    return await execution(connections, Buffer.from(JSON.stringify(body)), ({ compile, stdout }) => {
      if (compile?.cached !== isCached) throw new Error(`it was compiled otherwise: ${code}`);
      expectGreeting(stdout);
    });
  };
}

/** A greeting when it is compiled, and when it was compiled before. */
async function casesOf(
  name: string,
  language: Language,
  bare: Subject,
  connections: Connections,
  code: string,
): Promise<Comparison[]> {
  return [
    { name: `${name}, first`, bare, ours: asking(connections, language.name, code, true) },
    { name: `${name}, again`, bare, ours: asking(connections, language.name, code, false) },
  ];
}

/** The compiled program alone, so many times, each with its own input. */
async function doubling({ file, cwd, env }: Command): Promise<Check> {
  const doubles: string[] = [];
  for (let number = 0; number < TESTS; number += 1) {
    const child = spawn(file, { cwd, env, stdio: ["pipe", "pipe", "inherit"] });
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stdin.end(`${number}\n`);
    await once(child, "close");
    doubles.push(stdout);
  }
  return () => {
    for (const [number, double] of doubles.entries()) {
      if (double !== `${2 * number}\n`) throw new Error(`the double of ${number} is ${double}`);
    }
  };
}

/** The tests of one program, which is compiled already on both sides. */
async function testsCase(language: Language, connections: Connections, folder: string): Promise<Comparison> {
  const [compile, run] = await bareCommands(language, folder, DOUBLE);
  if (compile === undefined || run === undefined) throw new Error(`${language.name} has no compiler`);
  await execute(compile);
  const tests = Array.from({ length: TESTS }, (_, number) => ({
    stdin: `${number}\n`,
    expected_stdout: `${2 * number}\n`,
  }));
  const body = Buffer.from(JSON.stringify({ language: language.name, code: DOUBLE, tests }));
  return {
    name: `${language.name}, ${TESTS} tests`,
    bare: async () => await doubling(run),
    ours: async () =>
      await execution(connections, body, ({ verdict }) => {
        if (verdict !== "accepted") throw new Error(`the tests came to ${verdict}`);
      }),
  };
}

/** What there is to compare of languages that compile. Java's bare toolchain is the one that takes a source file. */
export async function compiledCases(
  languages: readonly Language[],
  connections: Connections,
  folder: string,
): Promise<Comparison[]> {
  const cases: Comparison[] = [];
  const place = async (): Promise<string> => await mkdtemp(join(folder, "compiled-"));
  for (const language of languages) {
    const code = HELLO.get(language.name) ?? "";
    let commands = await bareCommands(language, await place());
    if (language.name === "java") {
      commands = commands.slice(0, 1).map((command) => ({ ...command, file: "java", words: ["Main.java"] }));
    }
    cases.push(...(await casesOf(language.name, language, bareSubject(commands), connections, code)));
    if (language.name !== "cpp") continue;
    const all = bareSubject(await bareCommands(language, await place(), HELLO_OF_ALL_HEADERS));
    cases.push(...(await casesOf("cpp, bits/stdc++.h", language, all, connections, HELLO_OF_ALL_HEADERS)));
    cases.push(await testsCase(language, connections, await place()));
  }
  return cases;
}
