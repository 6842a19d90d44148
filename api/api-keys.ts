import { readFileSync } from "node:fs";

export interface ApiKey {
  /** The tenant that the key's runs belong to. */
  name: string;
  secret: string;
}

const NAME = /^[A-Za-z0-9_.-]{1,63}$/;
/** What an HTTP header carries as it is: printable ASCII without spaces. */
const SECRET = /^[!-~]*$/;
const MIN_SECRET_CHARACTERS = 16;
/** The tenant of requests without a key. */
export const ANONYMOUS = "anonymous";

export const API_KEYS_ALLOWED =
  "name:secret pairs separated by commas, or the path of a file with one pair a line, beginning with / or file:";

function parseKey(entry: string): ApiKey {
  const colon = entry.indexOf(":");
  if (colon === -1) throw new Error("is not name:secret");
  const [name, secret] = [entry.slice(0, colon), entry.slice(colon + 1)];
  if (!NAME.test(name)) throw new Error("has a name that is not 1 to 63 letters, digits, _, . or -");
  if (name === ANONYMOUS) throw new Error(`is named ${ANONYMOUS}, which is the name of requests without a key`);
  if (secret.length < MIN_SECRET_CHARACTERS) {
    throw new Error(`(${name}) has a secret of fewer than ${MIN_SECRET_CHARACTERS} characters`);
  }
  if (!SECRET.test(secret)) throw new Error(`(${name}) has a secret with characters other than printable ASCII`);
  return { name, secret };
}

function parseEntries(entries: readonly (readonly [place: string, entry: string])[]): ApiKey[] {
  const keys: ApiKey[] = [];
  for (const [place, entry] of entries) {
    try {
      const key = parseKey(entry);
      if (keys.some(({ name }) => name === key.name)) throw new Error(`(${key.name}) has the name of another`);
      if (keys.some(({ secret }) => secret === key.secret)) throw new Error(`(${key.name}) has the secret of another`);
      keys.push(key);
    } catch (error) {
      throw new Error(`${place} ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
  return keys;
}

function readKeyFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new Error(`file ${path} can't be read: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

/** The keys that `API_KEYS` names. Throws an error that tells which entry is wrong, but no secret. */
export function parseApiKeys(value: string): ApiKey[] {
  const path = value.startsWith("file:") ? value.slice("file:".length) : value.startsWith("/") ? value : undefined;
  if (path === undefined) {
    return parseEntries(value.split(",").map((entry, index) => [`entry ${index + 1}`, entry.trim()] as const));
  }
  const lines = readKeyFile(path)
    .split("\n")
    .map((line, index) => [`line ${index + 1} of ${path}`, line.trim()] as const);
  const keys = parseEntries(lines.filter(([, line]) => line !== "" && !line.startsWith("#")));
  if (keys.length === 0) throw new Error(`file ${path} has no keys`);
  return keys;
}
