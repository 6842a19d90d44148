import type { LanguageRegistry } from "../core/languages.ts";
import { settingsTable } from "./settings.ts";

function code(text: string): string {
  return `\`${text}\``;
}

/** Every setting as a row of a Markdown table; the same on every machine. */
export function settingsMarkdown(registry: LanguageRegistry): string {
  const rows = [...settingsTable({}, registry)].map(
    ([name, { schema, description, default: initial, defaultInWords }]) => [
      code(name),
      defaultInWords ?? code(initial),
      `${description} (${schema.description ?? ""})`,
    ],
  );
  const lines = [["variable", "default", "what"], ["---", "---", "---"], ...rows];
  return lines.map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`).join("");
}
