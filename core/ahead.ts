import type { Program, ProgramStage } from "./program.ts";
import type { StageName } from "./run.ts";

/** A program's first stage without its text, for an interpreter or a compiler to be started with and to wait for the rest. */
export interface AheadProgram {
  language: string;
  /** Whether it is only started once the language was used. */
  whenUsed: boolean;
  /** The file that it waits for is empty here when it is the program's first; what else it holds is read before the program. */
  program: Program;
  /** What programs have in their environment that it can execute. */
  environment: ProgramStage["environment"];
}

/** The longest file that an interpreter can wait for, in bytes: it goes through a pipe, which holds no more (pipe(7)). */
const MAX_FILE_BYTES = 64 * 1024;

const MiB = 1024 * 1024;
/** What waits holds more memory than a limit below this allows, in bytes. */
const MIN_MEMORY_BYTES: Record<StageName, number> = { compile: 256 * MiB, run: 64 * MiB };

function areSameWords(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((word, index) => word === other[index]);
}

function areSameVariables(one: ProgramStage["environment"], other: ProgramStage["environment"]): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}

/**
 * Whether what was started for `ahead` can execute `program`: everything is the same that the interpreter was started
 * with, and the rest can be given to it later. The limits of `ahead` are the greatest there are, and are lowered.
 */
export function waitsFor({ program: ahead, environment }: AheadProgram, program: Program): boolean {
  const [wanted] = program.stages;
  const [waiting] = ahead.stages;
  const [file] = program.files;
  const [awaited] = ahead.files;
  return (
    wanted !== undefined &&
    program.interaction === undefined &&
    program.network !== true &&
    waiting !== undefined &&
    wanted.name === waiting.name &&
    (wanted.name === "compile" || program.tests === undefined) &&
    file !== undefined &&
    awaited !== undefined &&
    (awaited.content.length > 0 || (file.name === awaited.name && file.content.length <= MAX_FILE_BYTES)) &&
    wanted.memoryBytes >= MIN_MEMORY_BYTES[wanted.name] &&
    program.limits.open_files <= ahead.limits.open_files &&
    program.limits.file_bytes <= ahead.limits.file_bytes &&
    areSameWords(wanted.command, waiting.command) &&
    areSameVariables(wanted.environment, environment)
  );
}
