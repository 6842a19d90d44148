import { createHash } from "node:crypto";
import { statSync } from "node:fs";

import { BASE_ENVIRONMENT } from "../../core/create-run.ts";
import type { SequencedFrame } from "../../core/frames.ts";
import { plainCommand } from "../../core/languages.ts";
import { compileCommandOf, partsOf, withKeeping, withoutCompiling } from "../../core/program-parts.ts";
import type { ProgramParts } from "../../core/program-parts.ts";
import type { Tenant } from "../../core/run.ts";
import type { RunHeader } from "./local-run.ts";

/** What one compile stage may leave to be kept, in bytes: a program of Rust or Go has some 4 MB. */
const MAX_KEPT_BYTES = 16 * 1024 * 1024;
/** What an entry takes besides its bytes, about. */
const ENTRY_BYTES = 1024;

export interface CompileCacheOptions {
  /** All that is kept, in bytes; 0 keeps nothing. */
  maxBytes: number;
  /** Told of each compile stage that was known (true), or had to be executed. */
  observe: (language: string, hit: boolean) => void;
}

interface RecordedFrame {
  frame: SequencedFrame;
  line: string;
}

interface Entry {
  /** What the compile stage left, as the runner sent it, which nobody but a runner reads. */
  kept: Buffer;
  frames: readonly RecordedFrame[];
  bytes: number;
}

/** One key's entries, those that were used last at the end. */
interface Shelf {
  entries: Map<string, Entry>;
  bytes: number;
}

/** How a program is executed: with its compile stage, or with what that left when it was executed before. */
export interface Compilation {
  /** What the runner is sent. */
  encoded: Buffer;
  /** What the compile stage said, where it is not executed. */
  replayed: readonly RecordedFrame[];
  /** Looks at each of the runner's frames; true for those that are not of the run. */
  takes(frame: SequencedFrame, line: string): boolean;
}

/** Frames of a compile stage, and then what it left, until that is all there. */
class Keeper {
  readonly #frames: RecordedFrame[] = [];
  readonly #pieces: Buffer[] = [];
  readonly #keep: (entry: Entry) => void;

  constructor(keep: (entry: Entry) => void) {
    this.#keep = keep;
  }

  takes(frame: SequencedFrame, line: string): boolean {
    if (frame.type === "kept") {
      this.#pieces.push(Buffer.from(frame.data, "base64"));
      return true;
    }
    if (frame.type === "kept_ended") {
      if (frame.whole) this.#keep(this.#entry());
      return true;
    }
    if (frame.type === "ended" && frame.stage === "compile") {
      const known = { ...frame, cached: true as const };
      this.#frames.push({ frame: known, line: JSON.stringify(known) });
    } else if (this.#frames.at(-1)?.frame.type !== "ended") this.#frames.push({ frame, line });
    return false;
  }

  #entry(): Entry {
    const kept = Buffer.concat(this.#pieces);
    const said = this.#frames.reduce((total, { line }) => total + 2 * line.length, 0);
    return { kept, frames: this.#frames, bytes: ENTRY_BYTES + kept.length + said };
  }
}

/** The compiler's file on this machine, which another version of it replaces; a sandbox finds it by the same names. */
function identityOf(parts: ProgramParts): string {
  const [compiler] = plainCommand(compileCommandOf(parts));
  for (const folder of (BASE_ENVIRONMENT["PATH"] ?? "").split(":")) {
    const stats = statSync(`${folder}/${compiler}`, { throwIfNoEntry: false });
    if (stats !== undefined) return [stats.dev, stats.ino, stats.size, stats.mtimeMs].join();
  }
  return "";
}

/** Two programs have the same key when nothing differs that their compile stage may depend on. */
function keyOf({ language, version }: RunHeader, parts: ProgramParts): string {
  const hash = createHash("sha256");
  for (const text of [language, String(version), identityOf(parts)]) hash.update(`${text}\0`);
  for (const records of [parts.files, parts.settings, parts.compile]) hash.update(records);
  return hash.digest("base64");
}

/**
 * What compile stages that ended well have left, so that the same program of the same API key is not compiled again. What
 * the compiler left comes out of its sandbox before anything of the program has begun, and is files in the next one; here
 * it is bytes. When there is too much of it, the key that has most gives up what it has not used for longest, so that what
 * one key sends does not show in how fast another's programs are compiled.
 */
export class LocalCompileCache {
  readonly #options: CompileCacheOptions;
  readonly #shelves = new Map<Tenant, Shelf>();
  #bytes = 0;

  constructor(options: CompileCacheOptions) {
    this.#options = options;
  }

  /** How to execute a run's program. */
  open(run: RunHeader, encoded: Buffer): Compilation {
    const plain = { encoded, replayed: [], takes: () => false };
    const { maxBytes, observe } = this.#options;
    const parts = maxBytes === 0 ? undefined : partsOf(encoded);
    if (parts === undefined) return plain;
    const key = keyOf(run, parts);
    const found = this.#find(run.tenant, key);
    const compiled = found && withoutCompiling(parts, found.kept);
    observe(run.language, compiled !== undefined);
    if (found && compiled) return { ...plain, encoded: compiled, replayed: found.frames };
    const asking = withKeeping(parts, Math.min(MAX_KEPT_BYTES, maxBytes));
    if (asking === undefined) return plain;
    const keeper = new Keeper((entry) => this.#put(run.tenant, key, entry));
    return { ...plain, encoded: asking, takes: (frame, line) => keeper.takes(frame, line) };
  }

  #find(tenant: Tenant, key: string): Entry | undefined {
    const entries = this.#shelves.get(tenant)?.entries;
    const entry = entries?.get(key);
    if (entry === undefined) return undefined;
    entries?.delete(key);
    entries?.set(key, entry);
    return entry;
  }

  #put(tenant: Tenant, key: string, entry: Entry): void {
    const shelf = this.#shelves.get(tenant) ?? { entries: new Map<string, Entry>(), bytes: 0 };
    this.#shelves.set(tenant, shelf);
    this.#remove(tenant, shelf, key);
    this.#shelves.set(tenant, shelf);
    shelf.entries.set(key, entry);
    shelf.bytes += entry.bytes;
    this.#bytes += entry.bytes;
    while (this.#bytes > this.#options.maxBytes) this.#evict();
  }

  #evict(): void {
    const [most] = [...this.#shelves].toSorted(([, left], [, right]) => right.bytes - left.bytes);
    if (most === undefined) return;
    const [tenant, shelf] = most;
    for (const oldest of shelf.entries.keys()) {
      this.#remove(tenant, shelf, oldest);
      return;
    }
  }

  #remove(tenant: Tenant, shelf: Shelf, key: string): void {
    const entry = shelf.entries.get(key);
    if (entry === undefined) return;
    shelf.entries.delete(key);
    shelf.bytes -= entry.bytes;
    this.#bytes -= entry.bytes;
    if (shelf.entries.size === 0) this.#shelves.delete(tenant);
  }
}
