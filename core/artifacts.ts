import { Buffer } from "node:buffer";

import type { SequencedFrame } from "./frames.ts";

/** All content of a run's artifacts, in bytes, and how many may be named: the runner's bounds, held here once more. */
export const MAX_ARTIFACT_BYTES = 4 * 1024 * 1024;
const MAX_NAMED = 100;
/** How many come with their content. */
export const MAX_ARTIFACTS = 20;

/** A file that the program wrote and its caller asked for. */
export interface Artifact {
  /** Relative to the work folder. */
  name: string;
  sizeBytes: number;
  /** Null where the file could not be read, or the bounds leave it out. */
  content: Uint8Array | null;
}

interface Open {
  name: string;
  sizeBytes: number;
  hasContent: boolean;
  parts: Buffer[];
  bytes: number;
}

/** Puts artifacts together from their frames; what is beyond the bounds or not as long as announced has no content. */
export class ArtifactCollector {
  readonly #artifacts: Open[] = [];
  #bytes = 0;
  omitted = 0;

  begin({ name, size_bytes: sizeBytes, has_content: hasContent }: Extract<SequencedFrame, { type: "artifact" }>): void {
    if (this.#artifacts.length === MAX_NAMED || this.#artifacts.some((known) => known.name === name)) return;
    this.#artifacts.push({ name, sizeBytes, hasContent, parts: [], bytes: 0 });
  }

  add({ data }: Extract<SequencedFrame, { type: "content" }>): void {
    const last = this.#artifacts.at(-1);
    if (last === undefined || !last.hasContent) return;
    const bytes = Buffer.from(data, "base64");
    this.#bytes += bytes.length;
    last.bytes += bytes.length;
    if (this.#bytes > MAX_ARTIFACT_BYTES || last.bytes > last.sizeBytes) last.hasContent = false;
    else last.parts.push(bytes);
  }

  collected(): Artifact[] {
    return this.#artifacts.map(({ name, sizeBytes, hasContent, parts, bytes }) => ({
      name,
      sizeBytes,
      content: hasContent && bytes === sizeBytes ? Buffer.concat(parts) : null,
    }));
  }
}
