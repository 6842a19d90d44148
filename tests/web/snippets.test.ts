import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { expect } from "vitest";

import { contractTest } from "../support/contract.ts";
import { temporaryFolder } from "../support/server.ts";
import { snippetsOf } from "../../web/snippets.ts";
import type { Snippet } from "../../web/snippets.ts";

const KEY = "0123456789abcdef0123456789abcdef";
const test = contractTest({ API_KEYS: `ada:${KEY}` });

/** How a snippet is executed, from a file of this name. */
const COMMANDS: Record<Snippet["name"], { file: string; command: string }> = {
  curl: { file: "snippet.sh", command: "bash" },
  Python: { file: "snippet.py", command: "python3" },
  TypeScript: { file: "snippet.mts", command: process.execPath },
};

/** All that could end a text in one of the languages early. */
const AWKWARD = 'it\'s "quoted" \\ $HOME `id` $(id) %s \'\'\' """ ${x} \u2028 ü 😀 \t é';

test.for(Object.keys(COMMANDS) as Snippet["name"][])(
  "the request in %s sends just what the page would",
  async (name, { server }) => {
    await using folder = await temporaryFolder();
    const request = {
      language: "python",
      code: "import sys\nprint(sys.stdin.read(), sys.argv[1:], ascii('\u00e9'))",
      stdin: AWKWARD,
      args: [AWKWARD, "'"],
      limits: { wall_ms: 20_000 },
    };
    const { file, command } = COMMANDS[name];
    const path = join(folder.path, file);
    const text = snippetsOf(request, server.url, true).find((snippet) => snippet.name === name)?.text ?? "";
    expect(text).not.toContain(KEY);
    await writeFile(path, text);
    const { stdout } = await promisify(execFile)(command, [path], {
      env: { PATH: process.env["PATH"], PYTHONIOENCODING: "utf8", SANDBOX_API_KEY: KEY },
      timeout: 60_000,
    });
    const printed = name === "curl" ? (JSON.parse(stdout) as { stdout: string }).stdout : stdout;
    expect(printed).toContain(AWKWARD);
    expect(printed).toContain("é");
  },
);
