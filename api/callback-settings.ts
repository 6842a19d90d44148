import { readFileSync } from "node:fs";

import { z } from "zod";

import type { CallbackRules } from "./callbacks/callback-call.ts";
import { SettingsError, given, read, setting } from "./setting.ts";
import type { Environment } from "./setting.ts";
import { addressRange, integer, list } from "./setting-values.ts";
import type { SettingSchema } from "./setting-values.ts";

const MIN_SECRET_CHARACTERS = 32;
const SECRET_ALLOWED = `at least ${MIN_SECRET_CHARACTERS} printable ASCII characters, or the path of a file with them, beginning with / or file:`;
const ORIGIN =
  /^(?:(https?):\/\/)?([a-zA-Z0-9](?:[a-zA-Z0-9.-]{0,251}[a-zA-Z0-9])?|\[[0-9a-fA-F:.]{2,45}\])(:\d{1,5})?$/;

/** A host as the origin of its URLs; without a scheme it is https. */
function callbackHost(): SettingSchema<string> {
  return z
    .string()
    .transform((text, context): string => {
      const [whole, scheme = "https", host = "", port = ""] = ORIGIN.exec(text) ?? [];
      const origin = `${scheme}://${host}${port}`;
      if (whole !== undefined && URL.canParse(origin)) return new URL(origin).origin;
      context.addIssue("not such a host");
      return z.NEVER;
    })
    .describe("a host such as hooks.example.org, with :port and with http:// where it is not https");
}

/** The variables of callbacks. */
export function callbackSettings() {
  return {
    CALLBACK_HOSTS: setting(
      list(callbackHost()),
      "",
      "Whom `callback_url` may name; needs `CALLBACK_SECRET`",
      "none: no callbacks",
    ),
    CALLBACK_SECRET: setting(
      z.string().describe(SECRET_ALLOWED),
      "",
      "What callbacks are signed with, and their receivers check",
      "none",
    ),
    CALLBACK_NETWORKS: setting(
      list(addressRange()),
      "",
      "Addresses that hosts of callbacks may have although they are not public, such as those of a cluster's Services",
      "none",
    ),
    CALLBACK_TRIES: setting(integer(1, 20), "6", "How often a callback is tried before it is given up"),
  };
}

function readSecret(text: string): string {
  const path = text.startsWith("file:") ? text.slice("file:".length) : text.startsWith("/") ? text : undefined;
  let secret = text;
  try {
    if (path !== undefined) secret = readFileSync(path, "utf8").trim();
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new SettingsError(`CALLBACK_SECRET: file ${path} can't be read: ${problem}`, { cause: error });
  }
  if (secret.length >= MIN_SECRET_CHARACTERS && /^[!-~]+$/.test(secret)) return secret;
  const where = path === undefined ? "" : ` in ${path}`;
  throw new SettingsError(`CALLBACK_SECRET${where} is not allowed: ${SECRET_ALLOWED} is wanted`);
}

export interface CallbackSettings extends CallbackRules {
  tries: number;
}

/** Undefined where no callbacks are made. Throws `SettingsError`, which tells no secret. */
export function readCallbackSettings(environment: Environment): CallbackSettings | undefined {
  const table = callbackSettings();
  const origins = [...new Set(read(environment, "CALLBACK_HOSTS", table.CALLBACK_HOSTS))];
  const networks = read(environment, "CALLBACK_NETWORKS", table.CALLBACK_NETWORKS);
  const tries = read(environment, "CALLBACK_TRIES", table.CALLBACK_TRIES);
  const text = given(environment, "CALLBACK_SECRET");
  if (origins.length === 0) return undefined;
  if (text === undefined) {
    throw new SettingsError(
      `CALLBACK_HOSTS=${JSON.stringify(origins.join(","))} is not allowed without CALLBACK_SECRET: ${SECRET_ALLOWED} is wanted`,
    );
  }
  return { origins, networks, tries, secret: readSecret(text) };
}
