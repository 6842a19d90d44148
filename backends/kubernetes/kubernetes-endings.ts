import { Recording } from "../../core/recording.ts";
import type { RunId } from "../../core/run.ts";
import type { Interruption } from "../../core/transcript.ts";
import type { KubernetesCluster } from "./kubernetes-cluster.ts";
import { KubernetesError } from "./kubernetes-error.ts";
import type { KubernetesJobs } from "./kubernetes-jobs.ts";
import { identityOf } from "./kubernetes-objects.ts";
import type { JobRecord } from "./kubernetes-objects.ts";
import { encodeEnded, encodeOutcome } from "./kubernetes-outcome.ts";
import { problemOf } from "./kubernetes-reasons.ts";
import type { KubernetesRuns } from "./kubernetes-runs.ts";

const TRIES = 6;

/** Writes into the Jobs of runs how they ended, where their logs do not tell. */
export class KubernetesEndings {
  readonly #cluster: KubernetesCluster;
  readonly #jobs: KubernetesJobs;
  readonly #runs: KubernetesRuns;
  readonly #log: (message: string) => void;
  readonly #settling = new Map<RunId, Promise<void>>();

  constructor(cluster: KubernetesCluster, jobs: KubernetesJobs, runs: KubernetesRuns, log: (message: string) => void) {
    this.#cluster = cluster;
    this.#jobs = jobs;
    this.#runs = runs;
    this.#log = log;
  }

  /** Whether the run has ended, as far as this replica knows. */
  hasEnded(job: JobRecord): boolean {
    const pod = this.#cluster.pod(job.name);
    if (job.outcome !== undefined || job.ended !== undefined || job.deleting) return true;
    if (pod !== undefined && (pod.terminal || pod.terminated !== undefined || pod.gone)) return true;
    return this.#runs.get(job.name)?.result !== undefined;
  }

  /** Ends the run if its log will never tell its end. */
  judge(job: JobRecord): void {
    const { name, outcome, ended } = job;
    if (job.warm !== undefined) return;
    if (outcome !== undefined || ended?.failed === false || this.#runs.get(name)?.result !== undefined) return;
    const problem = problemOf(job, this.#cluster.pod(name));
    if (problem !== undefined) this.settleLater(name, problem);
  }

  settleLater(name: RunId, interruption: Interruption): void {
    this.settle(name, interruption).catch((error: unknown) => {
      this.#log(
        `${name} could not be ended, it is tried again: ${error instanceof Error ? error.message : String(error)}`,
      );
    });
  }

  /** Writes into the run's Job how it ended, unless it says so already. Throws `KubernetesError`. */
  settle(name: RunId, interruption: Interruption): Promise<void> {
    const settling =
      this.#settling.get(name) ?? this.#settle(name, interruption).finally(() => this.#settling.delete(name));
    this.#settling.set(name, settling);
    return settling;
  }

  /** Ends the Pod of a run that has its result, if there is room in the Job for that; else it may go on to its end. */
  stopLater(name: RunId): void {
    const stopped = this.#write(name, () => {
      const recording = this.#runs.get(name)?.feed.recording;
      return recording === undefined ? undefined : encodeEnded(recording);
    });
    stopped.catch((error: unknown) => {
      this.#log(`${name} goes on: ${error instanceof Error ? error.message : String(error)}`);
    });
  }

  async #settle(name: RunId, interruption: Interruption): Promise<void> {
    await this.#write(name, (job) => {
      const run = this.#runs.get(name);
      if (run?.result !== undefined) return undefined;
      return encodeOutcome(run?.feed.recording ?? new Recording(identityOf(job)), interruption, new Date());
    });
  }

  /** Writes an outcome into the run's Job, unless it has one or there is none to write. */
  async #write(name: RunId, outcomeFor: (job: JobRecord) => string | undefined): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      const job = this.#cluster.job(name);
      const outcome = job === undefined || job.outcome !== undefined ? undefined : outcomeFor(job);
      if (job === undefined || outcome === undefined) return;
      try {
        this.#cluster.putJob(await this.#jobs.settle(job, outcome));
        return;
      } catch (error) {
        if (!(error instanceof KubernetesError) || error.reason !== "Conflict" || tries === TRIES) throw error;
      }
      const now = await this.#jobs.get(name);
      if (now === undefined) return;
      this.#cluster.putJob(now);
    }
  }
}
