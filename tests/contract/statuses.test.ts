import { expect } from "vitest";

import { contractTest } from "../support/contract.ts";

const test = contractTest({ CPU_LIMIT: "1" });

/** How a run ends in each status but `cancelled`, which needs a caller, and `lost`, which needs a broken server. */
const ENDINGS: [status: string, request: Record<string, unknown>, run: Record<string, unknown> | null][] = [
  ["succeeded", { language: "bash", code: "exit 0" }, { exit_code: 0, signal: null, limit: null }],
  ["failed", { language: "bash", code: "exit 255" }, { exit_code: 255, signal: null, limit: null }],
  ["compile_failed", { language: "c", code: "?" }, null],
  ["signaled", { language: "bash", code: "kill -SEGV $$" }, { exit_code: null, signal: "SIGSEGV", limit: null }],
  ["time_limit", { language: "bash", code: "sleep 60", limits: { wall_ms: 200 } }, { limit: "wall", exit_code: null }],
  [
    "cpu_limit",
    { language: "bash", code: "while :; do :; done", limits: { cpu_ms: 200 } },
    { limit: "cpu", exit_code: null },
  ],
  [
    "memory_limit",
    { language: "python", code: "x = bytearray(1 << 28)", limits: { memory_bytes: 64 << 20 } },
    { limit: "memory", exit_code: null },
  ],
  [
    "output_limit",
    { language: "bash", code: "yes", limits: { output_bytes: 1000 } },
    { limit: "output", truncated: true },
  ],
  [
    "process_limit",
    { language: "bash", code: "for i in {1..40}; do sleep 60 & done", limits: { processes: 20, wall_ms: 1000 } },
    { limit: "processes" },
  ],
];

test.for(ENDINGS)("a run ends as %s", async ([status, request, run], { api }) => {
  const result = await api.run(request);
  expect(result).toMatchObject({ status, reason: null });
  if (run === null) expect(result.run).toBeNull();
  else expect(result.run).toMatchObject(run);
  expect(await api.result(result.id)).toEqual(result);
});

test("a signal that the program gives itself has its name", async ({ api }) => {
  for (const signal of ["SIGABRT", "SIGFPE", "SIGILL", "SIGBUS", "SIGTERM", "SIGKILL", "SIGPIPE", "SIGUSR1"]) {
    const result = await api.run({ language: "bash", code: `kill -${signal.slice(3)} $$` });
    expect(result).toMatchObject({ status: "signaled", exit_code: null, run: { signal, limit: null } });
  }
});

test("a program that can't print any more ends as its language has it", async ({ api }) => {
  expect(await api.run({ language: "bash", code: "exec >&- 2>&-; exit 4" })).toMatchObject({
    status: "failed",
    exit_code: 4,
  });
});

test("the run ends with its main process: a daemon holds neither the answer nor the slot", async ({ api }) => {
  const code = "(setsid sleep 50 &) ; (trap '' TERM HUP; sleep 50) & echo done; exit 0";
  const result = await api.run({ language: "bash", code });
  expect(result).toMatchObject({ status: "succeeded", stdout: "done\n" });
  expect(result.run?.wall_ms).toBeLessThan(9000);
});
