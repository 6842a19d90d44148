import { BASE_ENVIRONMENT, createRun } from "../../core/create-run.ts";
import { plainCommand } from "../../core/languages.ts";
import type { Language } from "../../core/languages.ts";
import { LIMITS, boundsFor, limitsFrom } from "../../core/limits.ts";
import type { Program } from "../../core/program.ts";

/** Programs that print a greeting and end: what remains of their time is the toolchain's and ours. */
export const HELLO = new Map([
  ["python", 'print("hello")\n'],
  ["nodejs", 'console.log("hello");\n'],
  ["typescript", 'const greeting: string = "hello";\nconsole.log(greeting);\n'],
  ["bash", "echo hello\n"],
  ["c", '#include <stdio.h>\nint main(void) { puts("hello"); }\n'],
  ["cpp", '#include <iostream>\nint main() { std::cout << "hello\\n"; }\n'],
  ["java", 'public class Main { public static void main(String[] args) { System.out.println("hello"); } }\n'],
]);

const BOUNDS = {
  default: limitsFrom((name) => LIMITS[name].default),
  maximum: limitsFrom((name) => LIMITS[name].maximum),
};

/** A greeting in C++ that reads the whole library. */
export const HELLO_OF_ALL_HEADERS = `#include <bits/stdc++.h>
using namespace std;
int main() {
  map<int, string> words{{2, "lo"}, {1, "hel"}};
  for (const auto &[place, word] : words) cout << word;
  cout << "\\n";
}
`;

/** A greeting as a program, the language's own or `code`, with the very commands and variables that the product gives it. */
export function helloProgram(language: Language, code = HELLO.get(language.name)): Program {
  if (code === undefined) throw new Error(`the benchmark has no program in ${language.name}`);
  const request = { language: language.name, code };
  const bounds = boundsFor(BOUNDS, language.limits);
  const requestBounds = { maxProgramBytes: code.length, maxStdinBytes: 0 };
  return createRun(request, language, bounds, requestBounds, { tenant: "bench", durable: false, version: null })
    .program;
}

/** The machine's own toolchains, where a bare command finds them. */
export const MACHINE_PATH = "/usr/local/bin:/usr/bin:/bin";

/** A stage's command on this machine, with the Node that the product uses. */
export function machineCommand(command: readonly string[]): [file: string, words: string[]] {
  const [file = "", ...words] = plainCommand(command);
  return [file === "node" ? process.execPath : file, words];
}

/** A stage's variables on this machine, for a program in `folder`. */
export function machineEnvironment(
  environment: Readonly<Record<string, string>>,
  folder: string,
): Record<string, string> {
  return { ...BASE_ENVIRONMENT, ...environment, PATH: MACHINE_PATH, HOME: folder };
}
