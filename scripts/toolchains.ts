import { join } from "node:path";

import { loadLanguages, plainCommand } from "../core/languages.ts";

/**
 * Prints, for each language that needs Debian packages, what has to be there, separated by commas, and the packages: the
 * commands that it starts and the paths that it names.
 */
function main(): void {
  const { languages } = loadLanguages(join(import.meta.dirname, "../docker"));
  for (const { compile, run, version, packages, paths = [] } of languages) {
    if (packages.length === 0) continue;
    const commands = [compile?.command, run.command, version.command].flatMap(
      (words) => plainCommand(words ?? [])[0] ?? [],
    );
    // A command with a relative path is what the compiler makes.
    const wanted = new Set(commands.filter((command) => command.startsWith("/") || !command.includes("/")));
    console.log([[...wanted, ...paths].join(","), ...packages].join(" "));
  }
}

main();
