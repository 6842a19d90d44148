import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { BINARIES } from "./binaries.ts";
import { last } from "./frames.ts";
import { execute } from "./sandbox.ts";

const TEN_MB = Buffer.from(Array.from({ length: 10_000_000 }, (_, index) => (index * 7) % 251));

describe.each(BINARIES)("stdin (%s)", (binary) => {
  test("10 MB arrive exactly", async () => {
    const outcome = await execute({ stages: [{ command: ["sha256sum"], stdin: TEN_MB }] }, { binary });
    const digest = createHash("sha256").update(TEN_MB).digest("hex");
    expect(last(outcome).stdout.toString()).toBe(`${digest}  -\n`);
  });

  test("10 MB that are never read hold nothing up", async () => {
    const outcome = await execute({ stages: [{ command: ["echo", "done"], stdin: TEN_MB }] }, { binary });
    expect(last(outcome)).toMatchObject({ exit_code: 0, limit: null });
    expect(last(outcome).stdout.toString()).toBe("done\n");
  });

  test("a program that closes its stdin goes on", async () => {
    const command = ["bash", "-c", "head -c 3; exec <&-; echo; exit 4"];
    const outcome = await execute({ stages: [{ command, stdin: TEN_MB }] }, { binary });
    expect(last(outcome).exit_code).toBe(4);
    expect(last(outcome).stdout).toHaveLength(4);
  });

  test("without input it is empty and ends at once", async () => {
    const outcome = await execute({ stages: [{ command: ["wc", "-c"] }] }, { binary });
    expect(last(outcome).stdout.toString().trim()).toBe("0");
  });

  test("input and output of 10 MB pass each other", async () => {
    const limits = { outputBytes: 20_000_000 };
    const outcome = await execute({ stages: [{ command: ["cat"], stdin: TEN_MB, limits }] }, { binary });
    expect(last(outcome).stdout.equals(TEN_MB)).toBe(true);
  });

  test("each stage has its own", async () => {
    const outcome = await execute(
      {
        stages: [
          { kind: "c", command: ["cat"], stdin: "first" },
          { kind: "r", command: ["cat"], stdin: "second" },
        ],
      },
      { binary },
    );
    expect(outcome.stages.map((stage) => stage.stdout.toString())).toEqual(["first", "second"]);
  });
});
