import { describe, expect, test } from "vitest";

import { LIMITS, limitsFrom } from "../../core/limits.ts";
import type { Limits } from "../../core/limits.ts";
import type { ProgramFile } from "../../core/program.ts";
import { checkFit } from "../../core/validators.ts";
import { expectRefusal } from "./refusals.ts";

const PAGE = 4096;

function files(...sizes: [name: string, bytes: number][]): ProgramFile[] {
  return sizes.map(([name, bytes]) => ({ name, content: Buffer.alloc(bytes) }));
}

function limits(some: Partial<Limits>): Limits {
  return { ...limitsFrom((name) => LIMITS[name].default), ...some };
}

describe("a program fits into its work folder", () => {
  test.each([
    ["nothing", files(), 0, 1],
    ["an empty file", files(["a", 0]), 0, 2],
    ["one byte", files(["a", 1]), PAGE, 2],
    ["a page", files(["a", PAGE]), PAGE, 2],
    ["a page and a byte", files(["a", PAGE + 1]), 2 * PAGE, 2],
    ["two files", files(["a", 1], ["b", PAGE + 1]), 3 * PAGE, 3],
    ["a folder", files(["a/b", 0]), 0, 3],
    ["folders that are shared", files(["a/b/c", 0], ["a/b/d", 0], ["a/e", 0], ["f", 0]), 0, 7],
  ])("with %s when the limits allow just that, and not below", (_, program, work_bytes, work_inodes) => {
    const fits = { work_bytes, work_inodes };
    expect(() => checkFit(program, limits(fits))).not.toThrow();
    const fewerInodes = limits({ ...fits, work_inodes: work_inodes - 1 });
    expectRefusal(() => checkFit(program, fewerInodes), "limits.work_inodes", "invalid_request", `${work_inodes}..`);
    if (work_bytes === 0) return;
    const fewerBytes = limits({ ...fits, work_bytes: work_bytes - 1 });
    expectRefusal(() => checkFit(program, fewerBytes), "limits.work_bytes", "invalid_request", `${work_bytes}..`);
  });
});
