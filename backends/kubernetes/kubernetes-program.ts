import { Buffer } from "node:buffer";
import { promisify } from "node:util";
import { deflate } from "node:zlib";

import { ServiceError } from "../../core/errors.ts";
import { PROGRAM_HEADER_BYTES, encodeProgram, inputBytesOf } from "../../core/program.ts";
import type { Program } from "../../core/program.ts";

/** Far below the 128 KiB that one string of an environment may have (execve(2)); a multiple of 4. */
const VARIABLE_CHARACTERS = 100 * 1024;
/**
 * An object of the cluster's store has at most 1.5 MiB (etcd's --max-request-bytes), and the Job has other fields. That is
 * also what the kernel lets a process have as environment where its stack may grow to 8 MiB: a quarter of that.
 */
const MAX_CHARACTERS = 1_480_000;

const deflated = promisify<Uint8Array, Buffer>(deflate);

/** A program as a container's environment, for a runner that is started with `--program-in-environment`. */
export interface PackedProgram {
  environment: { name: string; value: string }[];
  /** What the program takes of the container's memory before its first process starts: as it came, and unpacked. */
  memoryBytes: number;
}

/** Packs the program for a Job, or with `ahead` what is to wait for one. Throws `program_too_large` when it does not fit into one. */
export async function packProgram(program: Program, { ahead = false } = {}): Promise<PackedProgram> {
  const encoded = encodeProgram(program, { processRlimit: true, as: ahead ? "ahead" : "program" });
  const payload = await deflated(encoded.subarray(PROGRAM_HEADER_BYTES));
  const text = Buffer.concat([encoded.subarray(0, PROGRAM_HEADER_BYTES), payload]).toString("base64");
  if (text.length > MAX_CHARACTERS) throw tooLarge(program, text.length);
  const environment = [];
  for (let at = 0; at < text.length; at += VARIABLE_CHARACTERS) {
    // Base64 has no $, so nothing in it is a reference that Kubernetes would expand.
    const value = text.slice(at, at + VARIABLE_CHARACTERS);
    environment.push({ name: `SANDBOX_PROGRAM_${environment.length}`, value });
  }
  return { environment, memoryBytes: text.length + encoded.length };
}

function tooLarge(program: Program, characters: number): ServiceError {
  const bytes = inputBytesOf(program);
  const largest = Math.max(bytes.files, bytes.stdin, bytes.tests);
  const field = bytes.tests === largest ? "tests" : bytes.stdin === largest ? "stdin" : "files";
  return new ServiceError(
    "program_too_large",
    `${field}: the program and its input together are ${bytes.files + bytes.stdin + bytes.tests} bytes, ${characters} when packed; a Job has room for ${MAX_CHARACTERS}`,
    { field, allowed: MAX_CHARACTERS },
  );
}
