import { chmodSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { StatementSync } from "node:sqlite";

import { StartError } from "../../core/errors.ts";
import type { Grading } from "../../core/grading.ts";
import type { RunId, RunState } from "../../core/run.ts";
import type { PreparedProgram } from "./local-program.ts";
import { Recording } from "../../core/recording.ts";
import { LocalCallbacks } from "./local-callbacks.ts";
import type { RunHeader } from "./local-run.ts";

const SCHEMA_VERSION = 3;

/** How long a write that nobody waits for may stay in memory, in milliseconds. */
const WRITE_BEHIND_MS = 100;
/** How long after a failed write it is tried again, in milliseconds. */
const RETRY_MS = 1000;
const PURGE_BATCH = 500;

const CALLBACKS_INDEX =
  "CREATE INDEX runs_owing ON runs (finished_at) WHERE state = 'finished' AND callback_url IS NOT NULL";

const SCHEMA = `
  CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    language TEXT NOT NULL,
    version TEXT,
    fingerprint TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'finished')),
    finished_at INTEGER,
    program BLOB,
    demands TEXT,
    recording BLOB,
    grading TEXT,
    callback_url TEXT,
    callback_tries INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX runs_unfinished ON runs (created_at) WHERE state <> 'finished';
  CREATE INDEX runs_finished ON runs (finished_at) WHERE state = 'finished';
  ${CALLBACKS_INDEX};
`;

/** What each version had not that the next one has, the first one's first. */
const UPGRADES = [
  "ALTER TABLE runs ADD COLUMN grading TEXT",
  `ALTER TABLE runs ADD COLUMN callback_url TEXT;
   ALTER TABLE runs ADD COLUMN callback_tries INTEGER NOT NULL DEFAULT 0;
   ${CALLBACKS_INDEX}`,
];

interface Row {
  id: string;
  tenant: string;
  language: string;
  version: string | null;
  fingerprint: string;
  created_at: number;
  state: "queued" | "running" | "finished";
  finished_at: number | null;
  grading: string | null;
  /** Null when none is owed, or not any more. */
  callback_url: string | null;
}

const COLUMNS = "id, tenant, language, version, fingerprint, created_at, state, finished_at, grading, callback_url";

interface PendingWrite {
  write: () => void;
  /** The caller who waits for the write; without one it is tried again until it succeeds. */
  waiter?: PromiseWithResolvers<void>;
}

/** What the store knows of a run without its program or output. */
export interface StoredRun extends RunHeader {
  state: Row["state"];
}

function storedRun(row: Row): StoredRun {
  const { id, tenant, language, version, fingerprint, state } = row;
  const grading = row.grading === null ? undefined : (JSON.parse(row.grading) as Grading);
  const createdAt = new Date(row.created_at);
  const callbackUrl = row.callback_url ?? undefined;
  return { id, tenant, language, version, fingerprint, state, durable: true, createdAt, grading, callbackUrl };
}

/**
 * The runs of one server in one SQLite file, which it holds locked. Writes that a caller waits for are on the disk when
 * their promise resolves, and those of one turn of the event loop share one commit; the others are written a moment later.
 */
export class LocalStore implements Disposable {
  readonly #database: DatabaseSync;
  readonly #ttlMs: number;
  readonly #insert: StatementSync;
  readonly #setState: StatementSync;
  readonly #finish: StatementSync;
  readonly #select: StatementSync;
  readonly #selectProgram: StatementSync;
  readonly #selectRecording: StatementSync;
  readonly #purge: StatementSync;
  readonly #forget: StatementSync;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  /** Not at first, as it was opened. */
  #isSynced = false;
  #pending: PendingWrite[] = [];
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly callbacks: LocalCallbacks;
  /** Why the last write failed; undefined when it did not. */
  problem: string | undefined;

  private constructor(database: DatabaseSync, ttlMs: number) {
    this.#database = database;
    this.#ttlMs = ttlMs;
    this.callbacks = new LocalCallbacks(database);
    this.#insert = database.prepare(
      `INSERT INTO runs (${COLUMNS}, program, demands, recording) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#setState = database.prepare("UPDATE runs SET state = ? WHERE id = ? AND state <> 'finished'");
    this.#finish = database.prepare(
      `UPDATE runs SET state = 'finished', finished_at = ?, recording = ?, program = NULL, demands = NULL
       WHERE id = ? AND state <> 'finished'`,
    );
    this.#select = database.prepare(`SELECT ${COLUMNS} FROM runs WHERE id = ?`);
    this.#selectProgram = database.prepare("SELECT program, demands FROM runs WHERE id = ?");
    this.#selectRecording = database.prepare("SELECT recording FROM runs WHERE id = ?");
    this.#purge = database.prepare(
      "DELETE FROM runs WHERE id IN (SELECT id FROM runs WHERE state = 'finished' AND finished_at < ? LIMIT ?)",
    );
    this.#begin = database.prepare("BEGIN");
    this.#commit = database.prepare("COMMIT");
    this.#forget = database.prepare("DELETE FROM runs WHERE id = ? AND state = 'finished'");
  }

  /** Opens or makes the file. Throws `StartError` when another server holds it, or when it is of another version. */
  static open(path: string, ttlMs: number): LocalStore {
    const database = new DatabaseSync(path);
    try {
      // The lock lasts as long as the process: two servers on one file would take each other's runs for lost.
      database.exec("PRAGMA busy_timeout = 2000; PRAGMA locking_mode = EXCLUSIVE; PRAGMA auto_vacuum = INCREMENTAL");
      database.exec("PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = 16777216; PRAGMA synchronous = NORMAL");
      chmodSync(path, 0o600);
      const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
      const made = version === 0 ? SCHEMA : UPGRADES.slice(version - 1).join("; ");
      if (made !== "") database.exec(`BEGIN; ${made}; PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`);
      else if (version !== SCHEMA_VERSION) {
        throw new StartError(
          `${path} is of another version of this server (its schema is ${version}, this one knows ${SCHEMA_VERSION}); give each its own DATA_DIR`,
        );
      }
    } catch (error) {
      database.close();
      if (error instanceof Error && /database is locked/.test(error.message)) {
        throw new StartError(`${path} is in use by another server; give each its own DATA_DIR`, { cause: error });
      }
      throw error;
    }
    return new LocalStore(database, ttlMs);
  }

  /** Keeps a new run with its program. On the disk when the promise resolves, also if the machine fails. */
  async insertQueued(run: RunHeader, program: PreparedProgram): Promise<void> {
    const waiter = Promise.withResolvers<void>();
    this.#pending.push({ write: () => this.#insertRun(run, "queued", null, program, null), waiter });
    this.#immediate ??= setImmediate(() => this.flush());
    await waiter.promise;
  }

  /** Keeps a new run that is not to be executed again, in the kernel's hands when it returns: a killed server knows that it was. */
  insertRunning(run: RunHeader): void {
    this.#writeBehind(() => this.#insertRun(run, "running", null, null, null));
    this.flush();
  }

  /** Marks a run as being executed, in the kernel's hands when it returns: a killed server will not execute it again. */
  markRunning(id: RunId): void {
    this.flush();
    this.#setState.run("running", id);
  }

  /** Puts a run that was stopped before its end back to be executed after the next start. */
  requeue(id: RunId): void {
    this.#writeBehind(() => this.#setState.run("queued", id));
  }

  /** Keeps the end of a run that was inserted before, in the kernel's hands when it returns: a killed server has not lost it. */
  finish(id: RunId, recording: Recording): void {
    this.#writeBehind(() => this.#finish.run(recording.finishedAt?.getTime() ?? Date.now(), recording.serialize(), id));
    this.flush();
  }

  /** Keeps a run that nobody needed to be durable before its end. */
  insertFinished(run: RunHeader, recording: Recording): void {
    this.#writeBehind(() => this.#insertRun(run, "finished", recording.finishedAt, null, recording));
  }

  /** The run, unless it has expired. */
  find(id: RunId): StoredRun | undefined {
    this.flush();
    const row = this.#select.get(id) as unknown as Row | undefined;
    if (row === undefined) return undefined;
    if (row.finished_at !== null && row.finished_at < this.#expiry()) return undefined;
    return storedRun(row);
  }

  program(id: RunId): PreparedProgram | undefined {
    const row = this.#selectProgram.get(id);
    if (row === undefined || !(row["program"] instanceof Uint8Array)) return undefined;
    return {
      suitsAhead: false,
      interaction: undefined, // No program that is spoken to is executed again.
      encoded: Buffer.from(row["program"]),
      demands: JSON.parse(String(row["demands"])) as PreparedProgram["demands"],
    };
  }

  recording(run: StoredRun): Recording {
    const bytes = this.#selectRecording.get(run.id)?.["recording"];
    return Recording.parse(run, bytes instanceof Uint8Array ? bytes : new Uint8Array());
  }

  state(run: StoredRun): RunState {
    const { id, language, version, createdAt } = run;
    if (run.state === "finished") {
      const result = this.recording(run).result;
      if (result !== undefined) return { state: "finished", result };
    }
    return { state: "queued", id, language, version, createdAt };
  }

  /** Runs that an earlier server left: `running` ones first end as lost, the queued ones are returned in their order. */
  recover(reason: string): StoredRun[] {
    const rows = this.#database
      .prepare(`SELECT ${COLUMNS} FROM runs WHERE state <> 'finished' ORDER BY created_at, rowid`)
      .all() as unknown as Row[];
    const runs = rows.map(storedRun);
    for (const run of runs.filter(({ state }) => state === "running")) {
      const recording = new Recording(run);
      recording.interrupt({ status: "lost", reason }, new Date());
      this.finish(run.id, recording);
    }
    this.flush();
    return runs.filter(({ state }) => state === "queued");
  }

  /** Removes expired runs and gives their pages back; a bounded number, so that it never holds up the server for long. */
  purge(): void {
    this.flush();
    this.#purge.run(this.#expiry(), PURGE_BATCH);
    this.#database.exec("PRAGMA incremental_vacuum(2000)");
  }

  /** Writes what is pending; after a failure also when nothing is, to see whether it can be written again. */
  flush(): void {
    clearImmediate(this.#immediate);
    clearTimeout(this.#timer);
    this.#immediate = undefined;
    this.#timer = undefined;
    const batch = this.#pending;
    if (batch.length === 0 && this.problem === undefined) return;
    this.#pending = [];
    const synced = batch.some(({ waiter }) => waiter !== undefined);
    try {
      this.#sync(synced);
      this.#begin.run();
      for (const { write } of batch) write();
      if (batch.length === 0) this.#database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
      this.#commit.run();
    } catch (error) {
      this.#failed(batch, error);
      return;
    }
    this.problem = undefined;
    for (const { waiter } of batch) waiter?.resolve();
  }

  /** FULL syncs the log at the commit, NORMAL at the next checkpoint (sqlite.org/pragma.html#pragma_synchronous). */
  #sync(synced: boolean): void {
    if (synced === this.#isSynced) return;
    this.#database.exec(`PRAGMA synchronous = ${synced ? "FULL" : "NORMAL"}`);
    this.#isSynced = synced;
  }

  #failed(batch: PendingWrite[], error: unknown): void {
    if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
    this.problem = `runs cannot be stored: ${error instanceof Error ? error.message : String(error)}`;
    for (const { waiter } of batch) waiter?.reject(error);
    this.#pending.unshift(...batch.filter(({ waiter }) => waiter === undefined));
    this.#timer = setTimeout(() => this.flush(), RETRY_MS);
  }

  [Symbol.dispose](): void {
    this.flush();
    this.#database.close();
  }

  /** Runs that ended before this time, in milliseconds since 1970, are as if they had never been. */
  #expiry(): number {
    return Date.now() - this.#ttlMs;
  }

  #insertRun(
    run: RunHeader,
    state: Row["state"],
    finishedAt: Date | null,
    program: PreparedProgram | null,
    recording: Recording | null,
  ): void {
    // An idempotency key gives the same id again once its first run has expired, which a clock that was set back does not say.
    this.#forget.run(run.id);
    this.#insert.run(
      run.id,
      run.tenant,
      run.language,
      run.version,
      run.fingerprint,
      run.createdAt.getTime(),
      state,
      finishedAt?.getTime() ?? null,
      run.grading === undefined ? null : JSON.stringify(run.grading),
      run.callbackUrl ?? null,
      program?.encoded ?? null,
      program === null ? null : JSON.stringify(program.demands),
      recording?.serialize() ?? null,
    );
  }

  #writeBehind(write: () => void): void {
    this.#pending.push({ write });
    this.#timer ??= setTimeout(() => this.flush(), WRITE_BEHIND_MS);
  }
}
