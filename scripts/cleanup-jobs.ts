import { parseArgs } from "node:util";

import { readKubernetesSettings } from "../api/kubernetes-settings.ts";
import { objectName } from "../api/setting-values.ts";
import { cleanUpJobs } from "../backends/kubernetes/kubernetes-cleanup.ts";
import type { Verdict } from "../backends/kubernetes/kubernetes-cleanup.ts";
import { loadCluster } from "../backends/kubernetes/kubernetes-open.ts";

const USAGE = `usage: node scripts/cleanup-jobs.ts [options]
  --older-than TIME   how long ago a run must have ended, or should have (10m); 90s, 10m, 2h or 1d
  --namespace NAME    where the runs' Jobs are ($KUBERNETES_NAMESPACE, else default)
  --dry-run           says what would be removed, and removes nothing`;

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

class UsageError extends Error {
  override readonly name = "UsageError";
}

function milliseconds(duration: string): number {
  const [, amount = "", unit = ""] = /^(\d{1,6})([smhd])$/.exec(duration) ?? [];
  const unitMs = UNIT_MS[unit];
  if (unitMs === undefined)
    throw new UsageError(`--older-than ${JSON.stringify(duration)}: a time such as 90s, 10m, 2h or 1d is wanted`);
  return Number(amount) * unitMs;
}

/** Throws `UsageError`. */
function readOptions() {
  const { values } = parse();
  const { namespace } = values;
  if (namespace !== undefined && !objectName().safeParse(namespace).success)
    throw new UsageError(`--namespace ${JSON.stringify(namespace)}: ${objectName().description} is wanted`);
  return {
    help: values.help,
    olderThanMs: milliseconds(values["older-than"]),
    dryRun: values["dry-run"],
    environment: namespace === undefined ? process.env : { ...process.env, KUBERNETES_NAMESPACE: namespace },
  };
}

function parse() {
  try {
    return parseArgs({
      options: {
        "older-than": { type: "string", default: "10m" },
        namespace: { type: "string" },
        "dry-run": { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

type Options = ReturnType<typeof readOptions>;

function inWords(counts: Readonly<Record<Verdict, number>>): string {
  const { finished, overdue, abandoned, kept } = counts;
  const all = finished + overdue + abandoned;
  return `${all} Jobs: ${finished} finished, ${overdue} overdue, ${abandoned} abandoned; ${kept} kept`;
}

async function cleanUp({ olderThanMs, dryRun, environment }: Options): Promise<void> {
  const { kubeconfig, namespace } = readKubernetesSettings(environment);
  const client = loadCluster(kubeconfig);
  const counts: Record<Verdict, number> = { finished: 0, overdue: 0, abandoned: 0, kept: 0 };
  try {
    for await (const verdict of cleanUpJobs({ client, namespace, olderThanMs, dryRun })) counts[verdict] += 1;
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    const removed = dryRun ? "" : `; removed before: ${inWords(counts)}`;
    throw new Error(`${problem}${removed}`, { cause: error });
  }
  console.log(`namespace ${namespace}: ${dryRun ? "would remove" : "removed"} ${inWords(counts)}`);
}

try {
  const options = readOptions();
  if (options.help) console.log(USAGE);
  else await cleanUp(options);
} catch (error) {
  const words = (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, " ");
  const isUsage = error instanceof UsageError;
  process.stderr.write(`${words}\n${isUsage ? `${USAGE}\n` : ""}`);
  process.exitCode = isUsage ? 2 : 1;
}
