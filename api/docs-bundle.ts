import { once } from "node:events";
import { Worker } from "node:worker_threads";

export interface DocsBundle {
  /** The HTML, with `NONCE_PLACEHOLDER` where a nonce goes. */
  page: string;
  /** The script, compressed by gzip. */
  script: Uint8Array;
}

export const NONCE_PLACEHOLDER = "the-nonce-goes-here";
export const SCRIPT_PATH = "/docs/reference.js";

/** Longer than the slowest machine takes, in milliseconds. */
const LOAD_TIMEOUT_MS = 30_000;

function isDocsBundle(value: unknown): value is DocsBundle {
  if (typeof value !== "object" || value === null || !("page" in value) || !("script" in value)) return false;
  return typeof value.page === "string" && value.script instanceof Uint8Array;
}

/**
 * The API reference's page and script. Their package takes 40 MB of memory, nearly all of it for a moment only: a thread
 * of its own loads it, and takes that memory along when it ends.
 */
export async function loadDocsBundle(): Promise<DocsBundle> {
  const worker = new Worker(new URL("docs-worker.ts", import.meta.url));
  try {
    const messages: readonly unknown[] = await once(worker, "message", {
      signal: AbortSignal.timeout(LOAD_TIMEOUT_MS),
    });
    const message = messages[0];
    if (!isDocsBundle(message)) throw new Error("the thread of the reference sent something else");
    return message;
  } finally {
    await worker.terminate();
  }
}
