import { setTimeout as delay } from "node:timers/promises";

import type { Availability, Backend, Capacity, Health } from "../../core/backend.ts";
import { ServiceError, idempotencyConflict, notInteractive } from "../../core/errors.ts";
import type { InteractiveInput } from "../../core/interaction.ts";
import type { OwedCallback } from "../../core/callbacks.ts";
import type { Language, LanguageRegistry } from "../../core/languages.ts";
import { availabilityOf, versionProgram } from "../../core/probe.ts";
import { runId } from "../../core/run.ts";
import type { Run, RunEvent, RunId, RunResult, RunState, Tenant } from "../../core/run.ts";
import type { Interruption } from "../../core/transcript.ts";
import { KubernetesAccess } from "./kubernetes-access.ts";
import { KubernetesAdmission } from "./kubernetes-admission.ts";
import { attach } from "./kubernetes-attach.ts";
import { KubernetesCallbacks } from "./kubernetes-callbacks.ts";
import type { KubernetesClient } from "./kubernetes-client.ts";
import { KubernetesCluster } from "./kubernetes-cluster.ts";
import { KubernetesEndings } from "./kubernetes-endings.ts";
import { KubernetesError } from "./kubernetes-error.ts";
import { interactionOf, makeJob } from "./kubernetes-job.ts";
import type { JobSettings } from "./kubernetes-job.ts";
import { KubernetesJobs, refusedByCluster } from "./kubernetes-jobs.ts";
import { readLog } from "./kubernetes-log.ts";
import { identityOf } from "./kubernetes-objects.ts";
import type { JobRecord } from "./kubernetes-objects.ts";
import { packProgram } from "./kubernetes-program.ts";
import { problemOf } from "./kubernetes-reasons.ts";
import type { KubernetesRun } from "./kubernetes-run.ts";
import { KubernetesRuns } from "./kubernetes-runs.ts";
import type { JobTemplate } from "./kubernetes-template.ts";
import { KubernetesWaiting } from "./kubernetes-waiting.ts";
import { KubernetesWarm } from "./kubernetes-warm.ts";
import type { Claimed } from "./kubernetes-warm.ts";
import { warmLanguages } from "./kubernetes-warm-job.ts";
import type { WarmSettings } from "./kubernetes-warm-job.ts";

/** How long a result may take to be read whose run has ended, and a cancelled sandbox to be gone, in milliseconds. */
const READ_MS = 25_000;
const GONE_MS = 20_000;
/** How often it is looked for runs that wait too long, in milliseconds. */
const SWEEP_MS = 1000;
/** How long a Job that could not be changed is left alone, in milliseconds. */
const RETRY_MS = 1000;
const FAREWELL_MS = 5000;
/** Whose runs are not counted and not held back: probes for a language's version. */
const NOBODY = "";

export interface KubernetesBackendOptions {
  client: KubernetesClient;
  namespace: string;
  registry: LanguageRegistry;
  templates: ReadonlyMap<string, JobTemplate>;
  jobs: JobSettings;
  maxRunning: number | undefined;
  maxQueued: number;
  /** What is made before the runs that need it. */
  warm: WarmSettings;
  log: (message: string) => void;
  /** Told of each program that a Job could have waited for: how long one did, in milliseconds, or that none did. */
  observeAhead: (language: string, waitedMs: number | undefined) => void;
  /** Told of each run that has ended and that this replica made. */
  observe: (result: RunResult) => void;
  /** Told of each callback that such a run owes at its end. */
  owes: (callback: OwedCallback) => void;
}

/** Executes each run as a Job. The cluster is queue and store: any replica answers for any run, and none holds any state. */
export class KubernetesBackend implements Backend {
  readonly probesFirst = false;
  readonly callbacks: KubernetesCallbacks;
  readonly #options: KubernetesBackendOptions;
  readonly #jobs: KubernetesJobs;
  readonly #cluster: KubernetesCluster;
  readonly #runs: KubernetesRuns;
  readonly #admission: KubernetesAdmission;
  readonly #endings: KubernetesEndings;
  readonly #waiting: KubernetesWaiting;
  readonly #warm: KubernetesWarm;
  readonly #access: KubernetesAccess;
  readonly #sweepTimer: NodeJS.Timeout;
  #checking: NodeJS.Immediate | undefined;
  #sweeping = false;
  #closing = false;

