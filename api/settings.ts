import { join } from "node:path";

import { z } from "zod";

import { callbackSettings, readCallbackSettings } from "./callback-settings.ts";
import { API_KEYS_ALLOWED, parseApiKeys } from "./api-keys.ts";
import type { LanguageRegistry } from "../core/languages.ts";
import { imageSettings, kubernetesSettings, readKubernetesSettings } from "./kubernetes-settings.ts";
import { limitSettings, readLimits } from "./limit-settings.ts";
import { SettingsError, given, read, setting } from "./setting.ts";
import type { Environment, Setting } from "./setting.ts";
import {
  absolutePath,
  addressRange,
  boolean,
  frameAncestors,
  integer,
  list,
  listenAddress,
  oneOf,
  optional,
  trustedProxies,
} from "./setting-values.ts";

const MiB = 1024 * 1024;
/** The program and its input travel to the runner in one message of at most 64 MiB. */
const MAX_REQUEST_PART_BYTES = 31 * MiB;
function stateFolder(environment: Environment): string {
  const { XDG_STATE_HOME: state, HOME: home } = environment;
  // A user id without an account, as containers have, may have no home.
  if (process.getuid?.() === 0 || !(state || home)) return "/var/lib/sandbox-api";
  return join(state || join(home ?? "/", ".local", "state"), "sandbox-api");
}

/** Every variable but those of the limits. */
function generalSettings(environment: Environment) {
  return {
    BACKEND: setting(
      oneOf(["local", "kubernetes"]),
      "local",
      "What executes the runs: sandboxes on this machine, or Jobs of a cluster",
    ),
    HOST: setting(
      listenAddress(),
      "127.0.0.1",
      "Where to listen; anything but loopback needs `API_KEYS` or `ALLOW_ANONYMOUS`",
    ),
    PORT: setting(integer(0, 65_535), "8080", "The port to listen on; 0 takes any that is free"),
    API_KEYS: setting(
      z.string().describe(API_KEYS_ALLOWED),
      "",
      "The keys of those who may use the service, each with the name that its runs belong to",
      "none",
    ),
    ALLOW_ANONYMOUS: setting(
      boolean(),
      "false",
      "Serve on an address other than loopback, and under any host name, without keys",
    ),
    DATA_DIR: setting(
      absolutePath(),
      stateFolder(environment),
      "Where the local backend keeps queue and results",
      "/var/lib/sandbox-api for root, else sandbox-api in $XDG_STATE_HOME or ~/.local/state",
    ),
    MAX_RUNNING: setting(
      optional(integer(1, 100_000)),
      "",
      "Runs that execute at one time",
      "the number of processors; on Kubernetes as many as the cluster has room for",
    ),
    MAX_INTERACTIVE: setting(
      integer(0, 100_000),
      "16",
      "Interactive runs at one time, beside the others; 0 allows none",
    ),
    INTERACTIVE_SECONDS: setting(
      integer(1, 86_400),
      "1800",
      "How long an interactive run may go on at most, in seconds",
    ),
    INTERACTIVE_IDLE_SECONDS: setting(
      integer(1, 86_400),
      "300",
      "How long an interactive run may go on without input or output, in seconds",
    ),
    MAX_QUEUED: setting(integer(0, 1_000_000), "1000", "Runs that wait for their turn; beyond them the answer is 429"),
    WARM_MIN: setting(
      integer(0, 1000),
      "1",
      "Interpreters of each language, and compilers of Java once it was used, that wait for a program even when nobody asks (local backend)",
    ),
    WARM_MAX: setting(
      integer(0, 1000),
      "4",
      "Interpreters of a language in use that wait for programs at most; 0 starts none before its program",
    ),
    WARM_MAX_AGE_SECONDS: setting(
      integer(1, 86_400),
      "300",
      "How long an interpreter waits before another takes its place, in seconds; also in Jobs of `WARM_POOL`",
    ),
    COMPILE_CACHE_BYTES: setting(
      integer(0, 1024 * 1024 * MiB),
      String(64 * MiB),
      "Compiled programs that are kept in memory for the next run of the same key, in bytes; 0 keeps none (local backend)",
    ),
    RESULT_TTL_SECONDS: setting(integer(1, 31_536_000), "86400", "How long results are kept, in seconds"),
    DRAIN_SECONDS: setting(integer(0, 3600), "30", "How long runs may go on after SIGTERM, in seconds"),
    MAX_PROGRAM_BYTES: setting(
      integer(1, MAX_REQUEST_PART_BYTES),
      "1048576",
      "All files of a program together, with its tests, in bytes",
    ),
    MAX_STDIN_BYTES: setting(integer(0, MAX_REQUEST_PART_BYTES), "10485760", "A program's input, in bytes"),
    RATE_LIMIT_PER_MINUTE: setting(
      integer(0, 1_000_000_000),
      "12000",
      "Runs that one key, or one address, may ask for in a minute; 0 is no limit",
    ),
    TRUST_PROXY: setting(trustedProxies(), "false", "Whose X-Forwarded-For is believed"),
    FRAME_ANCESTORS: setting(frameAncestors(), "none", "Whose pages may show the playground in a frame"),
    ALLOW_NETWORK: setting(
      boolean(),
      "false",
      "Whether a request may have `network`: true, so that its program reaches other machines",
    ),
    NETWORK_RANGES: setting(
      list(addressRange()),
      "",
      "What programs with a network may reach although it is not public (local backend)",
      "none",
    ),
    LOG_LEVEL: setting(
      oneOf(["fatal", "error", "warn", "info", "debug", "trace", "silent"]),
      "info",
      "The least that is logged",
    ),
  };
}

