import { createHash } from "node:crypto";

import { describe, expect } from "vitest";

import type { Client } from "../support/client.ts";
import { contractTest } from "../support/contract.ts";

const test = contractTest({ CPU_LIMIT: "1" });

const MiB = 1024 * 1024;

/** A program that writes exactly these bytes. */
function writing(bytes: Uint8Array, stream: "stdout" | "stderr" = "stdout"): Record<string, unknown> {
  const hex = Buffer.from(bytes).toString("hex");
  return { language: "python", code: `import sys; sys.${stream}.buffer.write(bytes.fromhex("${hex}"))` };
}

async function reading(api: Client, stdin: string): Promise<string> {
  const code = "import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())";
  return (await api.run({ language: "python", code, stdin })).stdout.trim();
}

describe("output", () => {
  const texts: [what: string, text: string][] = [
    ["nothing", ""],
    ["a text without a newline at its end", "no end"],
    ["carriage returns and blank lines", "\r\n\n\r\n"],
    ["NUL", "a\0b\0"],
    ["a byte order mark", "\uFEFFtext"],
    ["emoji and combining characters", "👩‍👩‍👧‍👦 e\u0301 🏳️‍🌈"],
    ["control sequences", "\u001B[31mred\u001B[0m\u0007\u007F"],
    ["what would be a frame or an event", '{"seq":0,"type":"finished"}\n\ndata: x\n\n'],
    ["line separators of JavaScript", "\u2028\u2029"],
    ["the replacement character itself", "\uFFFD"],
  ];

  test.for(texts)("comes through exactly: %s", async ([, text], { api }) => {
    const result = await api.run(writing(Buffer.from(text)));
    expect(result).toMatchObject({ status: "succeeded", stdout: text, stdout_encoding: "utf8" });
    expect(result.run).toMatchObject({ stdout: text, stdout_encoding: "utf8" });
  });

  const binaries: [what: string, bytes: number[]][] = [
    ["a byte that UTF-8 never has", [0x61, 0xff, 0x62]],
    ["a character that isn't finished", [0x61, 0xe2, 0x82]],
    ["an overlong NUL", [0xc0, 0x80]],
    ["half of a surrogate pair", [0xed, 0xa0, 0x80]],
    ["every byte", Array.from({ length: 256 }, (_, byte) => byte)],
  ];

  test.for(binaries)("that is no UTF-8 comes as base64: %s", async ([, bytes], { api }) => {
    const [out, errors] = await Promise.all([
      api.run(writing(Buffer.from(bytes))),
      api.run(writing(Buffer.from(bytes), "stderr")),
    ]);
    const base64 = Buffer.from(bytes).toString("base64");
    expect(out).toMatchObject({ stdout: base64, stdout_encoding: "base64", stderr: "", stderr_encoding: "utf8" });
    expect(errors).toMatchObject({ stderr: base64, stderr_encoding: "base64", stdout: "", stdout_encoding: "utf8" });
  });

  test.for(["stdout", "stderr"] as const)(
    "is kept up to its limit exactly: a 100 MB line on %s",
    async (stream, { api }) => {
      const code = `import sys; sys.${stream}.write("x" * 100_000_000)`;
      const limits = { output_bytes: 1 * MiB, memory_bytes: 512 * MiB };
      const result = await api.run({ language: "python", code, limits });
      expect(result.status).toBe("output_limit");
      expect(result[stream] === "x".repeat(1 * MiB)).toBe(true);
      expect(result.run).toMatchObject({
        limit: "output",
        truncated: true,
        stdout_truncated: stream === "stdout",
        stderr_truncated: stream === "stderr",
      });
    },
  );

  test("that is just as long as the limit is whole", async ({ api }) => {
    const code = 'import sys; sys.stdout.write("o" * 1000); sys.stderr.write("e" * 1000)';
    const result = await api.run({ language: "python", code, limits: { output_bytes: 1000 } });
    expect(result).toMatchObject({ status: "succeeded", stdout: "o".repeat(1000), stderr: "e".repeat(1000) });
    expect(result.run).toMatchObject({ truncated: false, stdout_truncated: false, stderr_truncated: false });
  });

  test.for([">&1", ">&2"])("that never ends is ended (%s)", async (redirection, { api }) => {
    const started = performance.now();
    const result = await api.run({ language: "bash", code: `yes ${redirection}`, limits: { output_bytes: 3 * MiB } });
    expect(result.status).toBe("output_limit");
    expect(Buffer.byteLength(result.stdout + result.stderr)).toBe(3 * MiB);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test("of a swarm of processes is kept up to the limit too", async ({ api }) => {
    const code = "for i in 1 2 3 4; do yes & yes >&2 & done; wait";
    const result = await api.run({ language: "bash", code, limits: { output_bytes: 10_000 } });
    expect(result.status).toBe("output_limit");
    expect(Math.max(result.stdout.length, result.stderr.length)).toBe(10_000);
  });

  test.for([1, 2, 3])(
    "cut within a character stays text, without the character's first %i bytes",
    async (bytes, { api }) => {
      const limits = { output_bytes: 8 + bytes };
      const result = await api.run({ ...writing(Buffer.from("12345678🌍🌍")), limits });
      expect(result).toMatchObject({ status: "output_limit", stdout: "12345678", stdout_encoding: "utf8" });
    },
  );

  test("of as much as the server allows comes whole", async ({ api }) => {
    const maximum = (await api.languages()).find(({ name }) => name === "python")?.limits.maximum.output_bytes ?? 0;
    const code = `import sys; sys.stdout.write("0123456789abcdef" * ${maximum / 16})`;
    const result = await api.run({ language: "python", code, limits: { output_bytes: maximum } });
    expect(result.status).toBe("succeeded");
    expect(result.stdout === "0123456789abcdef".repeat(maximum / 16)).toBe(true);
  });
});

describe("stdin", () => {
  test.for(["", "no end", "a\0b", "\uFEFFx\r\n", "👩‍👩‍👧‍👦\u2028", "x".repeat(5 * MiB)])(
    "arrives exactly (%#)",
    async (stdin, { api }) => {
      expect(await reading(api, stdin)).toBe(createHash("sha256").update(stdin).digest("hex"));
    },
  );

  test("that nobody reads holds nothing up", async ({ api }) => {
    const stdin = "x".repeat(5 * MiB);
    expect(await api.run({ language: "bash", code: "echo done", stdin })).toMatchObject({ stdout: "done\n" });
    expect(await api.run({ language: "bash", code: "exec 0<&-; echo closed", stdin })).toMatchObject({
      stdout: "closed\n",
    });
    expect(await api.run({ language: "bash", code: "head -c 3", stdin })).toMatchObject({
      stdout: "xxx",
      status: "succeeded",
    });
  });

  test("is at its end when none is sent", async ({ api }) => {
    expect(await api.run({ language: "bash", code: "cat; echo $?" })).toMatchObject({ stdout: "0\n" });
  });

  test("belongs to the program, not to its compiler", async ({ api }) => {
    const code = "#include <stdio.h>\nint main(void) { int c; while ((c = getchar()) != EOF) putchar(c); }";
    expect(await api.run({ language: "c", code, stdin: "for the program" })).toMatchObject({
      stdout: "for the program",
    });
  });
});

test("the source arrives exactly, whatever it contains", async ({ api }) => {
  const code =
    "import sys\nsys.stdout.buffer.write(open(sys.argv[0], 'rb').read()) # 🌍 {{ x }} {entry} $(HOME) \u2028 \t\r\n#";
  expect(await api.run({ language: "python", code })).toMatchObject({ stdout: code, stderr: "" });
  expect(await api.run({ language: "python", code: "\uFEFFprint(1)" })).toMatchObject({ stdout: "1\n" });
});