  private constructor(options: KubernetesBackendOptions) {
    const { client, namespace, observe, owes, maxRunning, maxQueued, jobs } = options;
    this.#options = options;
    this.#jobs = new KubernetesJobs(client, namespace);
    this.#access = new KubernetesAccess(client, namespace, options.warm.languages.length > 0);
    this.#runs = new KubernetesRuns(
      {
        openLog: (pod, from, follow, signal) =>
          (from === 0 && follow ? this.#warm.output(pod, signal) : undefined) ??
          readLog(client, namespace, pod, from, follow, signal),
        attach: async (pod, signal) =>
          this.#warm.input(pod) ?? attach(client, namespace, pod, { stdout: false }, signal),
      },
      (result) => {
        observe(result);
        const job = this.#cluster.job(result.id);
        if (job?.callback !== undefined) owes({ id: job.name, tenant: job.tenant, url: job.callback.url });
        this.#checkSoon();
      },
      (id) => this.#endings.stopLater(id),
    );
    this.#cluster = new KubernetesCluster(client, namespace, (name) => this.#changed(name));
    this.#endings = new KubernetesEndings(this.#cluster, this.#jobs, this.#runs, options.log);
    this.callbacks = new KubernetesCallbacks(this.#cluster, this.#jobs, (job) => this.#endings.hasEnded(job));
    this.#waiting = new KubernetesWaiting(this.#cluster, this.#jobs, jobs.queueSeconds);
    this.#warm = new KubernetesWarm({
      ...{ client, namespace, jobs: this.#jobs, cluster: this.#cluster },
      languages: warmLanguages(options.warm, options.templates, jobs),
      maxAgeMs: options.warm.maxAgeMs,
      ttlSeconds: jobs.ttlSeconds,
      log: options.log,
      observe: options.observeAhead,
    });
    this.#admission = new KubernetesAdmission({
      cluster: this.#cluster,
      maxRunning,
      maxQueued,
      heldElsewhere: jobs.queueName !== undefined,
      // Interactive runs mostly wait for somebody, and are as many as the server lets begin.
      counts: ({ tenant, interaction }) => tenant !== NOBODY && interaction === undefined,
      hasEnded: (job) => this.#endings.hasEnded(job),
      hasStarted: ({ name }) =>
        this.#cluster.pod(name)?.startedAt !== undefined || this.#runs.get(name)?.startedAt !== undefined,
      resume: (job) => this.#resume(job),
    });
    this.#sweepTimer = setInterval(() => void this.#sweep(), SWEEP_MS);
  }

  /** Begins to watch the runs of the namespace, and those of earlier servers among them. */
  static async open(options: KubernetesBackendOptions): Promise<KubernetesBackend> {
    const backend = new KubernetesBackend(options);
    try {
      await backend.#cluster.synced();
    } catch (error) {
      // It is tried again, and readiness tells why; a restart would mend nothing.
      options.log(`the runs can't be watched yet: ${error instanceof Error ? error.message : String(error)}`);
    }
    void backend.#sweep();
    return backend;
  }

  async submit(run: Run): Promise<"created" | "existing"> {
    if (this.#closing) throw new ServiceError("shutting_down", "the server is stopping; send the request again");
    if (!this.#cluster.isSynced) throw new ServiceError("unavailable", this.#cluster.problems.join("; "));
    const known = this.#cluster.job(run.id);
    if (known !== undefined && !known.deleting) return sameRun(known, run);
    using place = this.#admission.reserve({ tenant: run.tenant, interaction: interactionOf(run.program) });
    if (!run.durable && !place.suspended && (await this.#executeAhead(run))) return "created";
    const language = this.#options.registry.find(run.language);
    const template = this.#options.templates.get(run.language);
    if (language === undefined || template === undefined) throw new Error(`no Job template for ${run.language}`);
    const packed = await packProgram(run.program);
    const job = makeJob(run, language, packed, template, this.#options.jobs, place.suspended);
    try {
      const made = await this.#warm.create(job);
      if (made === undefined) return sameRun(await this.#existing(run.id), run);
      this.#cluster.putJob(made);
    } catch (error) {
      throw refusedByCluster(error);
    }
    this.#begin(run);
    return "created";
  }

  async get(id: RunId, tenant: Tenant): Promise<RunState | undefined> {
    const job = await this.#find(id, tenant);
    if (job === undefined) return undefined;
    const identity = identityOf(job);
    const run = this.#endings.hasEnded(job) ? this.#follow(job) : this.#runs.get(id);
    if (run !== undefined && this.#endings.hasEnded(job)) await this.#read(run);
    if (run?.result !== undefined) return { state: "finished", result: run.result };
    const startedAt = run?.startedAt ?? this.#cluster.pod(id)?.startedAt;
    if (startedAt === undefined) return { state: "queued", ...identity };
    // A node tells the time of a start in whole seconds, cut off.
    return {
      state: "running",
      ...identity,
      startedAt: new Date(Math.max(startedAt.getTime(), job.createdAt.getTime())),
    };
  }

  async follow(
    id: RunId,
    tenant: Tenant,
    from: number,
    signal: AbortSignal,
  ): Promise<AsyncIterable<RunEvent> | undefined> {
    const job = await this.#find(id, tenant);
    return job === undefined ? undefined : this.#follow(job).feed.follow(from, signal, () => this.#isLeft(id));
  }

  async result(id: RunId, tenant: Tenant, signal: AbortSignal): Promise<RunResult | undefined> {
    const job = await this.#find(id, tenant);
    if (job === undefined) return undefined;
    const run = this.#follow(job);
    await run.feed.ended(signal, () => this.#isLeft(id));
    return run.result;
  }

  async write(id: RunId, tenant: Tenant, input: InteractiveInput): Promise<boolean | undefined> {
    const job = await this.#find(id, tenant);
    if (job === undefined) return undefined;
    if (job.interaction === undefined) throw notInteractive();
    try {
      return await this.#follow(job).write(job.interaction === "terminal", input);
    } catch (error) {
      throw refusedByCluster(error);
    }
  }

  async cancel(id: RunId, tenant: Tenant): Promise<boolean> {
    const job = await this.#find(id, tenant);
    if (job === undefined) return false;
    if (!this.#endings.hasEnded(job)) await this.#end(this.#follow(job), { status: "cancelled" });
    return true;
  }

  async probe(language: Language): Promise<Availability> {
    const image = this.#options.jobs.images.get(language.name) ?? language.image;
    const program = versionProgram(language);
    const key = JSON.stringify([image, language.version.command]);
    const run = {
      id: runId(NOBODY, key),
      tenant: NOBODY,
      language: language.name,
      version: null,
      fingerprint: key,
      durable: true,
    };
    await this.submit({ ...run, createdAt: new Date(), program });
    const limitMs = (this.#options.jobs.queueSeconds + 60) * 1000;
    const job = await this.#find(run.id, NOBODY);
    const followed = job === undefined ? undefined : this.#follow(job);
    await followed?.feed.ended(AbortSignal.timeout(limitMs));
    return availabilityOf(language, followed?.result, `look at its image, ${image}`);
  }

  capacity(): Capacity {
    const waiting = this.#warm.counts;
    return { ...this.#admission.figures(), ...(waiting === undefined ? {} : { waiting }) };
  }

  async health(): Promise<Health> {
    const { problems, sufficient } = await this.#access.report();
    const own = [...this.#cluster.problems, ...(this.#closing ? ["the server is stopping"] : [])];
    return { ready: own.length === 0 && sufficient, problems: [...problems, ...own] };
  }

  async close(drainMs: number): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    const stopped = this.#warm.stop();
    const deadline = AbortSignal.timeout(drainMs);
    await Promise.all(this.#runs.unfinishedOwn().map((run) => run.feed.ended(deadline)));
    // Nobody knows the ids of those that are left.
    const left = this.#runs.unfinishedOwn().map((run) => {
      return this.#endings.settle(run.identity.id, {
        status: "lost",
        reason: "the server stopped before the run ended",
      });
    });
    left.push(stopped);
    await Promise.race([Promise.allSettled(left), delay(FAREWELL_MS, undefined, { ref: false })]);
    clearInterval(this.#sweepTimer);
    clearImmediate(this.#checking);
    this.#runs.close();
    this.#warm.close();
    await this.#cluster.close();
  }

  /** Follows a new run. */
  #begin({ id, tenant, language, version, createdAt, grading, durable }: Run): void {
    // Not the run itself, which would keep its program in memory as long as its result.
    const identity = { id, language, version, createdAt, grading };
    this.#runs.follow(identity, this.#cluster.job(id), this.#cluster.pod(id));
    if (tenant !== NOBODY) this.#runs.own(identity, durable);
  }

  /** Executes the run in a Job that has waited for such a one; false when none has. */
  async #executeAhead(run: Run): Promise<boolean> {
    let claimed: Claimed | undefined;
    try {
      claimed = await this.#warm.claim(run);
    } catch (error) {
      throw refusedByCluster(error);
    }
    if (claimed === undefined) return false;
    this.#cluster.putJob(claimed.job);
    this.#begin(run);
    claimed.deliver().catch((error: unknown) => {
      const problem = error instanceof Error ? error.message : String(error);
      this.#endings.settleLater(run.id, { status: "lost", reason: `its program could not be sent: ${problem}` });
    });
    return true;
  }

  /** Whether a run will not end here any more. */
  #isLeft(id: RunId): boolean {
    return this.#closing && !this.#mayEnd(id);
  }

  /** Whether a run ends, for those who follow it, while the server stops. */
  #mayEnd(id: RunId): boolean {
    return this.#runs.unfinishedOwn().some(({ identity }) => identity.id === id);
  }

  #follow(job: JobRecord): KubernetesRun {
    return this.#runs.follow(identityOf(job), job, this.#cluster.pod(job.name));
  }

  /** The run's Job, if it is the tenant's. Another replica's may not have come by the watch yet. */
  async #find(id: RunId, tenant: Tenant): Promise<JobRecord | undefined> {
    let job = this.#cluster.job(id);
    if (job === undefined) {
      try {
        job = await this.#jobs.get(id);
      } catch (error) {
        throw refusedByCluster(error);
      }
      if (job !== undefined) this.#cluster.putJob(job);
    }
    // One that is being deleted has had its time.
    return job?.tenant === tenant && !job.deleting ? job : undefined;
  }

  async #existing(id: RunId): Promise<JobRecord> {
    const job = this.#cluster.job(id) ?? (await this.#jobs.get(id));
    if (job === undefined || job.deleting) {
      throw new ServiceError("unavailable", "an expired run of this key is being removed; send the request again");
    }
    this.#cluster.putJob(job);
    return job;
  }

  /** Waits until the result of a run that has ended was read. Throws `unavailable` when it can't be. */
  async #read(run: KubernetesRun): Promise<void> {
    const job = this.#cluster.job(run.identity.id);
    const problem = job === undefined ? undefined : problemOf(job, this.#cluster.pod(job.name));
    if (run.result === undefined && problem !== undefined) await this.#endings.settle(run.identity.id, problem);
    await run.feed.ended(AbortSignal.timeout(READ_MS));
    if (run.result === undefined)
      throw new ServiceError("unavailable", "the run's result can't be read now; ask again");
  }

  #changed(name: string): void {
    const job = this.#cluster.job(name);
    this.#runs.update(name, job, this.#cluster.pod(name));
    if (job === undefined) this.#waiting.forget(name);
    this.#warm.changed(name);
    // Before both lists have come, a Job whose Pod is not known yet would look as if it had none.
    if (!this.#cluster.isSynced) return;
    if (job !== undefined) this.#endings.judge(job);
    this.#checkSoon();
  }

  /** Many events come together; the runs that wait are looked at once for all of them. */
  #checkSoon(): void {
    this.#checking ??= setImmediate(() => {
      this.#checking = undefined;
      if (this.#cluster.isSynced && !this.#closing) this.#admission.check();
    });
  }

  async #sweep(): Promise<void> {
    if (this.#sweeping || !this.#cluster.isSynced) return;
    this.#sweeping = true;
    try {
      const jobs = [...this.#cluster.jobs()].filter(({ warm }) => warm === undefined);
      if (!this.#closing) {
        this.#warm.review(jobs.some((job) => !this.#endings.hasEnded(job) && this.#waiting.isHeldUp(job)));
        // Those that an earlier server left may have nothing happen to them that would lead to a look.
        this.#admission.check();
      }
      for (const job of jobs) {
        if (this.#endings.hasEnded(job)) {
          this.#endings.judge(job);
          continue;
        }
        const problem = await this.#waiting.problem(job);
        if (problem !== undefined) this.#endings.settleLater(job.name, problem);
      }
    } catch (error) {
      // An answer that nobody expects is no reason for the server to end: the next sweep looks again.
      this.#options.log(
        `runs that wait could not be looked at: ${error instanceof Error ? error.message : String(error)}`,
      );
    } finally {
      this.#sweeping = false;
    }
  }

  async #resume(job: JobRecord): Promise<void> {
    try {
      this.#cluster.putJob(await this.#jobs.resume(job));
    } catch (error) {
      // Another replica was faster, or the watch brings what has changed. Otherwise it is tried again.
      if (!(error instanceof KubernetesError && error.reason === "Conflict")) {
        this.#options.log(
          `${job.name} could not be started: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
      await delay(RETRY_MS, undefined, { ref: false });
    }
  }

  /** Ends a run that is under way, keeps its output until now, and waits until its sandbox is gone. */
  async #end(run: KubernetesRun, interruption: Interruption): Promise<void> {
    await run.freeze();
    try {
      await this.#endings.settle(run.identity.id, interruption);
    } catch (error) {
      throw refusedByCluster(error);
    } finally {
      run.thaw();
    }
    await run.podEnd(AbortSignal.timeout(GONE_MS));
  }
}

/** Throws `idempotency_conflict` unless `job` was made for the same request. */
function sameRun(job: JobRecord, run: Run): "existing" {
  if (job.fingerprint !== run.fingerprint || job.tenant !== run.tenant) throw idempotencyConflict();
  return "existing";
}
