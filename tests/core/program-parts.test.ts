import { expect, test } from "vitest";

import { LIMITS, limitsFrom } from "../../core/limits.ts";
import { compileCommandOf, partsOf, withKeeping, withoutCompiling } from "../../core/program-parts.ts";
import { MAX_PAYLOAD_BYTES, encodeProgram } from "../../core/program.ts";
import type { Program, ProgramStage } from "../../core/program.ts";

const OPTIONS = { processRlimit: false };
const limits = limitsFrom((name) => LIMITS[name].default);

function stage(name: "compile" | "run", command: string[], stdin = ""): ProgramStage {
  return { name, command, environment: { A: "1" }, stdin: Buffer.from(stdin), wallMs: 1, cpuMs: 1, memoryBytes: 1 };
}

const program: Program = {
  files: [{ name: "S.c", content: Buffer.from("S c") }],
  stages: [stage("compile", ["gcc", "S.c"]), stage("run", ["./program", "S"], "S in")],
  artifacts: ["*.txt"],
  limits,
};

function partsOfProgram(changed: Partial<Program> = {}) {
  const parts = partsOf(encodeProgram({ ...program, ...changed }, OPTIONS));
  if (parts === undefined) throw new Error("it has nothing to compile");
  return parts;
}

test("a program's parts are all of it, in their order", () => {
  const { files, settings, compile, rest } = partsOfProgram();
  expect(Buffer.concat([files, settings, compile, rest])).toEqual(encodeProgram(program, OPTIONS).subarray(12));
  expect(compileCommandOf(partsOfProgram())).toEqual(["gcc", "S.c"]);
});

test("what comes after the compile stage changes none of the parts before it", () => {
  const { rest, ...before } = partsOfProgram();
  const run = stage("run", ["./program", "other"], "other");
  const { rest: other, ...same } = partsOfProgram({ stages: [stage("compile", ["gcc", "S.c"]), run] });
  expect(same).toEqual(before);
  expect(other).not.toEqual(rest);
});

test.each<Partial<Program>>([
  { files: [{ name: "S.c", content: Buffer.from("S C") }] },
  { files: [{ name: "T.c", content: Buffer.from("S c") }] },
  { limits: { ...limits, work_bytes: limits.work_bytes + 1 } },
  { limits: { ...limits, file_bytes: limits.file_bytes + 1 } },
  { stages: [stage("compile", ["gcc", "-g", "S.c"]), stage("run", ["./program"])] },
])("what the compile stage depends on is in them (%#)", (changed) => {
  const { rest: _, ...before } = partsOfProgram();
  const { rest: __, ...other } = partsOfProgram(changed);
  expect(other).not.toEqual(before);
});

test("a program with what was kept has that for its files, and no compile stage", () => {
  const run = { ...program, files: [], stages: program.stages.slice(1) };
  expect(withoutCompiling(partsOfProgram(), Buffer.alloc(0))).toEqual(encodeProgram(run, OPTIONS));
});

test("a program that is to be kept is the same with one record more", () => {
  const asking = withKeeping(partsOfProgram(), 0x0102);
  const record = Buffer.from("C\x08\0\0\0\x02\x01\0\0\0\0\0\0", "latin1");
  const at = asking?.indexOf(record) ?? -1;
  expect(at).toBeGreaterThan(0);
  const rest = Buffer.concat([asking?.subarray(12, at) ?? record, asking?.subarray(at + record.length) ?? record]);
  expect(rest).toEqual(encodeProgram(program, OPTIONS).subarray(12));
  expect(asking?.readUInt32LE(8)).toBe(rest.length + record.length);
});

test("nothing is kept of a program that is only run, and nothing that is too long to be sent", () => {
  const onlyRun = encodeProgram({ ...program, stages: program.stages.slice(1) }, OPTIONS);
  expect(partsOf(onlyRun)).toBe(undefined);
  expect(withoutCompiling(partsOfProgram(), Buffer.alloc(MAX_PAYLOAD_BYTES))).toBe(undefined);
});
