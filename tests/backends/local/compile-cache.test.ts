import { expect, test as base } from "vitest";

import { Client } from "../../support/client.ts";
import type { RequestBody } from "../../support/client.ts";
import { startServer, temporaryFolder } from "../../support/server.ts";

const KEYS = { ada: "ada-secret-0123456789", ben: "ben-secret-0123456789" };
const API_KEYS = Object.entries(KEYS)
  .map(([name, secret]) => `${name}:${secret}`)
  .join(",");

interface Served {
  ada: Client;
  ben: Client;
  counts: () => Promise<{ hit: number; miss: number }>;
}

/** A server for one test, whose cache is empty. */
async function serve(settings: Record<string, string>, use: (served: Served) => Promise<void>): Promise<void> {
  await using folder = await temporaryFolder();
  await using server = await startServer({
    DATA_DIR: folder.path,
    CPU_LIMIT: "2",
    WARM_MAX: "0",
    API_KEYS,
    ...settings,
  });
  const [ada, ben] = [KEYS.ada, KEYS.ben].map((key) => new Client(server.url, { "x-api-key": key }));
  if (ada === undefined || ben === undefined) throw new Error("there are two keys");
  const count = async (result: string): Promise<number> =>
    (await ada.metrics()).sum("sandbox_compile_cache_total", { result });
  await use({ ada, ben, counts: async () => ({ hit: await count("hit"), miss: await count("miss") }) });
}

/** One server for all tests but those of its settings; each has programs of its own. */
const test = base.extend<{ $file: { served: Served } }>({
  served: [async ({}, use) => await serve({}, use), { scope: "file" }],
});

/** A program in C; the comment makes it another one. */
function c(body: string, more: RequestBody = {}): RequestBody {
  return { language: "c", code: `#include <stdio.h>\n#include <unistd.h>\nint main(void) { ${body} }`, ...more };
}

const WARNS = c('int unused = 1; const char *s; printf("%d\\n", (int)getchar()); return s == 0 ? 3 : 3;', {
  stdin: "A",
});

test("the same program is compiled once, and its answer is the same but for that", async ({ served }) => {
  const { ada, counts } = served;
  const before = await counts();
  const warning = { ...WARNS, code: `#warning look\n${String(WARNS["code"])}` };
  const first = await ada.run(warning);
  const second = await ada.run(warning);
  expect(first).toMatchObject({ status: "failed", stdout: "65\n", exit_code: 3 });
  expect(first.compile?.stderr).toContain("#warning look");
  expect(first.compile).not.toHaveProperty("cached");
  expect(second.compile).toEqual({ ...first.compile, cached: true });
  expect(second).toMatchObject({ status: first.status, stdout: first.stdout, exit_code: first.exit_code });
  expect(await counts()).toEqual({ hit: before.hit + 1, miss: before.miss + 1 });
});

test("what is not of the compile stage may differ: input, arguments, variables, limits of the run, tests", async ({
  served: { ada },
}) => {
  const echo = c('printf("%s %s", getenv("NAME"), v[c - 1]); int i = getchar(); if (i >= 0) putchar(i); return 0;');
  const program = {
    language: "c",
    code: `#include <stdio.h>\n#include <stdlib.h>\n${String(echo["code"]).split("\n").at(-1)?.replace("void", "int c, char **v")}`,
  };
  await ada.run({ ...program, env: { NAME: "a" } });
  const other = { stdin: "x", args: ["last"], env: { NAME: "b" }, limits: { wall_ms: 5000, memory_bytes: 1 << 27 } };
  const second = await ada.run({ ...program, ...other });
  expect(second.compile).toMatchObject({ cached: true });
  expect(second.stdout).toBe("b lastx");
  const tested = await ada.run({
    ...program,
    env: { NAME: "t" },
    args: ["l"],
    tests: [{ stdin: "1" }, { stdin: "2" }],
  });
  expect(tested.compile).toMatchObject({ cached: true });
  expect(tested.tests?.map(({ stdout }) => stdout)).toEqual(["t l1", "t l2"]);
});

test("another key, another text, another name and another limit of compiling are compiled anew", async ({
  served: { ada, ben },
}) => {
  const program = c("return 0 * 7;");
  await ada.run(program);
  const code = String(program["code"]);
  for (const [client, other] of [
    [ben, program],
    [ada, { ...program, code: `${code} ` }],
    [ada, { language: "c", files: [{ name: "other.c", content: code }] }],
    [
      ada,
      {
        language: "c",
        files: [
          { name: "main.c", content: code },
          { name: "beside.h", content: "" },
        ],
      },
    ],
    [ada, { ...program, language: "cpp" }],
    [ada, { ...program, limits: { compile_memory_bytes: 256 << 20 } }],
  ] as const) {
    const result = await client.run(other);
    expect(result, JSON.stringify(other)).toMatchObject({ status: "succeeded" });
    expect(result.compile, JSON.stringify(other)).not.toHaveProperty("cached");
  }
  expect((await ada.run(program)).compile).toMatchObject({ cached: true });
});

