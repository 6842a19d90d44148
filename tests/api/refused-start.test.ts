import { describe, expect, test } from "vitest";

import { startRefused } from "../support/server.ts";

const ADA = "ada-secret-0123456789";
const BEN = "ben-secret-0123456789";

describe("a wrong setting stops the start with one line that names it, its value and what is allowed", () => {
  test.for([
    ["PORT", "80x", /PORT.*80x/],
    ["PORT", "65536", /PORT.*65536/],
    ["BACKEND", "docker", /BACKEND.*docker.*local/],
    ["MAX_RUNNING", "0", /MAX_RUNNING.*0/],
    ["MAX_QUEUED", "-1", /MAX_QUEUED.*-1/],
    ["MAX_RUNNING", "1.5", /MAX_RUNNING.*1\.5/],
    ["CPU_LIMIT", "lots", /CPU_LIMIT.*lots.*500m/],
    ["MEMORY_LIMIT", "256MB", /MEMORY_LIMIT.*256MB.*256Mi/],
    ["DEFAULT_WALL_MS", "0", /DEFAULT_WALL_MS.*0/],
    ["ALLOW_ANONYMOUS", "yes", /ALLOW_ANONYMOUS.*yes.*true/],
    ["RESULT_TTL_SECONDS", "1d", /RESULT_TTL_SECONDS.*1d/],
    ["LOG_LEVEL", "loud", /LOG_LEVEL.*loud/],
  ] as const)("%s=%s", async ([name, value, line]) => {
    const { code, output } = await startRefused({ [name]: value });
    expect(code).toBe(1);
    expect(output.trim().split("\n")).toHaveLength(1);
    expect(output).toMatch(line);
  });

  test.for([
    ["a secret that is too short", "ada:short"],
    ["no secret", "ada"],
    ["a name twice", `ada:${ADA},ada:${BEN}`],
    ["a secret twice", `ada:${ADA},ben:${ADA}`],
    ["a name that runs without a key have", `anonymous:${ADA}`],
    ["a file that isn't there", "/nowhere/keys"],
  ] as const)("API_KEYS with %s, and no secret in the line", async ([, value]) => {
    const { code, output } = await startRefused({ API_KEYS: value });
    expect(code).toBe(1);
    expect(output.trim().split("\n")).toHaveLength(1);
    expect(output).toMatch(/API_KEYS/);
    for (const secret of [ADA, BEN]) expect(output).not.toContain(secret);
  });

  test("a default above its maximum", async () => {
    const { code, output } = await startRefused({ DEFAULT_WALL_MS: "2000", MAX_WALL_MS: "1000" });
    expect(code).toBe(1);
    expect(output).toMatch(/DEFAULT_WALL_MS/);
    expect(output).toMatch(/MAX_WALL_MS/);
  });
});
