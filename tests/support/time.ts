import { setTimeout as delay } from "node:timers/promises";

/** The promise's value; throws when it takes longer than `milliseconds`. */
export async function within<T>(milliseconds: number, what: string, promise: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const late = delay(milliseconds, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`${what} took longer than ${milliseconds} ms`);
  });
  late.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer.abort();
  }
}

/**
 * Asks again and again until there is an answer, for what nothing announces. Throws with the last answer that was no
 * answer yet when that takes longer than `milliseconds`.
 */
export async function eventually<T>(
  milliseconds: number,
  what: string,
  ask: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const deadline = performance.now() + milliseconds;
  for (let pauseMs = 5; ; pauseMs = Math.min(pauseMs * 1.5, 100)) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${milliseconds} ms`);
    await delay(pauseMs);
  }
}
