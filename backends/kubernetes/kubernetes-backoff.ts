import { setTimeout as delay } from "node:timers/promises";

const FIRST_MS = 200;

/**
 * Waits before the next try, longer after each failure up to `mostMs`, and never all replicas equally long. Ends early when
 * `signal` is aborted.
 */
export async function backoff(failures: number, mostMs: number, signal: AbortSignal): Promise<void> {
  const most = Math.min(mostMs, FIRST_MS * 2 ** Math.min(failures, 16));
  try {
    await delay(most * (0.5 + Math.random() / 2), undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
