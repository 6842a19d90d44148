import { LIMITS, LIMIT_NAMES, limitsFrom } from "../core/limits.ts";
import type { LimitBounds, LimitName } from "../core/limits.ts";
import { SettingsError, given, read, setting } from "./setting.ts";
import type { Environment, Setting } from "./setting.ts";
import { cpuQuantity, integer, memoryQuantity } from "./setting-values.ts";

const MiB = 1024 * 1024;
const MAX_MILLICORES = 1_000_000;
const DAY_MS = 24 * 60 * 60 * 1000;
const MAX_AMOUNT = 2 ** 40;

interface Variable {
  name: string;
  setting: Setting<number>;
}

/** The variables of one limit; the share of the processors has one for both. */
function variablesOf(limit: LimitName): { initial: Variable; maximum: Variable | null } {
  const { description, minimum, default: initial, maximum } = LIMITS[limit];
  if (limit === "cpu_millicores") {
    const schema = cpuQuantity(minimum, MAX_MILLICORES);
    return {
      initial: { name: "CPU_LIMIT", setting: setting(schema, `${initial}m`, `${description}: default and maximum`) },
      maximum: null,
    };
  }
  const memory = limit === "memory_bytes";
  const largest = limit.endsWith("_ms") ? DAY_MS : MAX_AMOUNT;
  const schema = memory ? memoryQuantity(minimum, largest) : integer(minimum, largest);
  const text = (value: number): string => (memory ? `${value / MiB}Mi` : String(value));
  return {
    initial: {
      name: memory ? "MEMORY_LIMIT" : `DEFAULT_${limit.toUpperCase()}`,
      setting: setting(schema, text(initial), `${description}: the default`),
    },
    maximum: {
      name: memory ? "MAX_MEMORY_LIMIT" : `MAX_${limit.toUpperCase()}`,
      setting: setting(schema, text(maximum), `${description}: the most that a request may ask for`),
    },
  };
}

/** The variables of all limits, by name. */
export function limitSettings(): [string, Setting<number>][] {
  return LIMIT_NAMES.flatMap((limit) => {
    const { initial, maximum } = variablesOf(limit);
    return [initial, ...(maximum === null ? [] : [maximum])].map((variable) => [variable.name, variable.setting]);
  });
}

function readLimit(environment: Environment, limit: LimitName): { initial: number; maximum: number } {
  const variables = variablesOf(limit);
  const initial = read(environment, variables.initial.name, variables.initial.setting);
  if (variables.maximum === null) return { initial, maximum: initial };
  const maximum = read(environment, variables.maximum.name, variables.maximum.setting);
  if (initial <= maximum) return { initial, maximum };
  if (given(environment, variables.maximum.name) === undefined) return { initial, maximum: initial };
  const [lower, upper] = [variables.initial, variables.maximum].map(
    ({ name, setting: { default: text } }) => `${name}=${JSON.stringify(given(environment, name) ?? text)}`,
  );
  throw new SettingsError(`${lower} is not allowed together with ${upper}: the default must not exceed the maximum`);
}

/** The server's bounds: a maximum that is not set gives way to a default above it. Throws `SettingsError`. */
export function readLimits(environment: Environment): LimitBounds {
  const bounds = new Map(LIMIT_NAMES.map((limit) => [limit, readLimit(environment, limit)]));
  return {
    default: limitsFrom((limit) => bounds.get(limit)?.initial ?? LIMITS[limit].default),
    maximum: limitsFrom((limit) => bounds.get(limit)?.maximum ?? LIMITS[limit].maximum),
  };
}
