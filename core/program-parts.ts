import { MAX_PAYLOAD_BYTES, PROGRAM_HEADER_BYTES, frameProgram, readRecords, record, u64 } from "./program.ts";

/** The records of an encoded program whose compile stage may be known already. */
export interface ProgramParts {
  files: Buffer;
  /** Those that are of the whole program and no file. */
  settings: Buffer;
  compile: Buffer;
  /** All that comes after the compile stage. */
  rest: Buffer;
}

const COMPILE = "c".charCodeAt(0);

/** Parts a program that `encodeProgram` has made; undefined when it has nothing to compile. */
export function partsOf(encoded: Buffer): ProgramParts | undefined {
  let filesEnd: number | undefined;
  let compileStart: number | undefined;
  for (const { tag, value, start } of readRecords(encoded)) {
    if (tag !== "F") filesEnd ??= start;
    if (tag !== "S") continue;
    if (compileStart === undefined) {
      if (value[0] !== COMPILE) return undefined;
      compileStart = start;
      continue;
    }
    return {
      files: encoded.subarray(PROGRAM_HEADER_BYTES, filesEnd),
      settings: encoded.subarray(filesEnd, compileStart),
      compile: encoded.subarray(compileStart, start),
      rest: encoded.subarray(start),
    };
  }
  return undefined;
}

/** The compile stage's command. */
export function compileCommandOf({ compile }: ProgramParts): string[] {
  const records = [...readRecords(compile, 0)];
  return records.filter(({ tag }) => tag === "A").map(({ value }) => value.toString("utf8"));
}

function whole(...parts: readonly Buffer[]): Buffer | undefined {
  const length = parts.reduce((total, part) => total + part.length, 0);
  return length > MAX_PAYLOAD_BYTES ? undefined : frameProgram(parts);
}

/**
 * The same program, of which the runner is to send what its compile stage leaves (`runner/kept.c`) if that is at most
 * `maxBytes`. Undefined when that would make it too long to be sent.
 */
export function withKeeping({ files, settings, compile, rest }: ProgramParts, maxBytes: number): Buffer | undefined {
  return whole(files, settings, record("C", u64(maxBytes)), compile, rest);
}

/** What is left of the program when `kept`, as the runner sent it, takes the place of its files and its compile stage. */
export function withoutCompiling({ settings, rest }: ProgramParts, kept: Buffer): Buffer | undefined {
  return whole(kept, settings, rest);
}
