import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { BINARIES } from "./binaries.ts";
import { bytesOf, last } from "./frames.ts";
import { execute, Sandbox } from "./sandbox.ts";

const python = (code: string): string[] => ["python3", "-c", code];

describe.each(BINARIES)("output (%s)", (binary) => {
  test("every byte comes through, on both streams", async () => {
    const code = `import os
b = bytes(range(256)) * 300
os.write(1, b); os.write(2, b[::-1]); os.write(1, "é".encode()[:1])`;
    const outcome = await execute({ stages: [{ command: python(code) }] }, { binary });
    const bytes = Buffer.concat(Array<Buffer>(300).fill(Buffer.from(Array.from({ length: 256 }, (_, i) => i))));
    expect(last(outcome).stdout.equals(Buffer.concat([bytes, Buffer.of(0xc3)]))).toBe(true);
    expect(last(outcome).stderr.equals(bytes.toReversed())).toBe(true);
  });

  test("a chunk is at most 48 KiB", async () => {
    const outcome = await execute({ stages: [{ command: ["head", "-c", "500000", "/dev/zero"] }] }, { binary });
    const lengths = outcome.frames.flatMap((frame) => (frame.type === "stdout" ? [bytesOf(frame).length] : []));
    expect(Math.max(...lengths)).toBeLessThanOrEqual(48 * 1024);
    expect(last(outcome).stdout.equals(Buffer.alloc(500_000))).toBe(true);
  });

  test("a line of 100 MB is cut exactly at the cap, and ends the program", async () => {
    const limits = { outputBytes: 1_000_003 };
    const command = python("import sys; sys.stdout.write('x' * 100_000_000); open('/work/after', 'w')");
    const outcome = await execute({ stages: [{ command, limits }] }, { binary });
    expect(last(outcome)).toMatchObject({ limit: "output", stdout_truncated: true, stderr_truncated: false });
    expect(last(outcome).signal).toBe("SIGKILL");
    expect(last(outcome).stdout.equals(Buffer.alloc(1_000_003, "x"))).toBe(true);
  });

  test.each([0, 1, 48 * 1024, 48 * 1024 + 1, 65_536])("output of exactly the cap, %i, is whole", async (size) => {
    const limits = { outputBytes: size };
    const exact = await execute({ stages: [{ command: ["head", "-c", `${size}`, "/dev/zero"], limits }] }, { binary });
    expect(last(exact)).toMatchObject({ exit_code: 0, limit: null, stdout_truncated: false });
    expect(last(exact).stdout).toHaveLength(size);
    const longer = await execute(
      { stages: [{ command: ["head", "-c", `${size + 1}`, "/dev/zero"], limits }] },
      { binary },
    );
    expect(last(longer)).toMatchObject({ limit: "output", stdout_truncated: true });
    expect(last(longer).stdout).toHaveLength(size);
  });

  test("each stream has a cap of its own", async () => {
    const code = "import os; os.write(1, b'o' * 100); os.write(2, b'e' * 101)";
    const outcome = await execute({ stages: [{ command: python(code), limits: { outputBytes: 100 } }] }, { binary });
    expect(last(outcome)).toMatchObject({ limit: "output", stdout_truncated: false, stderr_truncated: true });
    expect(last(outcome).stdout.toString()).toBe("o".repeat(100));
    expect(last(outcome).stderr.toString()).toBe("e".repeat(100));
  });

  test("endless output on both streams ends at the cap", async () => {
    const command = ["bash", "-c", "yes & yes >&2"];
    const outcome = await execute({ stages: [{ command }] }, { binary });
    expect(last(outcome)).toMatchObject({ limit: "output" });
  });

  test("a multibyte character is cut in the middle without being changed", async () => {
    const outcome = await execute({ stages: [{ command: ["printf", "aé"], limits: { outputBytes: 2 } }] }, { binary });
    expect(last(outcome).stdout.toString("hex")).toBe("61c3");
  });

  test("a program that closes its output goes on", async () => {
    const command = ["bash", "-c", "echo a; exec >&- 2>&-; exit 7"];
    const outcome = await execute({ stages: [{ command }] }, { binary });
    expect(last(outcome)).toMatchObject({ exit_code: 7 });
    expect(last(outcome).stdout.toString()).toBe("a\n");
  });

  test("many single bytes come through", async () => {
    const code = "import os\nfor i in range(20000): os.write(1, bytes([i % 256]))";
    const outcome = await execute({ stages: [{ command: python(code) }] }, { binary });
    const bytes = Buffer.from(Array.from({ length: 20_000 }, (_, index) => index % 256));
    expect(last(outcome).stdout.equals(bytes)).toBe(true);
  });

  test("output that nobody takes yet waits in the program, and limits go on", async () => {
    await using sandbox = new Sandbox({ binary });
    const limits = { wallUs: 500_000, outputBytes: 64 << 20 };
    sandbox.send({ stages: [{ command: ["head", "-c", "50000000", "/dev/zero"], limits }] });
    // Nothing is read until the limit has struck: bubblewrap's only child then has no child of its own any more.
    await sandbox.frames.until("started");
    sandbox.child.stdout!.pause();
    const pid = sandbox.runnerPid();
    await expect.poll(() => childrenOf(pid), { timeout: 10_000 }).toBe("");
    sandbox.child.stdout!.resume();
    const outcome = await sandbox.outcome();
    expect(last(outcome)).toMatchObject({ limit: "wall", signal: "SIGKILL", stdout_truncated: false });
    const received = last(outcome).stdout;
    expect(received.length).toBeLessThan(50_000_000);
    expect(received.equals(Buffer.alloc(received.length))).toBe(true);
  });

  test("a slow reader loses nothing", async () => {
    await using sandbox = new Sandbox({ binary });
    sandbox.send({ stages: [{ command: ["seq", "1", "300000"], limits: { outputBytes: 64 << 20 } }] });
    await sandbox.frames.until("started");
    const parts: Buffer[] = [];
    for await (const frame of sandbox.frames) {
      if (frame.type === "stdout") parts.push(bytesOf(frame));
      await new Promise(setImmediate);
    }
    const expected = Array.from({ length: 300_000 }, (_, index) => `${index + 1}\n`).join("");
    expect(Buffer.concat(parts).toString() === expected).toBe(true);
  });
});

function childrenOf(pid: number): string {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim();
}
