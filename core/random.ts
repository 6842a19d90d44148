import { randomFillSync } from "node:crypto";

/** Made at one time, since most of what it costs is the call. */
const pool = Buffer.alloc(4096);
let used = pool.length;

/** As many bytes as are asked for, `pool.length` at most, that nobody can guess: those of the system's generator. */
export function randomBytes(count: number): Buffer {
  if (used + count > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const bytes = Buffer.from(pool.subarray(used, used + count));
  pool.fill(0, used, used + count);
  used += count;
  return bytes;
}
