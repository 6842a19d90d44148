import { join } from "node:path";

import { expect } from "vitest";

import { loadLanguages } from "../../core/languages.ts";
import { languageOf } from "../../web/editor/languages.ts";
import { sampleOf } from "../../web/samples.ts";
import { contractTest } from "../support/contract.ts";

const { languages } = loadLanguages(join(import.meta.dirname, "../../docker"));
const test = contractTest();

test.for(languages)(
  "$name has a sample, named as its programs are, that runs well and is highlighted",
  async ({ name, file }, { api }) => {
    const sample = sampleOf(name);
    expect(sample.name).toBe(file);
    expect(languageOf(sample.name)).toBeDefined();
    const { status, stdout, compile, run } = await api.run({
      language: name,
      code: sample.content,
      stdin: "one two two",
    });
    expect(status, JSON.stringify({ compile, run })).toBe("succeeded");
    expect(stdout.length).toBeGreaterThan(10);
  },
);
