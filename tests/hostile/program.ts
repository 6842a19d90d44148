import { globSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";

import { parse } from "yaml";
import { z } from "zod";

import { LIMIT_NAMES, RESULT } from "../support/answers.ts";
import type { RequestBody } from "../support/client.ts";
import { PLACE } from "./place.ts";
import type { Place } from "./place.ts";

const FOLDER = import.meta.dirname;

const LANGUAGES: Readonly<Record<string, string>> = {
  ".c": "c",
  ".cpp": "cpp",
  ".go": "go",
  ".java": "java",
  ".js": "nodejs",
  ".py": "python",
  ".rs": "rust",
  ".sh": "bash",
  ".ts": "typescript",
};

/** What must come of a program; a place may have another outcome, with the reason for it. */
const EXPECTED = z.strictObject({
  /** What it may end as; nothing where it is not even taken. */
  outcomes: z.array(RESULT.shape.status).default([]),
  /** The field for which it is refused. */
  refused: z.string().optional(),
  /** The limit that ended it. */
  limit: z.string().optional(),
  exit_code: z.int().optional(),
  signal: z.string().optional(),
  /** An expression that all of stdout matches. */
  stdout: z.string().optional(),
  /** An expression for what it is known to get there, which is harmless for the reason given. */
  known: z.string().optional(),
});

const PLACES = z.enum(["local", "runc", "gvisor", "user-namespaces"] satisfies Place[]);

/** The comment at a program's head, which is YAML. */
const HEAD = EXPECTED.extend({
  tries: z.string(),
  limits: z.partialRecord(z.enum(LIMIT_NAMES), z.int()).optional(),
  stdin: z.string().optional(),
  /** So many times `stdin`. */
  stdin_repeated: z.int().default(1),
  args: z.array(z.string()).optional(),
  env: z.record(z.string(), z.string()).optional(),
  /** Files beside the program, by their names; `base64:` begins what is no text. */
  files: z.record(z.string(), z.string()).default({}),
  elsewhere: z.partialRecord(PLACES, EXPECTED.extend({ reason: z.string() })).optional(),
});

export type Expected = z.infer<typeof EXPECTED>;

/** A hostile program, ready to be handed in. */
export interface HostileProgram {
  /** Its path below the corpus's folder, such as `memory/touch.c`. */
  path: string;
  language: string;
  tries: string;
  request: RequestBody;
  /** What holds its time, whichever stage it spends it in. */
  wallMs: { compile: number; run: number };
  expected: Expected;
}

/** What stands in a program's text as `{{name}}`: the places that it is after. */
export type Targets = Readonly<Record<string, string>>;

/** What kernels and users decide, rather than the limits that are the same in every Pod. */
const DECIDED_BELOW = ["disk", "forging", "network", "secrets", "signals", "syscalls"];
const FAMILIES_OF: Partial<Record<Place, readonly string[]>> = {
  gvisor: DECIDED_BELOW,
  "user-namespaces": DECIDED_BELOW,
};

/** The languages that are started soonest. */
const NEAR_KERNEL = new Set(["bash", "c"]);

const DEFAULT_WALL_MS = 10_000;
const DEFAULT_COMPILE_WALL_MS = 30_000;

function fill(text: string, targets: Targets): string {
  return text.replaceAll(/\{\{(\w+)\}\}/g, (whole, name: string) => targets[name] ?? whole);
}

function fileOf(name: string, content: string): Record<string, string> {
  const encoded = /^base64:(.*)$/s.exec(content)?.[1];
  return encoded === undefined ? { name, content } : { name, content: encoded, encoding: "base64" };
}

function headOf(text: string): z.infer<typeof HEAD> {
  const mark = text.startsWith("#") ? "#" : "//";
  const lines = text.split("\n");
  const end = lines.findIndex((line) => !line.startsWith(mark));
  return HEAD.parse(
    parse(
      lines
        .slice(0, end)
        .map((line) => line.slice(mark.length))
        .join("\n"),
    ),
  );
}

const FAMILIES = globSync("*/", { cwd: FOLDER }).toSorted();

/** Undefined where all programs run. */
const HERE = process.env["HOSTILE"] === "all" ? undefined : FAMILIES_OF[PLACE];

/**
 * The folders whose programs run here: another kernel or user may decide otherwise about these, and about nothing that
 * happens within a program or a language. `HOSTILE=all` makes it all of them.
 */
export function familiesHere(): string[] {
  return FAMILIES.filter((family) => HERE?.includes(family) ?? true);
}

/** The paths of a family's programs. What a kernel decides, it decides in every language. */
export function programsOf(family: string): string[] {
  const programs = globSync(`${family}/*`, { cwd: FOLDER }).toSorted();
  return HERE === undefined ? programs : programs.filter((path) => NEAR_KERNEL.has(languageOf(path)));
}

export function languageOf(path: string): string {
  const language = LANGUAGES[extname(path)];
  if (language === undefined) throw new Error(`no language has programs like ${path}`);
  return language;
}

/** What a program tries, for the name of its test. */
export function triesOf(path: string): string {
  return headOf(readFileSync(join(FOLDER, path), "utf8")).tries;
}

/** Reads a program with what it is after filled in. */
export function readProgram(path: string, targets: Targets): HostileProgram {
  const language = languageOf(path);
  const code = fill(readFileSync(join(FOLDER, path), "utf8"), targets);
  const { tries, limits, stdin, stdin_repeated, args, env, files, elsewhere, ...expected } = headOf(code);
  const others = Object.entries(files).map(([name, content]) => fileOf(name, content));
  const main = { name: language === "java" ? "Main.java" : `main${extname(path)}`, content: code };
  return {
    path,
    language,
    tries,
    request: {
      language,
      files: [main, ...others],
      ...(limits && { limits }),
      ...(stdin !== undefined && { stdin: stdin.repeat(stdin_repeated) }),
      ...(args && { args }),
      ...(env && { env }),
    },
    wallMs: {
      compile: limits?.compile_wall_ms ?? DEFAULT_COMPILE_WALL_MS,
      run: limits?.wall_ms ?? DEFAULT_WALL_MS,
    },
    expected: elsewhere?.[PLACE] ?? expected,
  };
}
