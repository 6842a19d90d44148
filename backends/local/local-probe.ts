import type { Availability } from "../../core/backend.ts";
import { BASE_ENVIRONMENT } from "../../core/create-run.ts";
import type { Language } from "../../core/languages.ts";
import { LIMITS, limitsFrom } from "../../core/limits.ts";
import type { Program } from "../../core/program.ts";
import type { RunResult } from "../../core/run.ts";

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

/** What the version command's result says of the toolchain; without a version also what to do about it. */
export function availabilityOf(language: Language, result: RunResult | undefined): Availability {
  const { command, pattern } = language.version;
  const printed = [result?.run?.stdout, result?.run?.stderr].map((bytes) => Buffer.from(bytes ?? []).toString());
  const version = pattern.exec(printed.join("\n"))?.[1];
  if (result?.status === "succeeded" && version !== undefined) return { available: true, version };
  const problem = result?.reason ?? `it ended as ${result?.status ?? "lost"}`;
  const packages = language.packages.length === 0 ? "" : `, or install ${language.packages.join(" ")}`;
  return {
    available: false,
    reason: `${command.join(" ")} does not work on this machine (${problem}); run scripts/setup${packages}`,
  };
}
