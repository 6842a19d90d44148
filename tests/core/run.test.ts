import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { isRunId, runId } from "../../core/run.ts";

describe("a run's id", () => {
  test("without a key is a new one each time", () => {
    const ids = Array.from({ length: 1000 }, () => runId("t"));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every(isRunId)).toBe(true);
  });

  test("uses every letter of its alphabet", () => {
    const letters = new Set(Array.from({ length: 1000 }, () => runId("t").slice(1)).join(""));
    expect([...letters].toSorted().join("")).toBe("234567abcdefghijklmnopqrstuvwxyz");
  });

  test("with a key depends on tenant and key, and on nothing else", () => {
    const text = fc.string({ unit: "binary" });
    fc.assert(
      fc.property(text, text, text, text, (tenant, key, otherTenant, otherKey) => {
        expect(isRunId(runId(tenant, key))).toBe(true);
        const same = tenant === otherTenant && key === otherKey;
        expect(runId(tenant, key) === runId(otherTenant, otherKey)).toBe(same);
      }),
    );
    expect(runId("tenant", "key")).toBe(runId("tenant", "key"));
  });

  test("knows where the tenant ends and the key begins", () => {
    expect(runId("a", "bc")).not.toBe(runId("ab", "c"));
    expect(runId('a","b', "c")).not.toBe(runId("a", 'b","c'));
  });

  test("is the same in every version, since replicas and restarts must agree on it", () => {
    expect(runId("anonymous", "key")).toBe("rbl2lwyvyz224jl5o2ueqfoleivmraps");
  });

  test.each([
    "",
    "r",
    "x".repeat(32),
    `R${"a".repeat(31)}`,
    `r${"a".repeat(30)}`,
    `r${"a".repeat(32)}`,
    `r${"1".repeat(31)}`,
    `r${"a".repeat(31)}\n`,
  ])("is not %j", (text) => expect(isRunId(text)).toBe(false));
});
