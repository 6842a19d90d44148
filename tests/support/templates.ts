import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "vitest";

const TEMPLATES = join(import.meta.dirname, "../../k8s/templates");

/** A folder with the Job templates, some of its files changed or added; gone with `await using`. */
export async function templates(
  changes: Readonly<Record<string, (text: string) => string>>,
): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), "sandbox-templates-"));
  await cp(TEMPLATES, path, { recursive: true });
  for (const [name, change] of Object.entries(changes)) {
    const text = await readFile(join(path, name), "utf8").catch(() => "");
    const changed = change(text);
    expect(changed).not.toBe(text);
    await writeFile(join(path, name), changed);
  }
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}
