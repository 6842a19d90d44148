import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { cluster, serveIn, temporaryNamespace } from "../support/cluster.ts";
import { clusterCases, renderCluster } from "./cluster-report.ts";
import type { ClusterRow } from "./cluster-report.ts";
import { INTERPRETERS, bareJob, timedBareJob, timedRun } from "./cluster-subjects.ts";
import type { Surroundings } from "./cluster-subjects.ts";
import { ClusterTimes } from "./cluster-times.ts";
import { WAITING, measureWarm, renderWarm } from "./cluster-warm.ts";
import { figuresText, loadNow, machine } from "./figures.ts";
import type { Case, Figures } from "./figures.ts";
import { measureLive } from "./live.ts";
import { limitsText, render } from "./report.ts";

/** The whole benchmark ends after so long, whatever hangs. */
const ALLOWED_MS = { base: 180_000, pair: 120_000 };

const USAGE = `npm run bench:cluster -- [options]      on the cluster that KUBECONFIG names
  --languages LIST    any of ${Object.keys(INTERPRETERS).join(",")} (python,bash)
  --runs N            pairs of a run and a bare Job, for each language (15)
  --json FILE         writes the figures there, of which npm run bench:plot makes a picture`;

function readOptions() {
  const { values } = parseArgs({
    options: {
      languages: { type: "string", default: "python,bash" },
      runs: { type: "string", default: "15" },
      json: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (!/^[1-9]\d{0,3}$/.test(values.runs)) throw new Error(`--runs is ${values.runs}; a positive integer is wanted`);
  const languages = values.languages.split(",");
  for (const language of languages) {
    if (INTERPRETERS[language] === undefined)
      throw new Error(`${language} is none of ${Object.keys(INTERPRETERS).join(", ")}`);
  }
  return { help: values.help, json: values.json, languages, runs: Number(values.runs) };
}

/** Times runs and bare Jobs in turn, each of the two first in every other pair, after one of each that warms caches. */
async function measure(surroundings: Surroundings, language: string, runs: number): Promise<ClusterRow> {
  const spec = await bareJob(surroundings, language);
  await timedBareJob(surroundings, `bare-${language}-0`, spec);
  const row: ClusterRow = { language, bare: [], ours: [] };
  for (let pair = 1; pair <= runs; pair += 1) {
    console.error(`${language} ${pair} of ${runs}`);
    const ours = async () => row.ours.push(await timedRun(surroundings, language));
    const bare = async () => row.bare.push(await timedBareJob(surroundings, `bare-${language}-${pair}`, spec));
    for (const subject of pair % 2 === 0 ? [ours, bare] : [bare, ours]) await subject();
  }
  return row;
}

async function measureAll(languages: readonly string[], runs: number): Promise<Figures> {
  const loadBefore = loadNow();
  await using namespace = await temporaryNamespace();
  await using replica = await serveIn(namespace);
  await using times = await ClusterTimes.open(cluster(), namespace);
  const cases: Case[] = [];
  for (const language of languages) {
    const row = await measure({ api: replica.api, namespace, times }, language, runs);
    console.log(`\n${renderCluster(row)}`);
    const warm = WAITING.includes(language) ? await measureWarm(namespace, language, runs) : [];
    if (warm.length > 0) console.log(`\n${renderWarm(language, warm)}`);
    cases.push(...clusterCases(row, warm[0]?.warm ?? []));
  }
  const live = await measureLive(replica.api);
  return { machine: machine(loadBefore), cases, throughput: [], live };
}

const { help, json, languages, runs } = readOptions();
if (help) {
  console.log(USAGE);
} else {
  const allowedMs = ALLOWED_MS.base + languages.length * (runs + 2) * ALLOWED_MS.pair;
  setTimeout(() => {
    console.error(`the benchmark has not ended after ${allowedMs} ms`);
    process.exit(1);
  }, allowedMs).unref();
  console.log(limitsText());
  const figures = await measureAll(languages, runs);
  console.log(`\n${render(figures)}`);
  if (json !== undefined) writeFileSync(json, figuresText(figures));
}
