import { writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { loadLanguages } from "../../core/languages.ts";
import type { Language } from "../../core/languages.ts";
import { Client } from "../support/client.ts";
import { startServer, temporaryFolder } from "../support/server.ts";
import type { Server } from "../support/server.ts";
import { compiledCases } from "./compiled.ts";
import { Connections } from "./connections.ts";
import { caseOf, figuresText, loadNow, machine } from "./figures.ts";
import type { Case, Figures, ServerFigures, Throughput } from "./figures.ts";
import { CASE_GOALS, THROUGHPUT_GOALS } from "./goals.ts";
import { measureLive } from "./live.ts";
import { EVENT_LOOP_SECONDS, measureEventLoop, measureFootprints } from "./load.ts";
import { executeMany, measureLatency, measureThroughput } from "./measure.ts";
import { limitsText, render } from "./report.ts";
import { bareCommands, bareSubject, bubblewrapSubject, serverSubject } from "./subjects.ts";

const INTERPRETERS = ["python", "nodejs", "typescript", "bash"];
const COMPILED = ["c", "cpp", "java"];
const CONCURRENCY = 4;
/** So many clients ask at once while the event loop's delay is measured. */
const MANY_CLIENTS = 64;
/** Many and short: the machine may drift within seconds. */
const WINDOWS = 20;
/** Runs of each interpreter before they count: V8 compiles for good what was called three thousand times. */
const WARM_UP_RUNS = 1000;
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
  --seconds N         length of a window at c=${CONCURRENCY}; each side has ${WINDOWS} (1)
  --memory-runs N     runs after which the server's memory is read for the last time (1000)
  --json FILE         writes the figures there, of which npm run bench:plot makes a picture

The first of the sustained languages is also what memory and the event loop's delay with ${MANY_CLIENTS} clients are measured with.`;

function readOptions() {
  const { values } = parseArgs({
    options: {
      languages: { type: "string", default: INTERPRETERS.join(",") },
      compiled: { type: "string", default: COMPILED.join(",") },
      sustained: { type: "string", default: "python,nodejs,bash" },
      pairs: { type: "string", default: "30" },
      seconds: { type: "string", default: "1" },
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
  connections: Connections;
  /** A folder that lasts as long as the benchmark. */
  folder: string;
}

async function interpreterCase(language: Language, { options, connections, folder }: Bench): Promise<Case> {
  const { name } = language;
  console.error(`c=1 ${name}`);
  const bareToolchain = bareSubject(await bareCommands(language, await mkdtemp(join(folder, "bare-"))));
  const service = serverSubject(language, connections);
  const subjects = [bareToolchain, service];
  if (IN_BUBBLEWRAP.has(name)) {
    subjects.push(await bubblewrapSubject(language, await mkdtemp(join(folder, "bubblewrap-"))));
  }
  await executeMany(service, CONCURRENCY, { count: WARM_UP_RUNS });
  const [bare = [], ours = [], bubblewrap] = await measureLatency(subjects, options.pairs, 1);
  return caseOf({ group: "interpreters", name, bare, ours, bubblewrap, goal: CASE_GOALS[name] });
}

async function measureCases(bench: Bench): Promise<Case[]> {
  const { options, folder } = bench;
  const cases: Case[] = [];
  for (const language of options.languages) cases.push(await interpreterCase(language, bench));
  const rounds = Math.ceil(options.pairs / PAIRS_PER_COMPILED);
  for (const { name, ...subjects } of await compiledCases(options.compiled, bench.connections, folder)) {
    console.error(`c=1 ${name}`);
    const [bare = [], ours = []] = await measureLatency([subjects.bare, subjects.ours], rounds, 1);
    cases.push(caseOf({ group: "compilers", name, bare, ours, goal: CASE_GOALS[name] }));
  }
  return cases;
}

async function throughputOf(language: Language, { options, connections, folder }: Bench): Promise<Throughput> {
  const { name } = language;
  console.error(`c=${CONCURRENCY} ${name}`);
  const ours = serverSubject(language, connections);
  const bare = bareSubject(await bareCommands(language, await mkdtemp(join(folder, "bare-"))));
  const [barePerSecond = NaN, oursPerSecond = NaN] = await measureThroughput(
    [bare, ours],
    CONCURRENCY,
    options.seconds,
    WINDOWS,
  );
  const ratio = oursPerSecond / barePerSecond;
  return { name, clients: CONCURRENCY, barePerSecond, oursPerSecond, ratio, goal: THROUGHPUT_GOALS[name] };
}

async function measureSpeed(
  options: Options,
): Promise<Pick<Figures, "cases" | "throughput" | "live"> & Pick<ServerFigures, "startMs">> {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, "data");
  const first = await timedStart(dataDir);
  await first.server.stop();
  const second = await timedStart(dataDir);
  await using server = second.server;
  using connections = new Connections(server.url);
  const bench: Bench = { options, connections, folder: folder.path };
  const cases = await measureCases(bench);
  const throughput: Throughput[] = [];
  for (const language of options.sustained) throughput.push(await throughputOf(language, bench));
  console.error("live output");
  const live = await measureLive(new Client(server.url));
  return { cases, throughput, live, startMs: { first: first.startMs, second: second.startMs } };
}

/** A server of its own, which nothing else has made grow: its memory, and its event loop with many clients. */
async function measureLoad({
  sustained: [language],
  memoryRuns,
}: Options): Promise<Pick<ServerFigures, "memory" | "eventLoop">> {
  if (language === undefined) return {};
  await using folder = await temporaryFolder();
  await using server = (await timedStart(join(folder.path, "data"))).server;
  using connections = new Connections(server.url);
  const subject = serverSubject(language, connections);
  const footprints = await measureFootprints(server, subject, CONCURRENCY, memoryRuns);
  console.error(`c=${MANY_CLIENTS} ${language.name}`);
  const eventLoop = await measureEventLoop(server, subject, MANY_CLIENTS);
  return {
    memory: { language: language.name, footprints },
    eventLoop: { language: language.name, ...eventLoop },
  };
}

async function measure(options: Options): Promise<Figures> {
  const loadBefore = loadNow();
  const { startMs, ...speed } = await measureSpeed(options);
  const load = await measureLoad(options);
  return { machine: machine(loadBefore), ...speed, server: { startMs, ...load } };
}

const options = readOptions();
if (options.help) {
  console.log(USAGE);
} else {
  const { languages, compiled, sustained, pairs, seconds, memoryRuns } = options;
  const allowedMs =
    ALLOWED_MS.base +
    (languages.length + compiled.length) * pairs * ALLOWED_MS.pair +
    (sustained.length * seconds * WINDOWS + EVENT_LOOP_SECONDS) * ALLOWED_MS.second +
    (languages.length * WARM_UP_RUNS + memoryRuns) * ALLOWED_MS.run;
  setTimeout(() => {
    console.error(`the benchmark has not ended after ${allowedMs} ms`);
    process.exit(1);
  }, allowedMs).unref();
  console.log(limitsText());
  const figures = await measure(options);
  console.log(render(figures));
  if (options.json !== undefined) writeFileSync(options.json, figuresText(figures));
}
