import { join } from "node:path";

import { loadLanguages } from "../core/languages.ts";

/** Prints, for each language that needs Debian packages, the commands it starts, separated by commas, and the packages. */
function main(): void {
  const { languages } = loadLanguages(join(import.meta.dirname, "../docker"));
  for (const { compile, run, version, packages } of languages) {
    if (packages.length === 0) continue;
    const commands = [compile?.command, run.command, version.command].flatMap((words) => words?.[0] ?? []);
    // A command with a slash is what the compiler makes.
    const names = new Set(commands.filter((command) => !command.includes("/")));
    console.log([[...names].join(","), ...packages].join(" "));
  }
}

main();
