import { readFileSync } from "node:fs";
import { join } from "node:path";

import { settingsMarkdown } from "../api/settings-table.ts";
import { loadLanguages } from "../core/languages.ts";

const REGISTRY = loadLanguages(join(import.meta.dirname, "../docker"));
const [BEGIN, END] = ["<!-- settings -->", "<!-- /settings -->"];

/** The text between the markers; throws when they are not there. */
function betweenMarkers(text: string, path: string): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END, begin);
  if (begin === -1 || end === -1) throw new Error(`${path} has no ${BEGIN} ... ${END}`);
  return text.slice(begin + BEGIN.length, end);
}

const [option, path = "README.md", ...rest] = process.argv.slice(2);
if (option === undefined) {
  process.stdout.write(settingsMarkdown(REGISTRY));
} else if (option === "--check" && rest.length === 0) {
  if (betweenMarkers(readFileSync(path, "utf8"), path).trim() !== settingsMarkdown(REGISTRY).trim()) {
    process.stderr.write(`${path}: the table of settings is not what scripts/settings-table.ts prints\n`);
    process.exitCode = 1;
  }
} else {
  process.stderr.write("usage: settings-table.ts [--check [README.md]]\n");
  process.exitCode = 2;
}
