import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";

import { serve } from "../../support/contract.ts";
import { eventually } from "../../support/time.ts";

const ROOT = join(import.meta.dirname, "../../..");
/** `scripts/setup --tests` installs it. */
const SCHEMATHESIS = join(ROOT, ".cache/setup/schemathesis/bin/schemathesis");
const KEY = "fuzz-secret-0123456789";
/** A multiple of what it takes; the configuration bounds the time of its requests. */
const FUZZ_MS = 240_000;

/** Programs are arbitrary text in all languages: none gets the time to do much. */
const SETTINGS = {
  API_KEYS: `fuzz:${KEY}`,
  DEFAULT_WALL_MS: "500",
  MAX_WALL_MS: "500",
  DEFAULT_COMPILE_WALL_MS: "500",
  MAX_COMPILE_WALL_MS: "500",
  // Where nobody listens.
  CALLBACK_HOSTS: "http://127.0.0.1:9",
  CALLBACK_SECRET: "fuzz-secret-0123456789-0123456789",
  CALLBACK_TRIES: "1",
};

async function fuzz(url: string): Promise<{ code: number | null; output: string }> {
  const folder = await mkdtemp(join(tmpdir(), "sandbox-api-fuzz-"));
  const config = join(import.meta.dirname, "schemathesis.toml");
  const words = ["--config-file", config, "run", `${url}/openapi.json`, "--header", `X-API-Key: ${KEY}`];
  const env = {
    ...process.env,
    SCHEMATHESIS_HOOKS: "hooks",
    PYTHONPATH: import.meta.dirname,
    PYTHONDONTWRITEBYTECODE: "1",
  };
  const options = { cwd: folder, env, timeout: FUZZ_MS, killSignal: "SIGKILL", maxBuffer: 64 << 20 } as const;
  try {
    return await new Promise((resolve) => {
      const child = execFile(SCHEMATHESIS, words, options, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : child.exitCode, output: stdout + stderr + (error?.message ?? "") }),
      );
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}

test(
  "the API is as it describes itself, whatever is sent: schemathesis, all checks, no 5xx",
  async () => {
    await using served = await serve(SETTINGS);
    const { api, server } = served;
    await eventually(60_000, "all languages' versions", async () => {
      const response = await api.fetch("GET", "/readyz");
      return (await response.text()).includes("probed") ? undefined : true;
    });
    const { code, output } = await fuzz(server.url);
    expect(code, output).toBe(0);
    expect(Number(/(\d+) generated/.exec(output)?.[1]), output).toBeGreaterThan(50);
    const { stdout } = await api.with({ "x-api-key": KEY }).run({ language: "bash", code: "echo still here" });
    expect(stdout).toBe("still here\n");
    expect(server.output).not.toContain("request failed");
  },
  FUZZ_MS + 60_000,
);
