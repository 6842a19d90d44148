import { writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { Agent } from "node:http";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { loadLanguages } from "../../core/languages.ts";
import type { Language } from "../../core/languages.ts";
import { Client } from "../support/client.ts";
import { startServer, temporaryFolder } from "../support/server.ts";
import type { Server } from "../support/server.ts";
import { readFootprint } from "./footprint.ts";
import type { Footprint } from "./footprint.ts";
import { measureLive, renderLive } from "./live.ts";
import type { LiveRow } from "./live.ts";
import { executeMany, measureLatency, measureThroughput } from "./measure.ts";
import { compiledCases } from "./compiled.ts";
import { conditions, render } from "./report.ts";
import type { LatencyRow, Report, ThroughputRow } from "./report.ts";
import { bareCommands, bareSubject, bubblewrapSubject, serverSubject } from "./subjects.ts";

const INTERPRETERS = ["python", "nodejs", "typescript", "bash"];
const COMPILED = ["c", "cpp", "java"];
const CONCURRENCY = 4;
const WINDOWS = 3;
/** Where a compiler takes seconds, there is one pair for so many of the others. */
const PAIRS_PER_COMPILED = 6;
const IN_BUBBLEWRAP = new Set(["python", "nodejs"]);
/** The whole benchmark ends after so long, whatever hangs: its share for each language, window and run that was asked for. */
const ALLOWED_MS = { base: 120_000, pair: 4000, second: 4000, run: 1000 };

const USAGE = `npm run bench -- [options]
  --languages LIST    of interpreters, measured at c=1 (${INTERPRETERS.join(",")})
  --compiled LIST     of compilers, measured at c=1 when they see a program for the first time, and again (${COMPILED.join(",")})
  --sustained LIST    measured at c=${CONCURRENCY} (python,nodejs,bash)
  --pairs N           pairs of measurements at c=1, a sixth of them for what is compiled (30)
  --seconds N         length of a window at c=${CONCURRENCY}; each side has ${WINDOWS} (3)
  --memory-runs N     runs after which the server's memory is read for the last time (1000)
  --json FILE         writes all samples there`;

function readOptions() {
  const { values } = parseArgs({
    options: {
      languages: { type: "string", default: INTERPRETERS.join(",") },
      compiled: { type: "string", default: COMPILED.join(",") },
      sustained: { type: "string", default: "python,nodejs,bash" },
      pairs: { type: "string", default: "30" },
      seconds: { type: "string", default: "3" },
      "memory-runs": { type: "string", default: "1000" },
      json: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  const registry = loadLanguages(join(import.meta.dirname, "../../docker"));
  const languages = (list: string): Language[] =>
    list.split(",").flatMap((name) => {
      if (name === "") return [];
      const language = registry.find(name);
      if (language === undefined) throw new Error(`${name} is none of the languages ${registry.names.join(", ")}`);
      return language;
    });
  const natural = (option: "pairs" | "seconds" | "memory-runs"): number => {
    if (!/^[1-9]\d{0,6}$/.test(values[option]))
      throw new Error(`--${option} is ${values[option]}; a positive integer is wanted`);
    return Number(values[option]);
  };
  return {
    help: values.help,
    json: values.json,
    languages: languages(values.languages),
    compiled: languages(values.compiled),
    sustained: languages(values.sustained),
    pairs: natural("pairs"),
    seconds: natural("seconds"),
    memoryRuns: natural("memory-runs"),
  };
}

type Options = ReturnType<typeof readOptions>;

async function timedStart(dataDir: string): Promise<{ server: Server; startMs: number }> {
  const start = performance.now();
  const server = await startServer({ DATA_DIR: dataDir });
  return { server, startMs: performance.now() - start };
}

interface Bench {
  options: Options;
  server: Server;
  agent: Agent;
  /** A folder that lasts as long as the benchmark. */
  folder: string;
}

function keepAliveAgent(): Agent & Disposable {
  const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY });
  return Object.assign(agent, { [Symbol.dispose]: () => agent.destroy() });
}

async function latencyOf(language: Language, { options, server, agent, folder }: Bench): Promise<LatencyRow> {
  const ours = serverSubject(language, { server, agent });
  const bare = bareSubject(await bareCommands(language, await mkdtemp(join(folder, "bare-"))));
  const others = IN_BUBBLEWRAP.has(language.name)
    ? [await bubblewrapSubject(language, await mkdtemp(join(folder, "bubblewrap-")))]
    : [];
  const [bareMs = [], oursMs = [], bubblewrapMs] = await measureLatency([bare, ours, ...others], options.pairs, 1);
  return { language: language.name, bareMs, oursMs, ...(bubblewrapMs === undefined ? {} : { bubblewrapMs }) };
}

async function throughputOf(language: Language, { options, server, agent, folder }: Bench): Promise<ThroughputRow> {
  const ours = serverSubject(language, { server, agent });
  const bare = bareSubject(await bareCommands(language, await mkdtemp(join(folder, "bare-"))));
  const [barePerSecond = NaN, oursPerSecond = NaN] = await measureThroughput(
    [bare, ours],
    CONCURRENCY,
    options.seconds,
    WINDOWS,
  );
  return { language: language.name, barePerSecond, oursPerSecond };
}

async function measureSpeed(options: Options): Promise<Omit<Report, "footprint"> & { live: LiveRow }> {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, "data");
  const first = await timedStart(dataDir);
  await first.server.stop();
  const second = await timedStart(dataDir);
  await using server = second.server;
  using agent = keepAliveAgent();
  const bench: Bench = { options, server, agent, folder: folder.path };
  const latency: LatencyRow[] = [];
  for (const language of options.languages) {
    console.error(`c=1 ${language.name}`);
    latency.push(await latencyOf(language, bench));
  }
  for (const { name, bare, ours } of await compiledCases(options.compiled, bench, folder.path)) {
    console.error(`c=1 ${name}`);
    const rounds = Math.ceil(options.pairs / PAIRS_PER_COMPILED);
    const [bareMs = [], oursMs = []] = await measureLatency([bare, ours], rounds, 1);
    latency.push({ language: name, bareMs, oursMs });
  }
  const throughput: ThroughputRow[] = [];
  for (const language of options.sustained) {
    console.error(`c=${CONCURRENCY} ${language.name}`);
    throughput.push(await throughputOf(language, bench));
  }
  console.error("live output");
  const live = await measureLive(new Client(server.url));
  return { live, startMs: { first: first.startMs, second: second.startMs }, latency, throughput };
}

/** The memory of a server that has done nothing yet, after 1,000 runs, and after the last. */
async function measureMemory({ sustained: [language], memoryRuns }: Options): Promise<Footprint[]> {
  if (language === undefined) return [];
  await using folder = await temporaryFolder();
  await using server = (await timedStart(join(folder.path, "data"))).server;
  using agent = keepAliveAgent();
  const subject = serverSubject(language, { server, agent });
  const footprints = [await readFootprint(server, 0)];
  let runs = 0;
  for (const stop of new Set([Math.min(1000, memoryRuns), memoryRuns])) {
    console.error(`memory after ${stop} runs`);
    runs += await executeMany(subject, CONCURRENCY, { count: stop - runs });
    footprints.push(await readFootprint(server, runs));
  }
  return footprints;
}

const options = readOptions();
if (options.help) {
  console.log(USAGE);
} else {
  const { languages, compiled, sustained, pairs, seconds, memoryRuns } = options;
  const allowedMs =
    ALLOWED_MS.base +
    (languages.length + compiled.length) * pairs * ALLOWED_MS.pair +
    sustained.length * seconds * WINDOWS * ALLOWED_MS.second +
    memoryRuns * ALLOWED_MS.run;
  setTimeout(() => {
    console.error(`the benchmark has not ended after ${allowedMs} ms`);
    process.exit(1);
  }, allowedMs).unref();
  console.log(conditions());
  const report = { ...(await measureSpeed(options)), footprint: await measureMemory(options) };
  console.log(`\n${render(report, CONCURRENCY)}\n\n${renderLive(report.live)}`);
  if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(report, undefined, 2));
}
