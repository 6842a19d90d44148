import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

import { ServiceError } from "../core/errors.ts";
import type { Tenant } from "../core/run.ts";
import { ANONYMOUS } from "./api-keys.ts";
import type { ApiKey } from "./api-keys.ts";

function digest(secret: string): Buffer {
  return createHash("sha256").update(secret, "latin1").digest();
}

function refused(message: string): ServiceError {
  return new ServiceError("unauthorized", message);
}

/** The secret that a request carries. Throws `unauthorized` for none, two, or one in a scheme other than Bearer. */
function secretOf(headers: IncomingHttpHeaders): string {
  const { authorization, "x-api-key": apiKey } = headers;
  if (Array.isArray(apiKey)) throw refused("X-API-Key: one is allowed");
  let bearer: string | undefined;
  if (authorization !== undefined) {
    bearer = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
    if (bearer === undefined) throw refused("Authorization: Bearer, a space and the key are wanted");
  }
  if (bearer !== undefined && apiKey !== undefined && bearer !== apiKey) {
    throw refused("Authorization and X-API-Key carry different keys; send one of them");
  }
  const secret = bearer ?? apiKey;
  if (secret === undefined) throw refused("a key is wanted, as Authorization: Bearer <key> or as X-API-Key");
  return secret;
}

/** Tells by its key whose a request is. */
export class Authenticator {
  readonly #keys: readonly { name: Tenant; digest: Buffer }[];

  constructor(keys: readonly ApiKey[]) {
    this.#keys = keys.map(({ name, secret }) => ({ name, digest: digest(secret) }));
  }

  /**
   * The name of the key in `Authorization` or `X-API-Key`; `anonymous` where no key is configured. Throws `unauthorized`.
   * Takes the same time wherever the key differs, and whichever of the keys it is.
   */
  authenticate(headers: IncomingHttpHeaders): Tenant {
    if (this.#keys.length === 0) return ANONYMOUS;
    const asked = digest(secretOf(headers));
    let tenant: Tenant | undefined;
    for (const key of this.#keys) {
      if (timingSafeEqual(key.digest, asked)) tenant = key.name;
    }
    if (tenant === undefined) throw refused("the key is not known");
    return tenant;
  }
}

const LOCAL_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;

/**
 * Throws `unauthorized` for a request that was not sent to this machine by a name of its own. A server without keys that
 * listens on loopback trusts everyone who can reach it, and a web page can: by a name that its owner resolves to 127.0.0.1.
 */
export function checkLocalHost(headers: IncomingHttpHeaders): void {
  if (headers.host === undefined || LOCAL_HOST.test(headers.host)) return;
  throw refused("this server has no keys and answers to localhost only; set API_KEYS, or ALLOW_ANONYMOUS=true");
}
