import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { LookupFunction } from "node:net";
import { Readable } from "node:stream";

import { Client } from "undici";

import { AddressSet, isPublicAddress } from "../../core/addresses.ts";
import { jsonPieces } from "../json-pieces.ts";
import type { RenderedResult } from "../render.ts";
import { SIGNATURE_HEADER, signature } from "./callback-signature.ts";

/** What one call may take from its name's resolution to its answer, in milliseconds. */
export const CALL_MS = 5000;
/** How much of an answer is read, and thrown away, so that its sender is not interrupted; in bytes. */
const MAX_ANSWER_BYTES = 16 * 1024;
const MAX_ANSWER_HEADER_BYTES = 16 * 1024;
/** How much of the body is sent at a time, in characters. */
const PIECE_CHARACTERS = 64 * 1024;

/** All addresses of a host name, as the system knows them. */
export type Resolve = (host: string) => Promise<string[]>;

/** Tells a result to a URL; why it could not be told, without the URL, or undefined when it was. */
export type Call = (url: string, result: RenderedResult) => Promise<string | undefined>;

export interface CallbackRules {
  /** Where callbacks may go, as `https://host:port` without a default port. */
  origins: readonly string[];
  /** Ranges of addresses that hosts may have although they are not public. */
  networks: readonly string[];
  secret: string;
}

async function systemAddresses(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

/** The host of a URL without the brackets of an IPv6 address. */
function hostOf(url: URL): string {
  return url.hostname.replaceAll(/^\[|\]$/g, "");
}

/** The JSON of the result; each time the same. */
function* bodyOf(result: RenderedResult): Generator<Buffer> {
  let text = "";
  for (const piece of jsonPieces(result)) {
    text += piece;
    if (text.length < PIECE_CHARACTERS) continue;
    yield Buffer.from(text);
    text = "";
  }
  yield Buffer.from(text);
}

/** Answers every question for an address with those that were checked. */
function fixedLookup(addresses: readonly string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_host, options, callback) => {
    if (options.all === true) callback(null, found);
    else callback(null, found[0]?.address ?? "", found[0]?.family);
  };
}

async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function problemOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return `it was not answered within ${CALL_MS / 1000} s`;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return code === "" ? "the connection failed" : `the connection failed: ${code}`;
}

/**
 * Makes calls by these rules. A host's addresses are looked up once and all of them checked, and the connection is made to
 * one of these, so that a name that changes its address in between leads nowhere. Redirects are not followed.
 */
export function callbackCaller(rules: CallbackRules, resolve: Resolve = systemAddresses): Call {
  const origins = new Set(rules.origins);
  const allowed = new AddressSet(rules.networks);

  return async (text, result) => {
    const url = new URL(text);
    // It was accepted by a server that may have had other settings.
    if (!origins.has(url.origin)) return "its host is not allowed any more";
    const signal = AbortSignal.timeout(CALL_MS);
    try {
      const host = hostOf(url);
      // To allow an address as such is to allow it whatever it is.
      if (isIP(host) !== 0) return await post(url, [host], result, rules.secret, signal);
      const addresses = await orAborted(resolve(host), signal);
      if (addresses.length === 0) return "its host has no address";
      if (!addresses.every((address) => isPublicAddress(address) || allowed.has(address))) {
        return "its host has an address that is neither public nor allowed";
      }
      return await post(url, addresses, result, rules.secret, signal);
    } catch (error) {
      return problemOf(error, signal);
    }
  };
}

async function post(
  { origin, pathname, search }: URL,
  addresses: readonly string[],
  result: RenderedResult,
  secret: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const client = new Client(origin, {
    connect: { lookup: fixedLookup(addresses), timeout: CALL_MS },
    maxHeaderSize: MAX_ANSWER_HEADER_BYTES,
  });
  try {
    let length = 0;
    for (const piece of bodyOf(result)) length += piece.length;
    const { statusCode, body } = await client.request({
      method: "POST",
      path: `${pathname}${search}`,
      headers: {
        "content-type": "application/json; charset=utf-8",
        "content-length": String(length),
        "user-agent": "sandbox-api",
        [SIGNATURE_HEADER]: signature(secret, Math.floor(Date.now() / 1000), bodyOf(result)),
      },
      body: Readable.from(bodyOf(result)),
      reset: true,
      signal,
    });
    // The status is all that counts.
    await body.dump({ limit: MAX_ANSWER_BYTES, signal }).catch(() => undefined);
    return statusCode >= 200 && statusCode < 300 ? undefined : `it was answered with ${statusCode}`;
  } finally {
    await client.destroy();
  }
}
