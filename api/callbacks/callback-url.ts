import { invalid } from "../../core/errors.ts";

export const MAX_CALLBACK_URL_CHARACTERS = 2048;
/** Path and query of a URL by RFC 3986; a fragment is never sent. */
const PATH_AND_QUERY = String.raw`(?:[/?][A-Za-z0-9\-._~!$&'()*+,;=:@%/?]*)?`;

/** What a callback's URL looks like where these are the allowed origins, as an expression for clients. */
export function callbackPattern(origins: readonly string[]): string {
  const escaped = origins.map((origin) => origin.replaceAll(/[.[\]]/g, String.raw`\$&`));
  return `^(?:${escaped.join("|")})${PATH_AND_QUERY}$`;
}

/** Checks the field `callback_url`. Throws `invalid_request` unless the URL leads to one of `origins`. */
export function checkCallbackUrl(url: string, origins: readonly string[]): void {
  if (url.length > MAX_CALLBACK_URL_CHARACTERS) {
    throw invalid(
      "callback_url",
      `is longer than ${MAX_CALLBACK_URL_CHARACTERS} characters`,
      MAX_CALLBACK_URL_CHARACTERS,
    );
  }
  if (!new RegExp(callbackPattern(origins)).test(url)) {
    throw invalid(
      "callback_url",
      `a URL that begins with ${origins.join(" or ")} is wanted, of RFC 3986's characters, without user, password and fragment`,
      origins,
    );
  }
}
