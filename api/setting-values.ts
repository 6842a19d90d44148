import { isIP } from "node:net";

import { z } from "zod";

/** Text of the environment as a value; its description is what is allowed. */
export type SettingSchema<Value> = z.ZodType<Value, string>;

export function integer(minimum: number, maximum: number): SettingSchema<number> {
  return z
    .string()
    .regex(/^\d{1,16}$/)
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum)
    .describe(`an integer from ${minimum} to ${maximum}`);
}

export function boolean(): SettingSchema<boolean> {
  return z
    .enum(["true", "false"])
    .transform((value) => value === "true")
    .describe("true or false");
}

export function oneOf<const Value extends string>(values: readonly [Value, ...Value[]]): SettingSchema<Value> {
  const schema = z.string().transform((text, context): Value => {
    const found = values.find((value) => value === text);
    if (found !== undefined) return found;
    context.addIssue("not one of them");
    return z.NEVER;
  });
  return schema.describe(values.join(", ").replace(/, ([^,]*)$/, " or $1"));
}

/** Suffixes of a Kubernetes quantity: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
const SUFFIXES: Readonly<Record<string, number>> = {
  "": 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** The number of whole `unit`s that a quantity is; undefined if it is none, or not a whole number of them. */
function parseQuantity(text: string, unit: number): number | undefined {
  const match = /^(\d{1,16}(?:\.\d{1,9})?)([a-zA-Z]{0,2})$/.exec(text);
  const factor = SUFFIXES[match?.[2] ?? "none"];
  if (match === null || factor === undefined) return undefined;
  const exact = (Number(match[1]) * factor) / unit;
  const whole = Math.round(exact);
  // Binary fractions of decimal numbers are off by less than this.
  return Math.abs(exact - whole) < 1e-6 ? whole : undefined;
}

function quantity(minimum: number, maximum: number, unit: number, allowed: string): SettingSchema<number> {
  return z
    .string()
    .transform((text, context) => {
      const value = parseQuantity(text, unit);
      if (value !== undefined && value >= minimum && value <= maximum) return value;
      context.addIssue("not such a quantity");
      return z.NEVER;
    })
    .describe(allowed);
}

/** A Kubernetes quantity of memory, in bytes. */
export function memoryQuantity(minimum: number, maximum: number): SettingSchema<number> {
  return quantity(
    minimum,
    maximum,
    1,
    `a quantity of memory such as 256Mi, 1.5Gi or 268435456, from ${minimum} to ${maximum}`,
  );
}

/** A Kubernetes quantity of processors, in thousandths of one. */
export function cpuQuantity(minimum: number, maximum: number): SettingSchema<number> {
  return quantity(
    minimum,
    maximum,
    1e-3,
    `a quantity of processors such as 500m, 0.5 or 2, from ${minimum}m to ${maximum}m`,
  );
}

function isLoopback(address: string): boolean {
  return address === "localhost" || address === "::1" || address.startsWith("127.");
}

/** Where the server listens. */
export interface ListenAddress {
  address: string;
  loopback: boolean;
}

export function listenAddress(): SettingSchema<ListenAddress> {
  return z
    .string()
    .refine((text) => text === "localhost" || isIP(text) !== 0)
    .transform((address) => ({ address, loopback: isLoopback(address) }))
    .describe("an IP address or localhost");
}

/** Ranges that Fastify's trustProxy knows by name. */
const NAMED_RANGES = ["loopback", "linklocal", "uniquelocal"];

function isAddressRange(text: string): boolean {
  const [address = "", prefix, ...rest] = text.split("/");
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128));
}

/** An address, or a range of them. */
export function addressRange(): SettingSchema<string> {
  return z
    .string()
    .refine((text) => isAddressRange(text))
    .describe("an IP address or range such as 10.0.0.0/8");
}

/** Whose `X-Forwarded-For` is believed. */
export function trustedProxies(): SettingSchema<boolean | string[]> {
  return z
    .string()
    .transform((text, context): boolean | string[] => {
      if (text === "true" || text === "false") return text === "true";
      const ranges = text.split(",").map((range) => range.trim());
      if (ranges.every((range) => NAMED_RANGES.includes(range) || isAddressRange(range))) return ranges;
      context.addIssue("not such a list");
      return z.NEVER;
    })
    .describe(`true, false, or IP addresses and ranges (10.0.0.0/8, ${NAMED_RANGES.join(", ")}) separated by commas`);
}

export function absolutePath(): SettingSchema<string> {
  return z
    .string()
    .refine((text) => text.startsWith("/") && !text.includes("\0"))
    .describe("an absolute path");
}

