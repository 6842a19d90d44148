import { describe, expect } from "vitest";

import { contractTest } from "../support/contract.ts";
import { PROGRAMS } from "../support/languages.ts";
import { source } from "../support/source.ts";

const test = contractTest({ CPU_LIMIT: "1", MAX_RUNNING: "2" });

test("the README's request gives its answer", async ({ api }) => {
  const response = await api.post("/api/run/sync", { language: "python", code: "a, b = 1, 2\nprint(a + b)" });
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({ stdout: "3\n", exit_code: 0, status: "succeeded" });
});

test("every language of the registry is tested here, and available", async ({ api }) => {
  const languages = await api.languages();
  expect(languages.map(({ name }) => name).toSorted()).toEqual(Object.keys(PROGRAMS).toSorted());
  for (const language of languages) expect(language).toMatchObject({ available: true });
});

test("an alias stands for its language", async ({ api }) => {
  for (const { name, aliases } of await api.languages()) {
    const runs = await Promise.all([name, ...aliases].map((language) => api.submit({ language, code: "x" })));
    expect(runs.map(({ language }) => language)).toEqual(runs.map(() => name));
    await Promise.all(runs.map(({ id }) => api.cancel(id)));
  }
});

test("the common names of the languages are among their aliases", async ({ api }) => {
  const languages = new Map((await api.languages()).map((language) => [language.name, language.aliases]));
  expect(languages.get("python")).toContain("py");
  expect(languages.get("nodejs")).toEqual(expect.arrayContaining(["js", "node", "javascript"]));
  expect(languages.get("typescript")).toContain("ts");
  expect(languages.get("cpp")).toContain("c++");
});

describe.each(Object.entries(PROGRAMS))("%s", (language, programs) => {
  test.concurrent("runs a program and tells all about its end", async ({ api }) => {
    const result = await api.run({ language, code: programs.hello });
    expect(result).toMatchObject({
      language,
      status: "succeeded",
      reason: null,
      stdout: "hello\n",
      stderr: "",
      exit_code: 0,
    });
    expect(result.run).toMatchObject({ stdout: "hello\n", exit_code: 0, signal: null, limit: null, truncated: false });
    expect(result.compile === null).toBe(!programs.broken.compiled);
    const [created, started, finished] = [result.created_at, result.started_at ?? "", result.finished_at].map(
      Date.parse,
    );
    expect(created).toBeLessThanOrEqual(started ?? Number.NaN);
    expect(started).toBeLessThanOrEqual(finished ?? Number.NaN);
  });

  test.concurrent("gets args, env and stdin, and its output, stderr and exit code come back", async ({ api }) => {
    const args = ["plain", "two words", "", "--flag=$(HOME)", "'\"\\", "grüße 🌍"];
    const stdin = "first line\nlast line without an end";
    const result = await api.run({ language, code: programs.mirror, args, stdin, env: { GREETING: "a=b $HOME 🌍" } });
    expect(result).toMatchObject({ status: "failed", exit_code: 3 });
    expect(result.stdout).toBe([...args, "a=b $HOME 🌍", stdin].join("\n"));
    expect(result.stderr).toBe("a complaint\n");
  });

  test.concurrent("has the version that is reported for it", async ({ api }) => {
    const { stdout, version } = await api.run({ language, code: programs.version });
    const reported = (await api.languages()).find(({ name }) => name === language)?.version;
    expect(reported).toMatch(/^\d+\.\d+/);
    expect(stdout).toBe(`${reported}\n`);
    expect(version).toBe(reported);
  });

  test.concurrent("is told what is wrong with a program that isn't one", async ({ api }) => {
    const { code, complaint, compiled } = programs.broken;
    const result = await api.run({ language, code });
    expect(result.stderr).toMatch(complaint);
    expect(result.exit_code).not.toBe(0);
    if (compiled) {
      expect(result).toMatchObject({ status: "compile_failed", run: null });
      expect(result.compile).toMatchObject({ stderr: result.stderr, exit_code: result.exit_code, limit: null });
    } else {
      expect(result).toMatchObject({ status: "failed", compile: null });
    }
  });

  test.concurrent("runs the first of several files with the others beside it", async ({ api }) => {
    const result = await api.run({ language, files: programs.files });
    expect(result).toMatchObject({ status: "succeeded", stdout: "hello from afar\n", stderr: "" });
  });
});

test("a file's content may be base64, for bytes that no text has", async ({ api }) => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const files = [
    { name: "main.py", content: 'import sys; sys.stdout.write(open("data/all.bin", "rb").read().hex())' },
    { name: "data/all.bin", content: bytes.toString("base64"), encoding: "base64" },
  ];
  expect(await api.run({ language: "python", files })).toMatchObject({ stdout: bytes.toString("hex") });
});

test("TypeScript's enums, namespaces and parameter properties are transformed, its types removed", async ({ api }) => {
  const code = source`
    enum Colour { Red = 1, Green }
    namespace Shapes { export const sides = 4; }
    class Point { constructor(readonly x: number, private y: number) {} sum(): number { return this.x + this.y; } }
    interface Named { name: string }
    const named = { name: "square" } satisfies Named;
    console.log(Colour[2], Shapes.sides, new Point(1, 2).sum(), named.name as unknown);
  `;
  expect(await api.run({ language: "typescript", code })).toMatchObject({ stdout: "Green 4 3 square\n", stderr: "" });
});

test("Node takes a program with imports as an ES module", async ({ api }) => {
  const code = 'import { basename } from "node:path";\nawait null;\nconsole.log(basename(import.meta.url));\n';
  expect(await api.run({ language: "nodejs", code })).toMatchObject({ stdout: "main.js\n", status: "succeeded" });
  const files = [
    { name: "main.mjs", content: 'import { name } from "./sibling.mjs";\nconsole.log(name);\n' },
    { name: "sibling.mjs", content: 'export const name = "a sibling";\n' },
  ];
  expect(await api.run({ language: "nodejs", files })).toMatchObject({ stdout: "a sibling\n", status: "succeeded" });
});

test("the tools that a program's language brings along work", async ({ api }) => {
  const threads = source`
    import multiprocessing, subprocess, threading
    def square(n): return n * n
    if __name__ == "__main__":
        with multiprocessing.Pool(2) as pool: print(pool.map(square, [1, 2, 3]))
        thread = threading.Thread(target=print, args=("a thread",)); thread.start(); thread.join()
        print(subprocess.run(["cat"], input="a pipe", capture_output=True, text=True).stdout)
  `;
  expect(await api.run({ language: "python", code: threads })).toMatchObject({
    stdout: "[1, 4, 9]\na thread\na pipe\n",
  });
  const worker = source`
    const { Worker } = require("node:worker_threads");
    new Worker("require('node:worker_threads').parentPort.postMessage('a worker')", { eval: true })
      .on("message", (message) => console.log(message));
  `;
  expect(await api.run({ language: "nodejs", code: worker })).toMatchObject({ stdout: "a worker\n", stderr: "" });
});
