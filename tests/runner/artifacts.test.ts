import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { BINARIES } from "./binaries.ts";
import type { Outcome } from "./frames.ts";
import { execute } from "./sandbox.ts";

interface Artifact {
  name: string;
  size: number;
  content: Buffer | null;
}

/** The artifacts that the frames carry, as one would put them together who knows nothing but the frames. */
function artifactsOf({ frames, failed }: Outcome): Artifact[] {
  expect(failed).toBe(null);
  const artifacts: Artifact[] = [];
  for (const frame of frames) {
    if (frame.type === "artifact") {
      artifacts.push({ name: frame.name, size: frame.size_bytes, content: frame.has_content ? Buffer.alloc(0) : null });
    }
    const last = artifacts.at(-1);
    if (frame.type === "content" && last?.content)
      last.content = Buffer.concat([last.content, Buffer.from(frame.data, "base64")]);
  }
  return artifacts;
}

function omitted({ frames }: Outcome): number {
  return frames.flatMap((frame) => (frame.type === "artifacts_ended" ? [frame.omitted] : []))[0] ?? -1;
}

describe.each(BINARIES)("artifacts (%s)", (binary) => {
  async function collect(script: string, ...globs: string[]): Promise<Outcome> {
    const limits = { fileBytes: 128 << 20 };
    return await execute(
      { stages: [{ command: ["bash", "-c", script], limits }], workInodes: 60_000, globs },
      { binary },
    );
  }

  async function names(script: string, ...globs: string[]): Promise<string[]> {
    return artifactsOf(await collect(script, ...globs)).map(({ name }) => name);
  }

  test("are the files that a glob matches, with all their bytes, in the order of their names", async () => {
    const script =
      "head -c 200000 /dev/urandom > b.bin; sha256sum < b.bin; printf '\\0\\xff' > a.bin; touch c.bin d.txt";
    const outcome = await collect(script, "*.bin");
    const [a, b, c] = artifactsOf(outcome);
    expect(a).toEqual({ name: "a.bin", size: 2, content: Buffer.of(0, 0xff) });
    expect(b).toMatchObject({ name: "b.bin", size: 200_000 });
    const digest = createHash("sha256")
      .update(b?.content ?? "")
      .digest("hex");
    expect(outcome.stages[0]?.stdout.toString()).toBe(`${digest}  -\n`);
    expect(c).toEqual({ name: "c.bin", size: 0, content: Buffer.alloc(0) });
    expect(outcome.course).toMatch(/ended artifact content artifact content artifact artifacts_ended finished$/);
  });

  const TREE = "mkdir -p a/b/c x; touch top.txt a/one.txt a/b/two.txt a/b/c/three.txt a/b/c/.four x/one.txt '*'";
  test.each([
    ["*.txt", ["top.txt"]],
    ["*", ["*", "top.txt"]],
    ["**", ["*", "a/b/c/.four", "a/b/c/three.txt", "a/b/two.txt", "a/one.txt", "top.txt", "x/one.txt"]],
    ["**/*.txt", ["a/b/c/three.txt", "a/b/two.txt", "a/one.txt", "top.txt", "x/one.txt"]],
    ["a/**/three.txt", ["a/b/c/three.txt"]],
    ["**/b/**/*.txt", ["a/b/c/three.txt", "a/b/two.txt"]],
    ["a/*/*.txt", ["a/b/two.txt"]],
    ["?/one.txt", ["a/one.txt", "x/one.txt"]],
    ["a/b", []],
    ["a/b/", []],
    ["**/c", []],
    ["top.tx?", ["top.txt"]],
    ["top.txt?", []],
    ["*o*p*t*x*t*", ["top.txt"]],
    ["[a-z]*", []],
  ])("%s means what globs mean", async (glob, expected) => {
    if (glob.endsWith("/")) return expect((await collect(TREE, glob)).failed).toMatch(/invalid name/);
    expect(await names(TREE, glob)).toEqual(expected);
  });

  test("are named once, however many globs match", async () => {
    expect(await names("touch a b", "*", "a", "?", "**")).toEqual(["a", "b"]);
  });

  test("are there however the program ended, and not after a compile that failed", async () => {
    expect(await names("touch a; exit 3", "*")).toEqual(["a"]);
    expect(await names("touch a; kill -9 $$", "*")).toEqual(["a"]);
    const stages = [{ kind: "c" as const, command: ["sh", "-c", "touch a; exit 1"] }, { command: ["true"] }];
    expect((await execute({ stages, globs: ["*"] }, { binary })).course).toBe("ready started ended finished");
  });

  test("are regular files only: no link, pipe, socket or folder, and none that a link leads to", async () => {
    const script = [
      "echo real > real; ln real hard; ln -s real soft; ln -s /etc/passwd passwd; ln -s /etc etc; ln -s . self",
      "ln -s /proc/1/environ environ; mkfifo pipe; mkdir folder; ln -s /dev/zero zero",
      "python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"socket\")'",
    ].join("\n");
    const outcome = await collect(script, "**", "etc/*", "self/*", "**/passwd");
    expect(artifactsOf(outcome).map(({ name, content }) => [name, content?.toString()])).toEqual([
      ["hard", "real\n"],
      ["real", "real\n"],
    ]);
  });

  test("that can't be read are named", async () => {
    const outcome = await collect(
      "echo x > closed; chmod 000 closed; mkdir d; touch d/in; chmod 000 d; touch open; chmod 000 .",
      "**",
    );
    expect(artifactsOf(outcome).map(({ name, content }) => [name, content !== null])).toEqual([
      ["closed", false],
      ["open", true],
    ]);
  });

  test("have 4 MiB together; what does not fit is named, and smaller ones after it still come", async () => {
    const outcome = await collect("head -c 3000000 /dev/zero > a; cp a b; truncate -s 100M c; echo > d", "?");
    expect(artifactsOf(outcome).map(({ name, size, content }) => [name, size, content?.length])).toEqual([
      ["a", 3_000_000, 3_000_000],
      ["b", 3_000_000, undefined],
      ["c", 100 << 20, undefined],
      ["d", 1, 1],
    ]);
  });

  test("of 50,000 files are the first 100 by name, 20 with their content", async () => {
    const outcome = await collect('python3 -c \'for n in range(50_000): open(f"f{n:05}", "w")\'', "f*");
    const artifacts = artifactsOf(outcome);
    expect(artifacts.map(({ name }) => name)).toEqual(
      Array.from({ length: 100 }, (_, n) => `f${String(n).padStart(5, "0")}`),
    );
    expect(artifacts.filter(({ content }) => content !== null)).toHaveLength(20);
    expect(omitted(outcome)).toBe(49_900);
  });

  test("in folders deeper than 32, or with names that are no text, are left out", async () => {
    const script = "touch $'a\\nb' $'\\xff' ok ü $'\\x7f' '\"\\'; for n in {1..40}; do mkdir d; cd d; touch f; done";
    const found = await names(script, "**");
    expect(found.filter((name) => !name.includes("/"))).toEqual(['"\\', "ok", "ü"]);
    expect(found.filter((name) => name.includes("/"))).toHaveLength(31);
  });

  test("of a program whose daemon goes on writing are read in peace", async () => {
    const script =
      "setsid bash -c 'while :; do echo x >> log; ln -sf /etc/passwd swap; done' & sleep 0.2; echo end > log2";
    expect(await names(script, "*")).toEqual(["log", "log2"]);
  });

  test("cost no more time for a glob made to be slow", async () => {
    const glob = `${"*a".repeat(100)}b`;
    const started = performance.now();
    expect(
      await names(
        `touch ${"a".repeat(250)}; mkdir -p ${"d/".repeat(30)}; touch ${"d/".repeat(30)}f`,
        glob,
        `${"**/".repeat(60)}*a*b`,
      ),
    ).toEqual([]);
    expect(performance.now() - started).toBeLessThan(15_000);
  });
});
