import type { SettingSchema } from "./setting-values.ts";

/** One variable of the environment. */
export interface Setting<Value> {
  schema: SettingSchema<Value>;
  description: string;
  default: string;
  /** What stands for the default in the documentation, where it depends on the machine. */
  defaultInWords?: string;
}

export class SettingsError extends Error {
  override readonly name = "SettingsError";
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** A variable with the text of its default, and with words for it where the machine decides. */
export function setting<Value>(
  schema: SettingSchema<Value>,
  value: string,
  description: string,
  words?: string,
): Setting<Value> {
  return { schema, description, default: value, ...(words === undefined ? {} : { defaultInWords: words }) };
}

/** The variable's text; one that is empty counts as not set. */
export function given(environment: Environment, name: string): string | undefined {
  return environment[name] || undefined;
}

/** The variable's value, or its default; throws `SettingsError`. */
export function read<Value>(
  environment: Environment,
  name: string,
  { schema, default: initial }: Setting<Value>,
): Value {
  const text = given(environment, name) ?? initial;
  const parsed = schema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new SettingsError(
    `${name}=${JSON.stringify(text.slice(0, 200))} is not allowed: ${schema.description} is wanted`,
  );
}
