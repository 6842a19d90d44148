import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { BINARIES, type BinaryName, reachableFolder } from "./binaries.ts";
import { Sandbox } from "./sandbox.ts";

const PLACE = "/opt/sandbox/version";

async function versionOf(binds: Record<string, string>, binary: BinaryName): Promise<string | null> {
  await using sandbox = new Sandbox({ binary, binds });
  return (await sandbox.frames.until("ready")).version;
}

describe.each(BINARIES)("the toolchain's version (%s)", (binary) => {
  const path = join(reachableFolder(), "version");

  test.each([
    ["one line", "3.13.5\n", "3.13.5"],
    ["a line without its end", "21.0.8+9-LTS (Debian)", "21.0.8+9-LTS (Debian)"],
    ["64 characters", `${"1".repeat(64)}\n`, "1".repeat(64)],
    ["65 characters", `${"1".repeat(65)}\n`, null],
    ["more than that", "1".repeat(100_000), null],
    ["two lines", "3.13.5\n3.13.6\n", null],
    ["an empty line", "\n", null],
    ["nothing", "", null],
    ["a quote", '3"', null],
    ["a backslash", "3\\n", null],
    ["a control character", "3\x1b[0m", null],
    ["a character outside of ASCII", "3é", null],
  ])("of a file with %s", async (_, content, version) => {
    writeFileSync(path, content);
    expect(await versionOf({ [PLACE]: path }, binary)).toBe(version);
  });

  test("is unknown without the file, or with a device or a folder in its place", async () => {
    expect(await versionOf({}, binary)).toBe(null);
    expect(await versionOf({ [PLACE]: "/dev/null" }, binary)).toBe(null);
    const folder = reachableFolder();
    mkdirSync(join(folder, "version"));
    expect(await versionOf({ "/opt/sandbox": folder }, binary)).toBe(null);
  });
});