/** Every variable by name, in the order of the documentation. */
export function settingsTable(environment: Environment, registry: LanguageRegistry): Map<string, Setting<unknown>> {
  return new Map<string, Setting<unknown>>([
    ...Object.entries(generalSettings(environment)),
    ...Object.entries(callbackSettings()),
    ...limitSettings(),
    ...Object.entries(kubernetesSettings()),
    ...imageSettings(registry),
  ]);
}

function readApiKeys(environment: Environment): ReturnType<typeof parseApiKeys> {
  const text = given(environment, "API_KEYS");
  if (text === undefined) return [];
  try {
    return parseApiKeys(text);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new SettingsError(`API_KEYS: ${problem}; ${API_KEYS_ALLOWED} are wanted`, { cause: error });
  }
}

/**
 * The settings that `environment` makes; a variable that is empty counts as not set, and unknown ones are none of ours.
 * Throws `SettingsError` with one line that names the variable, its value and what is allowed.
 */
export function readSettings(environment: Environment) {
  const table = generalSettings(environment);
  const settings = {
    backend: read(environment, "BACKEND", table.BACKEND),
    host: read(environment, "HOST", table.HOST),
    port: read(environment, "PORT", table.PORT),
    apiKeys: readApiKeys(environment),
    allowAnonymous: read(environment, "ALLOW_ANONYMOUS", table.ALLOW_ANONYMOUS),
    dataDir: read(environment, "DATA_DIR", table.DATA_DIR),
    maxRunning: read(environment, "MAX_RUNNING", table.MAX_RUNNING),
    maxQueued: read(environment, "MAX_QUEUED", table.MAX_QUEUED),
    interactive: {
      most: read(environment, "MAX_INTERACTIVE", table.MAX_INTERACTIVE),
      wallMs: read(environment, "INTERACTIVE_SECONDS", table.INTERACTIVE_SECONDS) * 1000,
      idleMs: read(environment, "INTERACTIVE_IDLE_SECONDS", table.INTERACTIVE_IDLE_SECONDS) * 1000,
    },
    ahead: {
      minimum: read(environment, "WARM_MIN", table.WARM_MIN),
      maximum: read(environment, "WARM_MAX", table.WARM_MAX),
      maxAgeMs: read(environment, "WARM_MAX_AGE_SECONDS", table.WARM_MAX_AGE_SECONDS) * 1000,
    },
    compileCacheBytes: read(environment, "COMPILE_CACHE_BYTES", table.COMPILE_CACHE_BYTES),
    resultTtlMs: read(environment, "RESULT_TTL_SECONDS", table.RESULT_TTL_SECONDS) * 1000,
    drainMs: read(environment, "DRAIN_SECONDS", table.DRAIN_SECONDS) * 1000,
    maxProgramBytes: read(environment, "MAX_PROGRAM_BYTES", table.MAX_PROGRAM_BYTES),
    maxStdinBytes: read(environment, "MAX_STDIN_BYTES", table.MAX_STDIN_BYTES),
    rateLimitPerMinute: read(environment, "RATE_LIMIT_PER_MINUTE", table.RATE_LIMIT_PER_MINUTE),
    trustProxy: read(environment, "TRUST_PROXY", table.TRUST_PROXY),
    frameAncestors: read(environment, "FRAME_ANCESTORS", table.FRAME_ANCESTORS),
    allowNetwork: read(environment, "ALLOW_NETWORK", table.ALLOW_NETWORK),
    networkRanges: read(environment, "NETWORK_RANGES", table.NETWORK_RANGES),
    logLevel: read(environment, "LOG_LEVEL", table.LOG_LEVEL),
    callbacks: readCallbackSettings(environment),
    limits: readLimits(environment),
    kubernetes: readKubernetesSettings(environment),
  };
  const { minimum, maximum } = settings.ahead;
  if (minimum > maximum && maximum > 0) {
    throw new SettingsError(`WARM_MIN=${minimum} is not allowed with WARM_MAX=${maximum}: at most that is wanted`);
  }
  const { queueName } = settings.kubernetes.jobs;
  if (queueName !== undefined && settings.kubernetes.warmPool.size > 0) {
    throw new SettingsError(
      `WARM_POOL is not allowed together with QUEUE_NAME=${JSON.stringify(queueName)}: Kueue would count what waits, and start it when it likes`,
    );
  }
  if (queueName !== undefined && settings.maxRunning !== undefined) {
    throw new SettingsError(
      `QUEUE_NAME=${JSON.stringify(queueName)} is not allowed together with MAX_RUNNING: either Kueue decides when runs begin, or this server`,
    );
  }
  if (!settings.host.loopback && settings.apiKeys.length === 0 && !settings.allowAnonymous) {
    throw new SettingsError(
      `HOST="${settings.host.address}" is not allowed without API_KEYS, since others can reach it: set API_KEYS, or ALLOW_ANONYMOUS=true, or a loopback address is wanted`,
    );
  }
  return settings;
}

export type Settings = ReturnType<typeof readSettings>;