test("a program that changes what it was compiled to changes it for itself only", async ({ served: { ada } }) => {
  const program = c(
    'FILE *f = fopen("program.new", "w"); fputs("#!/bin/sh\\necho other\\n", f); fchmod(fileno(f), 0755); fclose(f);' +
      ' rename("program.new", "program"); f = fopen("main.c", "a"); fputs("#error", f); fclose(f); symlink("x", "y");' +
      ' puts("first"); return access("left", F_OK) == 0 || creat("left", 0600) < 0;',
  );
  const included = { ...program, code: `#include <fcntl.h>\n#include <sys/stat.h>\n${String(program["code"])}` };
  for (const cached of [undefined, true, true]) {
    const result = await ada.run(included);
    expect(result).toMatchObject({ status: "succeeded", stdout: "first\n" });
    expect(result.compile?.cached).toBe(cached);
  }
});

test("what did not compile is compiled again", async ({ served: { ada, counts } }) => {
  const before = await counts();
  for (let time = 0; time < 2; time += 1) {
    const result = await ada.run(c("return x;"));
    expect(result).toMatchObject({ status: "compile_failed" });
    expect(result.compile).not.toHaveProperty("cached");
  }
  expect(await counts()).toEqual({ hit: before.hit, miss: before.miss + 2 });
});

test("a run that is asked for later and its events say it as well", async ({ served: { ada } }) => {
  const program = c('puts("hello"); return 0;');
  await ada.run(program);
  const { id } = await ada.submit(program);
  const result = await ada.finished(id);
  expect(result).toMatchObject({ status: "succeeded", stdout: "hello\n", compile: { cached: true } });
  const events = [];
  for await (const { event, data } of await ada.events(id)) events.push({ event, data });
  expect(events.map(({ event }) => event)).toEqual([
    ...["stage_started", "stage_ended", "stage_started", "output", "stage_ended", "finished"],
  ]);
  expect(events[1]?.data).toMatchObject({ stage: "compile", exit_code: 0, cached: true });
});

test("every language that compiles runs what was kept, folders and all", async ({ served: { ada } }) => {
  const programs: RequestBody[] = [
    {
      language: "java",
      files: [
        {
          name: "Main.java",
          content: "public class Main { public static void main(String[] a) { pack.Part.say(); } }",
        },
        {
          name: "pack/Part.java",
          content: 'package pack; public class Part { public static void say() { System.out.println("hello"); } }',
        },
      ],
    },
    { language: "go", code: 'package main\n\nfunc main() { println("hello") }' },
    { language: "rust", code: 'fn main() { println!("hello"); }' },
    { language: "cpp", code: '#include <cstdio>\nint main() { std::puts("hello"); }' },
  ];
  for (const program of programs) {
    const { status, stdout, stderr } = await ada.run(program);
    expect(status).toBe("succeeded");
    const again = await ada.run(program);
    expect(again).toMatchObject({ status, stdout, stderr, compile: { cached: true } });
  }
});

test("the key that keeps most gives up what it used longest ago", async () => {
  await serve({ COMPILE_CACHE_BYTES: "100000" }, async ({ ada, ben }) => {
    const program = (number: number): RequestBody => c(`return 0; /* ${number} */`);
    const isCached = async (client: Client, number: number): Promise<boolean> =>
      (await client.run(program(number))).compile?.cached === true;
    await isCached(ben, 0);
    await isCached(ada, 0);
    // Each takes some 17 kB.
    for (let number = 1; number <= 6; number += 1) {
      await isCached(ada, number);
      expect(await isCached(ada, 0)).toBe(true);
    }
    expect(await isCached(ada, 6)).toBe(true);
    expect(await isCached(ada, 1)).toBe(false);
    expect(await isCached(ben, 0)).toBe(true);
  });
});

test("COMPILE_CACHE_BYTES=0 keeps nothing", async () => {
  await serve({ COMPILE_CACHE_BYTES: "0" }, async ({ ada, counts }) => {
    for (let time = 0; time < 2; time += 1) expect((await ada.run(WARNS)).compile).not.toHaveProperty("cached");
    expect(await counts()).toEqual({ hit: 0, miss: 0 });
  });
});
