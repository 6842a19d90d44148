import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { describe, expect, test } from "vitest";

import { loadLanguages, plainCommand } from "../../core/languages.ts";
import { temporaryFolder } from "../support/server.ts";

const ROOT = join(import.meta.dirname, "../..");
const PREPARED = join(ROOT, "build/languages/cpp");
const [, ...COMMAND] = loadLanguages(join(ROOT, "docker")).find("cpp")?.compile?.command ?? [];

type Sources = Readonly<Record<string, string>>;

interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
  program: Buffer | undefined;
}

/** Compiles in a folder of its own, always at the same path, by `command` and the words that stand for the sources. */
async function compile(sources: Sources, through: readonly string[], ...more: readonly string[]): Promise<Outcome> {
  await using folder = await temporaryFolder();
  for (const [name, content] of Object.entries(sources)) {
    mkdirSync(dirname(join(folder.path, name)), { recursive: true });
    writeFileSync(join(folder.path, name), content);
  }
  const names = Object.keys(sources).filter((name) => /\.(?:cpp|cc|cxx)$/.test(name));
  const [file = "", ...words] = [
    ...through,
    ...COMMAND.flatMap((word) => (word === "{sources}" ? names : word)),
    ...more,
  ];
  const { status, stdout, stderr } = spawnSync(file, words, { cwd: folder.path, encoding: "utf8" });
  const nameless = stderr.replaceAll(/\/tmp\/cc\w+\.o/g, "OBJECT");
  return { status, stdout, stderr: nameless, program: status === 0 ? read(join(folder.path, "program")) : undefined };
}

function read(path: string): Buffer {
  return readFileSync(path);
}

const HELLO = 'int main() { std::cout << "hello\\n"; }\n';

const PROGRAMS: Record<string, Sources> = {
  "plain iostream": { "main.cpp": `#include <iostream>\n${HELLO}` },
  "all of the library": {
    "main.cpp": `// sorts\n\n#include <bits/stdc++.h>\nusing namespace std;\nint main() { set<int> s{2, 1}; cout << *s.begin(); }\n`,
  },
  "an error": { "main.cpp": `#include <iostream>\nint main() { std::cout << missing; }\n` },
  "an error inside of the library": {
    "main.cpp": "#include <iostream>\n#include <set>\nstruct X {};\nint main() { std::set<X> s; s.insert(X{}); }\n",
  },
  "a header that was not asked for": {
    "main.cpp": "#include <iostream>\nint main() { std::vector<int> v; std::unordered_map<int, int> m; }\n",
  },
  "a warning": { "main.cpp": `#include <iostream>\n#warning look\nint zero() { return 1 / 0; }\n${HELLO}` },
  "a symbol that is nowhere": { "main.cpp": "#include <iostream>\nvoid f();\nint main() { f(); }\n" },
  "a macro before": { "main.cpp": `#define _GLIBCXX_ASSERTIONS 1\n#include <iostream>\n${HELLO}` },
  "a pragma before": { "main.cpp": `#pragma GCC optimize("O3")\n#include <iostream>\n${HELLO}` },
  "another header before": { "main.cpp": `#include <vector>\n#include <iostream>\n${HELLO}` },
  "a program's own header of the name": {
    "main.cpp": `#include <iostream>\n#include "bits/stdc++.h"\nint main() { std::cout << OWN; }\n`,
    "bits/stdc++.h": "#define OWN 7\n",
  },
  "several sources": {
    "main.cpp": `#include <iostream>\nint f();\nint main() { std::cout << f(); }\n`,
    "-f.cc": "#include <iostream>\nint f() { return __COUNTER__ + __LINE__; }\n",
  },
  "what is no source": { "main.cpp": "#include <iostream>\n\0\xff\n" },
};

describe("a program in C++ that is compiled with precompiled headers", () => {
  test.concurrent.each(Object.entries(PROGRAMS))("is what the plain command makes of it: %s", async (_, sources) => {
    const plain = await compile(sources, []);
    expect(await compile(sources, [join(PREPARED, "compile")])).toEqual(plain);
  });

  test.each([
    ["iostream", "plain iostream"],
    ["bits/stdc++.h", "all of the library"],
  ])("takes that of %s", async (header, name) => {
    const { status, stderr } = await compile(PROGRAMS[name] ?? {}, [], "-H", `-I${PREPARED}/headers`);
    expect(status).toBe(0);
    // One that is taken has an exclamation mark, and no other header is read (gcc(1), -H).
    expect(stderr).toMatch(new RegExp(`^! \\S+/${header.replaceAll("+", "\\+")}\\.gch\n`));
  });
});

test("what makes compiling faster is no part of the plain command", () => {
  expect(plainCommand(["/opt/sandbox/languages/cpp/compile", "g++", "x"])).toEqual(["g++", "x"]);
  expect(plainCommand(["/usr/bin/python3", "x"])).toEqual(["/usr/bin/python3", "x"]);
});
