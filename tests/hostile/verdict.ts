import { expect } from "vitest";

import type { Result } from "../support/answers.ts";
import type { HostileProgram } from "./program.ts";

/** What a program prints when it got what it must not get. */
const ESCAPED = "ESCAPED";

/** A second that the backend may take to end a program at its limit, and four for a machine that is busy. */
const LATE_MS = 5_000;

/** What no output may hold: the service's own secrets, and how those of a cluster begin. */
export type Canaries = readonly string[];
const SERVICE_ACCOUNT_TOKEN = "eyJhbGciOi";

type Stage = NonNullable<Result["run"]>;

function textsOf(stage: Stage): string[] {
  return [
    Buffer.from(stage.stdout, stage.stdout_encoding).toString("latin1"),
    Buffer.from(stage.stderr, stage.stderr_encoding).toString("latin1"),
  ];
}

function expectNothingTold(result: Result, canaries: Canaries, known: string | undefined): void {
  const told = [result.reason ?? "", ...[result.compile, result.run].flatMap((stage) => (stage ? textsOf(stage) : []))];
  for (const all of told) {
    const text = known === undefined ? all : all.replaceAll(new RegExp(known, "g"), "");
    for (const secret of [...canaries, SERVICE_ACCOUNT_TOKEN, ESCAPED]) {
      if (text.includes(secret)) throw new Error(`${secret} was in the output: ${text.slice(0, 2000)}`);
    }
  }
}

function expectInTime(stage: Stage | null, wallMs: number): void {
  if (stage !== null) expect(stage.wall_ms, "time of the stage").toBeLessThanOrEqual(wallMs + LATE_MS);
}

/** Holds what came of a program against what must come of it. */
export function expectOutcome(result: Result, { expected, wallMs }: HostileProgram, canaries: Canaries): void {
  const said = `${result.reason ?? ""} ${result.stdout.slice(0, 500)} ${result.stderr.slice(0, 1500)}`;
  expect(expected.outcomes, `${result.status}: ${said}`).toContain(result.status);
  expectNothingTold(result, canaries, expected.known);
  expectInTime(result.compile, wallMs.compile);
  expectInTime(result.run, wallMs.run);
  const last = result.run ?? result.compile;
  if (expected.limit !== undefined) expect(last?.limit, said).toBe(expected.limit);
  if (expected.exit_code !== undefined) expect(last?.exit_code, said).toBe(expected.exit_code);
  if (expected.signal !== undefined) expect(last?.signal, said).toBe(expected.signal);
  if (expected.stdout !== undefined) expect(result.stdout, said).toMatch(new RegExp(`^(?:${expected.stdout})$`, "s"));
}
