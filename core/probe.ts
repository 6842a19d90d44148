import type { Availability } from "./backend.ts";
import { BASE_ENVIRONMENT } from "./create-run.ts";
import type { Language } from "./languages.ts";
import { LIMITS, limitsFrom } from "./limits.ts";
import type { Program } from "./program.ts";
import type { RunResult } from "./run.ts";

/** A program that is nothing but the language's version command. */
export function versionProgram(language: Language): Program {
  const limits = limitsFrom((name) => LIMITS[name].default);
  return {
    files: [],
    limits,
    stages: [
      {
        name: "run",
        command: language.version.command,
        environment: { ...BASE_ENVIRONMENT, ...language.environment },
        stdin: Buffer.alloc(0),
        wallMs: limits.wall_ms,
        cpuMs: limits.cpu_ms,
        memoryBytes: limits.compile_memory_bytes,
      },
    ],
  };
}

/** What the version command's result says of the toolchain; `advice` is what to do where there is none. */
export function availabilityOf(language: Language, result: RunResult | undefined, advice: string): Availability {
  const { command, pattern } = language.version;
  const printed = [result?.run?.stdout, result?.run?.stderr].map((bytes) => Buffer.from(bytes ?? []).toString());
  const version = pattern.exec(printed.join("\n"))?.[1];
  if (result?.status === "succeeded" && version !== undefined) return { available: true, version };
  const problem = result?.reason ?? `it ended as ${result?.status ?? "lost"}`;
  return { available: false, reason: `${command.join(" ")} does not work here (${problem}); ${advice}` };
}