/** Pages that may frame ours, as a Content-Security-Policy names them: https://www.w3.org/TR/CSP3/#directive-frame-ancestors */
export function frameAncestors(): SettingSchema<string[]> {
  const origin = /^https?:\/\/(?:\*\.)?[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::\d{1,5})?$/;
  return z
    .string()
    .transform((text, context): string[] => {
      if (text === "none") return ["'none'"];
      const words = text.split(",").map((word) => word.trim());
      if (words.every((word) => word === "self" || origin.test(word))) {
        return words.map((word) => (word === "self" ? "'self'" : word));
      }
      context.addIssue("not such a list");
      return z.NEVER;
    })
    .describe("none, self, or origins such as https://www.example.org, https://*.example.org, separated by commas");
}

/** The value of `schema`, or undefined for an empty text. */
export function optional<Value>(schema: SettingSchema<Value>): SettingSchema<Value | undefined> {
  return z
    .string()
    .transform((text, context): Value | undefined => {
      if (text === "") return undefined;
      const parsed = schema.safeParse(text);
      if (parsed.success) return parsed.data;
      context.addIssue("not such a value");
      return z.NEVER;
    })
    .describe(schema.description ?? "");
}

/** Values separated by commas; none for an empty text. */
export function list<Value>(schema: SettingSchema<Value>): SettingSchema<Value[]> {
  return z
    .string()
    .transform((text, context): Value[] => {
      const words = text === "" ? [] : text.split(",").map((word) => word.trim());
      const parsed = words.map((word) => schema.safeParse(word));
      if (parsed.every(({ success }) => success))
        return parsed.flatMap(({ data }) => (data === undefined ? [] : [data]));
      context.addIssue("not such a list");
      return z.NEVER;
    })
    .describe(`${schema.description}, or several with commas between them`);
}

/** The name of a Kubernetes object (RFC 1123): https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ */
export function objectName(): SettingSchema<string> {
  return z
    .string()
    .regex(/^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/)
    .describe("a name of lower-case letters, digits, - and .");
}

const LABEL_KEY = /^(?:[a-z0-9.-]{1,253}\/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/;

/** Labels, as in `pool=sandboxes,zone=a`. */
export function selector(): SettingSchema<Record<string, string>> {
  const pair = z
    .string()
    .transform((text): [string, string] => {
      const equals = text.indexOf("=");
      return equals === -1 ? ["", ""] : [text.slice(0, equals), text.slice(equals + 1)];
    })
    .refine(([key, value]) => LABEL_KEY.test(key) && LABEL_VALUE.test(value))
    .describe("a label as in pool=sandboxes");
  const pairs = list(pair);
  return pairs.transform((entries) => Object.fromEntries(entries)).describe(pairs.description ?? "");
}

/** Numbers by name, each name once, as in `python=2,nodejs=1`. */
export function counts(minimum: number, maximum: number): SettingSchema<ReadonlyMap<string, number>> {
  const pair = z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,62}=\d{1,9}$/)
    .transform((text): [string, number] => {
      const [name = "", count] = text.split("=");
      return [name, Number(count)];
    })
    .refine(([, count]) => count >= minimum && count <= maximum)
    .describe(`a name and a number from ${minimum} to ${maximum} as in python=2`);
  const pairs = list(pair);
  return pairs
    .refine((entries) => new Set(entries.map(([name]) => name)).size === entries.length)
    .transform((entries) => new Map(entries))
    .describe(`${pairs.description}, each name once`);
}

export interface Toleration {
  key: string;
  operator: "Exists" | "Equal";
  value?: string;
  effect?: string;
}

/** Taints as kubectl writes them: `key=value:Effect`, `key:Effect`, `key`. */
export function taints(): SettingSchema<Toleration[]> {
  const taint = z
    .string()
    .transform((text, context): Toleration => {
      const match = /^([^=:]+)(?:=([^:]*))?(?::(NoSchedule|PreferNoSchedule|NoExecute))?$/.exec(text);
      const [, key = "", value, effect] = match ?? [];
      if (!LABEL_KEY.test(key) || !LABEL_VALUE.test(value ?? "")) context.addIssue("not a taint");
      return {
        key,
        operator: value === undefined ? "Exists" : "Equal",
        ...(value === undefined ? {} : { value }),
        ...(effect === undefined ? {} : { effect }),
      };
    })
    .describe("a taint as in sandboxes=only:NoSchedule");
  return list(taint);
}
