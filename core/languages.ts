import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { parse } from "yaml";
import { z } from "zod";

import { LIMIT_NAMES } from "./limits.ts";
import type { Limits } from "./limits.ts";
import { checkFileName } from "./validators.ts";

const PLACEHOLDERS = ["{entry}", "{sources}", "{main_class}", "{memory_mebibytes}"] as const;

/** The runner takes no more (runner/ahead.c). */
const MAX_PRELUDE_BYTES = 256;

/** Every placeholder in `word` is known, and `{sources}`, which may become several words, is a word of its own. */
function hasGoodPlaceholders(word: string): boolean {
  const found: readonly string[] = word.match(/\{[^}]*\}/g) ?? [];
  if (found.includes("{sources}") && word !== "{sources}") return false;
  return found.every((placeholder) => (PLACEHOLDERS as readonly string[]).includes(placeholder));
}

const command = z
  .array(z.string().min(1))
  .min(1)
  .refine(
    (words) => words.every(hasGoodPlaceholders),
    `a placeholder in a command is one of ${PLACEHOLDERS.join(" ")}; {sources} stands alone`,
  );

/** A regular expression whose first group is the version. */
const versionPattern = z.string().transform((text, context) => {
  try {
    const pattern = new RegExp(text);
    // With an empty alternative the expression matches, and a match has a member for each group.
    const match = new RegExp(`${text}|`).exec("") ?? [];
    if (match.length > 1) return pattern;
    context.addIssue("a pattern has a group, which is the version");
  } catch (error) {
    context.addIssue(String(error));
  }
  return z.NEVER;
});

function isFileName(name: string): boolean {
  try {
    checkFileName(name, "file");
    return true;
  } catch {
    return false;
  }
}

const someLimits = z
  .strictObject(Object.fromEntries(LIMIT_NAMES.map((name) => [name, z.int().positive().optional()])))
  .transform((limits) => limits as Partial<Limits>);

const LANGUAGE = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/),
  aliases: z.array(z.string().min(1)).default([]),
  /** Name of the program's file when only `code` is given. */
  file: z.string().refine(isFileName, "a plain relative path such as main.py is wanted"),
  /**
   * Whether what executes the first stage can be started before the program: given a FIFO as the program's file, it waits
   * for it. `used`: only once somebody has used the language. With an `environment` it has these variables besides until it
   * waits, and removes them itself. With a `prelude` it is not the program's file that it waits for but one that `variable`
   * of its environment names, which it reads first: then the prelude is in there, and removes what can be seen of that.
   */
  ahead: z
    .union([
      z.boolean(),
      z.literal("used"),
      z.strictObject({ environment: z.record(z.string().regex(/^\w+$/), z.string()) }),
      z.strictObject({ variable: z.string().regex(/^\w+$/), prelude: z.string().min(1).max(MAX_PRELUDE_BYTES) }),
    ])
    .default(false),
  /** Which of the files `{sources}` stands for; all others are only put beside them. */
  source_extensions: z.array(z.string().regex(/^\.[a-z+]+$/)).default([]),
  compile: z.strictObject({ command }).optional(),
  run: z.strictObject({ command }),
  /** Set for both stages, before what the caller sets. */
  environment: z.record(z.string(), z.string()).default({}),
  version: z.strictObject({
    command: z.array(z.string().min(1)).min(1),
    /** Searched in what the command prints. */
    pattern: versionPattern,
  }),
  image: z.string().min(1),
  /** Debian packages that bring the toolchain to a machine that runs programs itself. */
  packages: z.array(z.string().regex(/^[a-z0-9][a-z0-9+.-]*$/)).default([]),
  /** What these packages bring and a command does not show, such as a library. */
  paths: z.array(z.string().regex(/^\/[^\s,]+$/)).optional(),
  limits: z
    .strictObject({ default: someLimits.default({}), maximum: someLimits.default({}) })
    .default({ default: {}, maximum: {} }),
});

/** What `docker/<language>/language.yaml` says of a language. */
export type Language = z.infer<typeof LANGUAGE>;

/** Where sandboxes have what `docker/<language>/prepare` has made of their toolchains: on one machine and in images. */
export const PREPARED_FOLDER = "/opt/sandbox/languages";

/** A command as the toolchain has it, without what is only in sandboxes and makes it faster. */
export function plainCommand(words: readonly string[]): readonly string[] {
  return words[0]?.startsWith(`${PREPARED_FOLDER}/`) === true ? words.slice(1) : words;
}

/** The languages by name and by alias. */
export class LanguageRegistry {
  readonly languages: readonly Language[];
  readonly #byName: ReadonlyMap<string, Language>;

  constructor(languages: readonly Language[]) {
    const byName = new Map<string, Language>();
    for (const language of languages) {
      for (const name of [language.name, ...language.aliases]) {
        const other = byName.get(name);
        if (other !== undefined) throw new Error(`two languages are called ${name}: ${other.name}, ${language.name}`);
        byName.set(name, language);
      }
    }
    this.languages = languages;
    this.#byName = byName;
  }

  find(name: string): Language | undefined {
    return this.#byName.get(name);
  }

  get names(): string[] {
    return this.languages.map((language) => language.name);
  }
}

/** Parses one registry entry; `source` is named in the error, with the field that is wrong. */
export function parseLanguage(text: string, source: string): Language {
  let entry: unknown;
  try {
    entry = parse(text);
  } catch (cause) {
    throw new Error(`${source}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  const parsed = LANGUAGE.safeParse(entry);
  if (!parsed.success) throw new Error(`${source}: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
  return parsed.data;
}

/** Reads every `<folder>/<language>/language.yaml`. Throws with the file and the field when one is wrong. */
export function loadLanguages(folder: string): LanguageRegistry {
  const languages: Language[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!entry.isDirectory()) continue;
    const path = join(folder, entry.name, "language.yaml");
    let text: string;
    try {
      text = readFileSync(path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") continue;
      throw error;
    }
    const language = parseLanguage(text, path);
    if (language.name !== entry.name)
      throw new Error(`${path}: name is ${language.name}, but its folder ${entry.name}`);
    languages.push(language);
  }
  return new LanguageRegistry(languages);
}
