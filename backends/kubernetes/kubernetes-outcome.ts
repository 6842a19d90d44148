import { Buffer } from "node:buffer";
import { deflateRawSync, inflateRawSync } from "node:zlib";

import { Recording } from "../../core/recording.ts";
import type { Interruption, RunIdentity } from "../../core/transcript.ts";

/**
 * The output that is kept of a run that was ended from outside, in bytes of its frames: all annotations of an object
 * together have room for 256 KiB.
 */
const MAX_OUTPUT_BYTES = 128 * 1024;

/**
 * How a run ended that has no log to tell it: what was recorded until then, and the interruption. As an annotation of the
 * run's Job it is the same for every replica, as long as the Job is there.
 */
export function encodeOutcome(recording: Recording, interruption: Interruption, at: Date): string {
  const ended = recording.interrupted(interruption, at, MAX_OUTPUT_BYTES);
  return deflateRawSync(ended.serialize()).toString("base64");
}

/** What an end that is kept whole may take, in characters. */
const MAX_ENDED_CHARACTERS = 160 * 1024;

/** The same of a run that has ended, although its runner goes on; undefined when it is too long for an annotation. */
export function encodeEnded(recording: Recording): string | undefined {
  const text = deflateRawSync(recording.serialize()).toString("base64");
  return text.length > MAX_ENDED_CHARACTERS ? undefined : text;
}

/** The recording that `text` holds; one that says so when it holds none. */
export function decodeOutcome(run: RunIdentity, text: string): Recording {
  try {
    const recording = Recording.parse(run, inflateRawSync(Buffer.from(text, "base64")));
    if (recording.result !== undefined) return recording;
  } catch {
    // Somebody else wrote it.
  }
  const recording = new Recording(run);
  recording.interrupt({ status: "lost", reason: "the Job's record of how the run ended can't be read" }, new Date(0));
  return recording;
}
