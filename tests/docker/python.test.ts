import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { temporaryFolder } from "../support/server.ts";

const AHEAD = { LD_PRELOAD: join(import.meta.dirname, "../../build/languages/python/ahead.so") };

function execute(file: string, words: readonly string[], env: Record<string, string>, input = "") {
  const { status, stdout, stderr } = spawnSync(file, words, {
    input,
    encoding: "utf8",
    env: { PATH: "/usr/bin:/bin", ...env },
  });
  return { status, stdout, stderr };
}

/** Tells whether the interpreter has all of its data for itself, whether its own objects are frozen, and what is left of the variable. */
const SHOW = String.raw`import gc, os, re
data = re.search(r" rw-p [^\n]*/python3.*?Size: +(\d+).*?Anonymous: +(\d+)", open("/proc/self/smaps").read(), re.S)
print(data[1] == data[2], gc.get_freeze_count() > 1000, os.environ.get("LD_PRELOAD"))`;

test("an interpreter that is started with it has all of its data, and has frozen what was there before the program", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "main.py");
  writeFileSync(path, SHOW);
  expect(execute("python3", [path], {}).stdout).toBe("False False None\n");
  expect(execute("python3", [path], AHEAD)).toEqual({ status: 0, stdout: "True True None\n", stderr: "" });
});

test("what is no interpreter is started with it as without", () => {
  const command = ["-c", "env; cat; exit 3"];
  const plain = execute("sh", command, {}, "in");
  expect(plain).toMatchObject({ status: 3, stdout: expect.stringMatching(/in$/) as string });
  expect(execute("sh", command, AHEAD, "in")).toEqual(plain);
});
