import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { expect } from "vitest";

import { lookAll } from "../support/cluster.ts";
import type { Namespace } from "../support/cluster.ts";
import { BACKEND } from "../support/contract.ts";
import type { Served } from "../support/contract.ts";
import { filesIn, tracesOf } from "../support/machine.ts";
import { eventually } from "../support/time.ts";

/** A busy cluster takes long to say that a container is gone. */
const GONE_MS = BACKEND === "kubernetes" ? 60_000 : 20_000;
/** Longer than anything that a server does at its start takes between two steps. */
const CALM_MS = 1_000;
const REPOSITORY = join(import.meta.dirname, "../..");

/** What the machine's own namespaces and folders would keep of a program that got there. */
function machineTraces(): string[] {
  const objects = ["shm", "msg", "sem"].flatMap((kind) =>
    readFileSync(`/proc/sysvipc/${kind}`, "utf8").trimEnd().split("\n").slice(1),
  );
  const cores = readdirSync(REPOSITORY).filter((name) => /^(core\.|hs_err_)/.test(name));
  return [...objects, ...cores];
}

/** What there is of runs that has not ended; Jobs that wait for runs come and go beside them. */
async function unfinished({ jobs, pods }: Namespace): Promise<string[]> {
  const all = await lookAll(jobs);
  const waiting = new Set(
    all
      .filter(({ metadata }) => metadata.labels?.["sandbox-api/warm"] !== undefined)
      .map(({ metadata }) => metadata.name),
  );
  const jobStates = all.filter(({ metadata }) => !waiting.has(metadata.name));
  const podStates = (await lookAll(pods)).filter(
    ({ metadata }) => !waiting.has(metadata.labels?.["batch.kubernetes.io/job-name"] ?? ""),
  );
  const active = jobStates.filter(({ status }) => status?.["active"] !== undefined && status["active"] !== 0);
  const names = new Set(jobStates.map(({ metadata }) => metadata.name));
  const alive = podStates.filter(
    ({ metadata, status }) =>
      (status?.["phase"] !== "Succeeded" && status?.["phase"] !== "Failed") ||
      !names.has(metadata.labels?.["batch.kubernetes.io/job-name"] ?? ""),
  );
  return [
    ...active.map(({ metadata }) => `Job ${metadata.name}`),
    ...alive.map(({ metadata }) => `Pod ${metadata.name}`),
  ].toSorted();
}

/** What an idle server has, seen when it has had it for a while. */
async function tracesWhenCalm(dataDir: string): Promise<string[]> {
  let traces: string[] = [];
  let sinceMs = 0;
  return await eventually(GONE_MS, "a calm start", () => {
    const now = tracesOf(dataDir);
    if (now.join() !== traces.join()) sinceMs = performance.now();
    traces = now;
    return performance.now() - sinceMs > CALM_MS ? traces : undefined;
  });
}

/** Looks for what programs have left; throws when something is still there after a while. */
export type LeftoverCheck = () => Promise<void>;

/** Takes what is there now, with `running` runs that stay, for what has to be there at every later look. */
export async function leftoverCheck({ server, namespace }: Served, running: number): Promise<LeftoverCheck> {
  const machine = machineTraces();
  if (namespace !== undefined) {
    return async () => {
      const left = await eventually(GONE_MS, "the end of Jobs and Pods", async () => {
        const found = await unfinished(namespace);
        return found.length === running * 2 ? found : undefined;
      });
      expect(left).toHaveLength(running * 2);
      expect(machineTraces()).toEqual(machine);
    };
  }
  const files = filesIn(server.dataDir);
  const calm = await tracesWhenCalm(server.dataDir);
  return async () => {
    let traces: string[] = [];
    try {
      await eventually(GONE_MS, "the end of processes, mounts, cgroups and files", () => {
        traces = tracesOf(server.dataDir);
        return traces.length === calm.length ? true : undefined;
      });
    } catch (error) {
      throw new Error(`${String(error)}; there are: ${traces.join("\n")}\nat first: ${calm.join("\n")}`, {
        cause: error,
      });
    }
    expect(filesIn(server.dataDir)).toEqual(files);
    expect(machineTraces()).toEqual(machine);
  };
}
