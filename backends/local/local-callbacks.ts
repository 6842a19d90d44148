import type { DatabaseSync, StatementSync } from "node:sqlite";

import type { CallbackLedger, OwedCallback } from "../../core/callbacks.ts";
import type { RunId } from "../../core/run.ts";

/** The callbacks that runs of the store owe. There is one server on a store, so that none is at what another has begun. */
export class LocalCallbacks implements CallbackLedger {
  readonly #owed: StatementSync;
  readonly #claim: StatementSync;
  readonly #settle: StatementSync;

  constructor(database: DatabaseSync) {
    this.#owed = database.prepare(
      `SELECT id, tenant, callback_url FROM runs WHERE state = 'finished' AND callback_url IS NOT NULL
       ORDER BY finished_at LIMIT ?`,
    );
    this.#claim = database.prepare(
      `UPDATE runs SET callback_tries = callback_tries + 1
       WHERE id = ? AND state = 'finished' AND callback_url IS NOT NULL RETURNING callback_tries`,
    );
    this.#settle = database.prepare("UPDATE runs SET callback_url = NULL WHERE id = ?");
  }

  owed(limit: number): OwedCallback[] {
    return this.#owed.all(limit).map((row) => ({
      id: String(row["id"]),
      tenant: String(row["tenant"]),
      url: String(row["callback_url"]),
    }));
  }

  async claim(id: RunId): Promise<number | undefined> {
    const row = this.#claim.get(id);
    return row === undefined ? undefined : Number(row["callback_tries"]);
  }

  async settle(id: RunId): Promise<void> {
    this.#settle.run(id);
  }
}
