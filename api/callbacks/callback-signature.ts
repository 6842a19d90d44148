import { createHmac } from "node:crypto";

/** The header that says when a callback was sent and proves by whom. */
export const SIGNATURE_HEADER = "sandbox-signature";

/** The value of the header: HMAC-SHA256 over the time, in seconds since 1970, a dot, and the body. */
export function signature(secret: string, seconds: number, body: Iterable<Uint8Array>): string {
  const hmac = createHmac("sha256", secret).update(`${seconds}.`);
  for (const piece of body) hmac.update(piece);
  return `t=${seconds},v1=${hmac.digest("hex")}`;
}
