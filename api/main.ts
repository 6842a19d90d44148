import "./engine.ts"; // First, for all that follows to be compiled as it says.

import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";

import type { Backend } from "../core/backend.ts";
import type { OwedCallback } from "../core/callbacks.ts";
import { CheckedBackend } from "../core/checked-backend.ts";
import { StartError } from "../core/errors.ts";
import { aheadProgram, waitingLimits } from "../core/create-run.ts";
import { loadLanguages } from "../core/languages.ts";
import { boundsFor } from "../core/limits.ts";
import type { LanguageRegistry } from "../core/languages.ts";
import { buildApp } from "./app.ts";
import { callbackCaller } from "./callbacks/callback-call.ts";
import { CallbackDispatcher } from "./callbacks/callback-dispatcher.ts";
import type { App } from "./context.ts";
import { readImages } from "./kubernetes-settings.ts";
import { Metrics } from "./metrics.ts";
import { SettingsError } from "./setting.ts";
import { readSettings } from "./settings.ts";
import type { Settings } from "./settings.ts";

/** How long clients have to take their answers after the last run was drained, in milliseconds. */
const FAREWELL_MS = 2000;

function pathInRepository(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}

/** What every backend is opened with. */
interface Opening {
  settings: Settings;
  registry: LanguageRegistry;
  log: (message: string) => void;
  metrics: Metrics;
  owes: (callback: OwedCallback) => void;
}

async function openLocal({ settings, registry, log, metrics, owes }: Opening): Promise<Backend> {
  if (process.platform !== "linux") {
    throw new StartError("BACKEND=local needs Linux; on other systems the way is BACKEND=kubernetes");
  }
  const { LocalBackend } = await import("../backends/local/local-backend.ts");
  return await LocalBackend.open({
    dataDir: settings.dataDir,
    usualLimits: {
      memoryBytes: settings.limits.default.memory_bytes,
      processes: settings.limits.default.processes,
      cpuMillicores: settings.limits.default.cpu_millicores,
    },
    maxRunning: settings.maxRunning ?? availableParallelism(),
    maxQueued: settings.maxQueued,
    resultTtlMs: settings.resultTtlMs,
    sources: {
      runner: pathInRepository("build/runner"),
      node: process.execPath,
      prepared: pathInRepository("build/languages"),
    },
    launcherPath: pathInRepository("build/launcher"),
    networkRanges: settings.allowNetwork ? settings.networkRanges : undefined,
    ahead: {
      ...settings.ahead,
      programs: registry.languages
        .filter((language) => language.ahead !== false)
        .map((language) => aheadProgram(language, waitingLimits(boundsFor(settings.limits, language.limits)))),
    },
    log,
    compileCache: {
      maxBytes: settings.compileCacheBytes,
      observe: (language, hit) => metrics.compiled(language, hit),
    },
    observe: (result) => metrics.finished(result),
    observeAhead: (language, waitedMs) => metrics.claimed(language, waitedMs),
    owes,
  });
}

async function openKubernetes({ settings, registry, log, metrics, owes }: Opening): Promise<Backend> {
  const { openKubernetesBackend } = await import("../backends/kubernetes/kubernetes-open.ts");
  const { podLimits } = await import("../backends/kubernetes/kubernetes-warm-job.ts");
  const { kubeconfig, namespace, templateDir, jobs, warmPool } = settings.kubernetes;
  return await openKubernetesBackend({
    kubeconfig,
    namespace,
    templateDir: templateDir ?? pathInRepository("k8s/templates"),
    registry,
    jobs: { ...jobs, images: readImages(process.env, registry) },
    maxRunning: settings.maxRunning,
    maxQueued: settings.maxQueued,
    warm: {
      sizes: warmPool,
      maxAgeMs: settings.ahead.maxAgeMs,
      ahead: (language) => aheadProgram(language, podLimits(boundsFor(settings.limits, language.limits))),
    },
    log,
    observe: (result) => metrics.finished(result),
    owes,
    observeAhead: (language, waitedMs) => metrics.claimed(language, waitedMs),
  });
}

/** What tells results to those who asked for it; undefined where nobody may. */
function openCallbacks(
  { settings, metrics, log }: Omit<Opening, "owes">,
  backend: Backend,
): CallbackDispatcher | undefined {
  const { callbacks } = settings;
  if (callbacks === undefined) return undefined;
  return new CallbackDispatcher({
    backend,
    call: callbackCaller(callbacks),
    tries: callbacks.tries,
    observe: (outcome) => metrics.calledBack(outcome),
    log,
  });
}

const BACKENDS: Record<Settings["backend"], (opening: Opening) => Promise<Backend>> = {
  local: openLocal,
  kubernetes: openKubernetes,
};

async function listen(app: App, { host, port, logLevel }: Settings): Promise<string> {
  try {
    // Fastify logs the address as well, once for each network interface.
    app.log.level = "silent";
    return await app.listen({ host: host.address, port });
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new StartError(`HOST=${host.address} PORT=${port} can't be listened on: ${problem}`, { cause: error });
  } finally {
    app.log.level = logLevel;
  }
}

/** What is to be ended with the process. */
interface Served {
  app: App;
  backend: Backend;
  callbacks: CallbackDispatcher | undefined;
}

/** Stops accepting, lets runs end within the drain time and their clients take the answers; resolves when all is released. */
async function drain({ app, backend, callbacks }: Served, drainMs: number): Promise<void> {
  const closed = app.close();
  // The backend writes down what was delivered.
  await callbacks?.close();
  await backend.close(drainMs);
  const farewell = setTimeout(() => app.server.closeAllConnections(), FAREWELL_MS);
  await closed;
  clearTimeout(farewell);
}

/** The first signal drains and ends the process with 0, or with 1 if that fails; the second one ends it with 1 at once. */
function drainOnSignal(served: Served, drainMs: number): void {
  const { app } = served;
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) process.exit(1);
    stopping = true;
    app.log.info(`${signal}: stopping, within ${drainMs / 1000} s for what runs`);
    drain(served, drainMs).then(
      () => process.exit(0),
      (error: unknown) => {
        app.log.fatal({ err: error }, "stopping failed");
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}

async function main(): Promise<void> {
  // That nobody reads the log any more is no reason to stop.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  const settings = readSettings(process.env);
  const registry = loadLanguages(pathInRepository("docker"));
  const metrics = new Metrics(registry.names);
  let log = (message: string): void => void process.stderr.write(`${message}\n`);
  let callbacks: CallbackDispatcher | undefined;
  const opening = { settings, registry, log: (message: string) => log(message), metrics };
  const inner = await BACKENDS[settings.backend]({ ...opening, owes: (callback) => callbacks?.owes(callback) });
  const backend = new CheckedBackend(inner, (name) => {
    const language = registry.find(name);
    return language && { language, bounds: boundsFor(settings.limits, language.limits) };
  });
  const app = await buildApp({ settings, backend, registry, metrics });
  log = (message) => app.log.warn(message);
  callbacks = openCallbacks(opening, backend);
  drainOnSignal({ app, backend, callbacks }, settings.drainMs);
  let address: string;
  try {
    address = await listen(app, settings);
  } catch (error) {
    await callbacks?.close();
    await backend.close(0);
    throw error;
  }
  process.stdout.write(`listening on ${address}\n`);
  for (const problem of (await backend.health()).problems) log(problem);
}

try {
  await main();
} catch (error) {
  const expected = error instanceof SettingsError || error instanceof StartError;
  process.stderr.write(`${expected ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
}
