import { setTimeout as delay } from "node:timers/promises";

import { z } from "zod";

import { readLines } from "../../backends/kubernetes/kubernetes-lines.ts";
import { readLog } from "../../backends/kubernetes/kubernetes-log.ts";
import { CONTAINER } from "../../backends/kubernetes/kubernetes-names.ts";
import type { Client } from "../support/client.ts";
import { cluster, look, make, remove } from "../support/cluster.ts";
import type { ClusterObject, Namespace } from "../support/cluster.ts";
import type { ClusterTimes, Step } from "./cluster-times.ts";
import { HELLO } from "./programs.ts";
import { expectGreeting } from "./subjects.ts";

const LOG_MS = 120_000;
const LINE_BYTES = 256 * 1024;
/** After a Pod is gone its node still removes what it had, in milliseconds. */
const REST_MS = 1500;

/** How each language's interpreter is given a program's text. */
export const INTERPRETERS: Readonly<Record<string, readonly string[]>> = {
  python: ["python3", "-c"],
  bash: ["bash", "-c"],
  nodejs: ["node", "-e"],
};

/** What the API server filled in for the Job that has it, its selector and labels, is no other Job's. */
const JOB_SPEC = z.looseObject({
  selector: z.unknown(),
  template: z.object({ spec: z.looseObject({ containers: z.array(z.looseObject({})) }) }),
});

/**
 * What is timed besides the steps that a watch shows. `answered` is the answer to the POST that makes a bare Job, `answer`
 * that of the service. The node's own stamps of lines in the log are by its clock.
 */
export type Mark = Step | "answered" | "firstStamp" | "outputStamp" | "lastStamp" | "output" | "logEnd" | "answer";

/** Milliseconds after the request, or after the POST that makes a bare Job. */
export type Sample = Partial<Record<Mark, number>>;

export interface Surroundings {
  api: Client;
  namespace: Namespace;
  times: ClusterTimes;
}

/** A moment by both clocks: of `performance.now()`, and in milliseconds since 1970. */
function moment(): { at: number; wall: number } {
  return { at: performance.now(), wall: Date.now() };
}

/** Removes the Job and waits until its node is at rest again. */
async function clear({ namespace, times }: Surroundings, name: string): Promise<void> {
  await remove(`${namespace.jobs}/${name}`);
  await times.reached(name, "gone");
  await delay(REST_MS);
}

function stepsAfter(start: number, times: ClusterTimes, name: string): Sample {
  return Object.fromEntries([...times.of(name)].map(([step, at]) => [step, at - start]));
}

/** A run from the request to its answer, with the cluster's part of it. Leaves its Job. */
async function answeredRun({ api, namespace, times }: Surroundings, language: string) {
  const start = moment();
  const { id, status, stdout } = await api.run({ language, code: HELLO.get(language) });
  const answer = performance.now() - start.at;
  if (status !== "succeeded") throw new Error(`a run of ${language} ended as ${status}`);
  expectGreeting(stdout);
  const pod = await times.reached(id, "complete");
  const stamps: number[] = [];
  const sample: Sample = { answer };
  const signal = AbortSignal.timeout(LOG_MS);
  for await (const { frame, at } of readLog(cluster(), namespace.name, pod, 0, false, signal)) {
    stamps.push(at.getTime() - start.wall);
    if (frame.type === "stdout") sample.outputStamp = stamps.at(-1)!;
  }
  Object.assign(sample, stepsAfter(start.at, times, id), { firstStamp: stamps[0], lastStamp: stamps.at(-1) });
  return { id, sample };
}

export async function timedRun(surroundings: Surroundings, language: string): Promise<Sample> {
  const { id, sample } = await answeredRun(surroundings, language);
  await clear(surroundings, id);
  return sample;
}

/** A Job like the one that the service makes for a run, but for its command: an interpreter that is given the program. */
export async function bareJob(surroundings: Surroundings, language: string): Promise<object> {
  const { id } = await answeredRun(surroundings, language);
  const job = await look(`${surroundings.namespace.jobs}/${id}`);
  await clear(surroundings, id);
  return withCommand(job, [...INTERPRETERS[language]!, HELLO.get(language)!]);
}

function withCommand(job: ClusterObject | undefined, command: readonly string[]): object {
  const { selector: _, template, ...spec } = JOB_SPEC.parse(job?.spec);
  const containers = template.spec.containers.map((container) => ({ ...container, command, args: [], env: [] }));
  return { ...spec, template: { spec: { ...template.spec, containers } } };
}

/** A bare Job from its POST to its end, its log followed from the moment when a watch shows its container started. */
export async function timedBareJob(surroundings: Surroundings, name: string, spec: object): Promise<Sample> {
  const { namespace, times } = surroundings;
  const start = moment();
  await make(namespace.jobs, { apiVersion: "batch/v1", kind: "Job", metadata: { name }, spec });
  const sample: Sample = { answered: performance.now() - start.at };
  const pod = await times.reached(name, "started");
  const query = { container: CONTAINER, follow: true, timestamps: true };
  const log = await cluster().stream(`${namespace.pods}/${pod}/log`, query, AbortSignal.timeout(LOG_MS), LOG_MS);
  let output = "";
  for await (const line of readLines(log, LINE_BYTES)) {
    sample.output = performance.now() - start.at;
    const space = line.indexOf(" ");
    output += `${line.slice(space + 1)}\n`;
    sample.outputStamp = Date.parse(line.slice(0, space)) - start.wall;
  }
  sample.logEnd = performance.now() - start.at;
  expectGreeting(output);
  await times.reached(name, "complete");
  Object.assign(sample, stepsAfter(start.at, times, name), { firstStamp: sample.outputStamp });
  await clear(surroundings, name);
  return sample;
}
