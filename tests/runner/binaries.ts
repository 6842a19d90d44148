import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SOURCES = join(import.meta.dirname, "../../runner");
const BUILT = join(import.meta.dirname, "../../build/tests");

export type BinaryName = "normal" | "sanitized";

/** Both builds, for `describe.each`: what must hold for one must hold for the other. */
export const BINARIES: BinaryName[] = ["normal", "sanitized"];

function hashOfSources(): string {
  const hash = createHash("sha256");
  for (const name of readdirSync(SOURCES).toSorted()) hash.update(name).update(readFileSync(join(SOURCES, name)));
  return hash.digest("hex").slice(0, 16);
}

/** The path of the binary made from the sources as they are now; built when it isn't there yet. */
function built(name: BinaryName): string {
  const path = join(BUILT, `runner-${name}-${hashOfSources()}`);
  if (!existsSync(path)) {
    execFileSync(join(SOURCES, "build"), name === "sanitized" ? [path, "--sanitize"] : [path], { timeout: 120_000 });
  }
  return path;
}

const isRoot = process.getuid?.() === 0;
const installed = new Map<BinaryName, string>();
let folder: string | undefined;

/**
 * The path of a binary where any user id can reach it. Root starts sandboxes as another user, who may have no way into
 * the checkout; anyone else starts them as themselves, and couldn't copy a file that they may execute but not read.
 */
export function binaryPath(name: BinaryName): string {
  const known = installed.get(name);
  if (known !== undefined) return known;
  let path = built(name);
  if (isRoot) {
    folder ??= reachableFolder();
    const copy = join(folder, name);
    copyFileSync(path, copy);
    chmodSync(copy, name === "sanitized" ? 0o555 : 0o111);
    path = copy;
  }
  installed.set(name, path);
  return path;
}

/** A temporary folder that every user may enter, removed when the process exits. */
export function reachableFolder(): string {
  const path = mkdtempSync(join(tmpdir(), "runner-test-"));
  chmodSync(path, 0o755);
  process.once("exit", () => rmSync(path, { recursive: true, force: true }));
  return path;
}
