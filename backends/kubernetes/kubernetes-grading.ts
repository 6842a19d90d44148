import { Buffer } from "node:buffer";
import { deflateRawSync, inflateRawSync } from "node:zlib";

import { z } from "zod";

import { ServiceError } from "../../core/errors.ts";
import type { Grading } from "../../core/grading.ts";

/** All annotations of an object together have room for 256 KiB, and a run's end is to have most of it. */
const MAX_CHARACTERS = 64 * 1024;
/** What a text of that length is unpacked to at most, in bytes. */
const MAX_UNPACKED_BYTES = 64 * 1024 * 1024;

const GRADING = z.object({
  comparison: z.discriminatedUnion("mode", [
    z.object({ mode: z.enum(["exact", "lines", "tokens", "checker"]) }),
    z.object({ mode: z.literal("float"), tolerance: z.number() }),
  ]),
  stopOnFailure: z.boolean(),
  expectations: z.array(z.string().nullable()),
  checker: z.object({ language: z.string(), code: z.string(), inputs: z.array(z.string()) }).optional(),
});

/**
 * How a run's tests are graded, as an annotation of its Job: no Pod sees it, and every replica does. Throws
 * `program_too_large` when it has no room there.
 */
export function encodeGrading(grading: Grading): string {
  const text = deflateRawSync(JSON.stringify(grading)).toString("base64");
  if (text.length <= MAX_CHARACTERS) return text;
  throw new ServiceError(
    "program_too_large",
    `tests: what is expected of them is ${text.length} bytes when packed; a Job has room for ${MAX_CHARACTERS}`,
    { field: "tests", allowed: MAX_CHARACTERS },
  );
}

/** Undefined for a text that somebody else wrote. */
export function decodeGrading(text: string): Grading | undefined {
  try {
    const bytes = inflateRawSync(Buffer.from(text, "base64"), { maxOutputLength: MAX_UNPACKED_BYTES });
    return GRADING.parse(JSON.parse(bytes.toString("utf8")));
  } catch {
    return undefined;
  }
}
