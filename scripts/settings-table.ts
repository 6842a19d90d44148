import { readFileSync } from "node:fs";
import { join } from "node:path";

import { settingsMarkdown } from "../api/settings-table.ts";
import { loadLanguages } from "../core/languages.ts";
import { markedPart } from "./marked-part.ts";

const REGISTRY = loadLanguages(join(import.meta.dirname, "../docker"));

const [option, path = "README.md", ...rest] = process.argv.slice(2);
if (option === undefined) {
  process.stdout.write(settingsMarkdown(REGISTRY));
} else if (option === "--check" && rest.length === 0) {
  const { part } = markedPart(readFileSync(path, "utf8"), { name: "settings", path });
  if (part.trim() !== settingsMarkdown(REGISTRY).trim()) {
    process.stderr.write(`${path}: the table of settings is not what scripts/settings-table.ts prints\n`);
    process.exitCode = 1;
  }
} else {
  process.stderr.write("usage: settings-table.ts [--check [README.md]]\n");
  process.exitCode = 2;
}
