import type { RunId, RunResult } from "../../core/run.ts";
import type { RunIdentity } from "../../core/transcript.ts";
import type { JobRecord, PodRecord } from "./kubernetes-objects.ts";
import { KubernetesRun } from "./kubernetes-run.ts";
import type { PodStreams } from "./kubernetes-run.ts";

/** What results that are kept for those who ask again may take, in bytes: the cluster has them as well. */
const KEPT_BYTES = 32 * 1024 * 1024;
/** A byte of output is there in the runner's lines, in the events and in the result; and what every run takes. */
const BYTES_OF_OUTPUT = 3;
const BYTES_OF_RUN = 4096;

interface Followed {
  run: KubernetesRun;
  /** Made by this replica, which therefore counts its end. */
  own: { durable: boolean } | undefined;
  counted: boolean;
  stopped: boolean;
}

function bytesOf({ compile, run, tests, artifacts }: RunResult): number {
  const stages = [compile, run, ...(tests?.results ?? [])].filter((stage) => stage !== null);
  const output = stages.reduce((total, { stdout, stderr }) => total + stdout.length + stderr.length, 0);
  const content = (artifacts?.files ?? []).reduce((total, file) => total + (file.content?.length ?? 0), 0);
  return BYTES_OF_RUN + BYTES_OF_OUTPUT * (output + content);
}

/** The runs that this replica follows, and the results that it still has. */
export class KubernetesRuns {
  readonly #followed = new Map<RunId, Followed>();
  /** Those that have ended, the least recently asked for first, with what they take. */
  readonly #kept = new Map<RunId, number>();
  readonly #streams: PodStreams;
  readonly #observe: (result: RunResult) => void;
  readonly #stop: (id: RunId) => void;
  #keptBytes = 0;

  /** `stop` is called of a run that has its result although its Pod goes on. */
  constructor(streams: PodStreams, observe: (result: RunResult) => void, stop: (id: RunId) => void) {
    this.#streams = streams;
    this.#observe = observe;
    this.#stop = stop;
  }

  get(id: RunId): KubernetesRun | undefined {
    return this.#followed.get(id)?.run;
  }

  /** The run, followed from now on. */
  follow(identity: RunIdentity, job: JobRecord | undefined, pod: PodRecord | undefined): KubernetesRun {
    const { run } = this.#entry(identity);
    if (run.result === undefined) run.update(job, pod);
    else this.#keep(identity.id, run.result);
    return run;
  }

  /** Says that this replica made the run. */
  own(identity: RunIdentity, durable: boolean): void {
    const entry = this.#entry(identity);
    entry.own = { durable };
    this.#afterChange(identity.id);
  }

  /** The runs of this replica that nobody can ask for any more when it is gone. */
  unfinishedOwn(): KubernetesRun[] {
    return [...this.#followed.values()]
      .filter(({ own, run }) => own !== undefined && !own.durable && run.result === undefined)
      .map(({ run }) => run);
  }

  /** Tells the run, if it is followed, what the cluster has of it. */
  update(id: RunId, job: JobRecord | undefined, pod: PodRecord | undefined): void {
    this.#followed.get(id)?.run.update(job, pod);
    if (job === undefined) this.#forget(id);
  }

  close(): void {
    for (const { run } of this.#followed.values()) run.close();
  }

  #entry(identity: RunIdentity): Followed {
    const known = this.#followed.get(identity.id);
    if (known !== undefined) return known;
    const run = new KubernetesRun(identity, this.#streams, () => this.#afterChange(identity.id));
    const entry: Followed = { run, own: undefined, counted: false, stopped: false };
    this.#followed.set(identity.id, entry);
    return entry;
  }

  #afterChange(id: RunId): void {
    const entry = this.#followed.get(id);
    const result = entry?.run.result;
    if (entry === undefined || result === undefined) return;
    if (entry.own !== undefined && !entry.counted) {
      entry.counted = true;
      this.#observe(result);
    }
    if (entry.run.goesOn && !entry.stopped) {
      entry.stopped = true;
      this.#stop(id);
    }
    this.#keep(id, result);
  }

  #keep(id: RunId, result: RunResult): void {
    this.#drop(id);
    const bytes = bytesOf(result);
    this.#kept.set(id, bytes);
    this.#keptBytes += bytes;
    for (const oldest of this.#kept.keys()) {
      if (this.#keptBytes <= KEPT_BYTES || oldest === id) break;
      this.#forget(oldest);
    }
  }

  #forget(id: RunId): void {
    this.#drop(id);
    this.#followed.get(id)?.run.close();
    this.#followed.delete(id);
  }

  #drop(id: RunId): void {
    this.#keptBytes -= this.#kept.get(id) ?? 0;
    this.#kept.delete(id);
  }
}
