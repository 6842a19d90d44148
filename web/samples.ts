import type { SourceText } from "./answers.ts";

/** Every language's sample, `samples/<language>/<file>`; the file bears the name that programs of the language have. */
const SOURCES = import.meta.glob<string>("./samples/*/*", { query: "?raw", import: "default", eager: true });

const SAMPLES = new Map<string, SourceText>(
  Object.entries(SOURCES).flatMap(([path, content]) => {
    const [, language, name] = /^\.\/samples\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
    return language === undefined || name === undefined ? [] : [[language, { name, content }]];
  }),
);

/** A program to begin with; an empty one for a language that has none. */
export function sampleOf(language: string): SourceText {
  return SAMPLES.get(language) ?? { name: "program", content: "" };
}
