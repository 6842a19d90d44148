import { isDeepStrictEqual } from "node:util";

import type { Program } from "./program.ts";

/** A program without its text, for the language's interpreter to be started with and to wait for the rest. */
export interface AheadProgram {
  language: string;
  program: Program;
}

/** The longest file that an interpreter can wait for, in bytes: it goes through a pipe, which holds no more (pipe(7)). */
const MAX_FILE_BYTES = 64 * 1024;

/** An interpreter that waits holds more memory than a limit below this allows, in bytes. */
const MIN_MEMORY_BYTES = 64 * 1024 * 1024;

/**
 * Whether what was started for `ahead` can execute `program`: everything is the same that the interpreter was started
 * with, and the rest can be given to it later. The limits of `ahead` are the greatest there are, and are lowered.
 */
export function waitsFor(ahead: Program, program: Program): boolean {
  const [wanted, ...others] = program.stages;
  const [waiting] = ahead.stages;
  const [file] = program.files;
  return (
    wanted !== undefined &&
    others.length === 0 &&
    program.tests === undefined &&
    program.interaction === undefined &&
    waiting !== undefined &&
    file !== undefined &&
    file.name === ahead.files[0]?.name &&
    file.content.length <= MAX_FILE_BYTES &&
    wanted.memoryBytes >= MIN_MEMORY_BYTES &&
    program.limits.open_files <= ahead.limits.open_files &&
    program.limits.file_bytes <= ahead.limits.file_bytes &&
    isDeepStrictEqual(wanted.command, waiting.command) &&
    isDeepStrictEqual(wanted.environment, waiting.environment)
  );
}
