import type { RunId, Tenant } from "./run.ts";

/** A run that has ended, and the address that is to be told its result. */
export interface OwedCallback {
  id: RunId;
  tenant: Tenant;
  url: string;
}

/** What a backend keeps of callbacks, so that they outlive the server that accepted their runs. */
export interface CallbackLedger {
  /** Up to `limit` callbacks of runs that have ended, those that another server is at left out. */
  owed(limit: number): OwedCallback[];
  /**
   * Takes the next try of a callback for this server alone, for as many milliseconds as `leaseMs` says of that try: which one
   * it is, counted from 1 over all servers and starts. Undefined when it is owed no more, or another server is at it.
   */
  claim(id: RunId, leaseMs: (tryNumber: number) => number): Promise<number | undefined>;
  /** Writes down that the callback is owed no more. */
  settle(id: RunId): Promise<void>;
}
