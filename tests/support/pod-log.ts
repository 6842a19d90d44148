import { text } from "node:stream/consumers";

import { cluster } from "./cluster.ts";

const SILENCE_MS = 30_000;

/** All that the Pod at `path` has printed, as `kubectl logs` shows it. */
export async function readPodLog(path: string): Promise<string> {
  return await text(await cluster().stream(`${path}/log`, {}, AbortSignal.timeout(SILENCE_MS), SILENCE_MS));
}
