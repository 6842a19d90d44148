import { once } from "node:events";
import { join } from "node:path";

import type { AheadProgram } from "../../core/ahead.ts";
import type { Availability, Backend, Capacity, Health } from "../../core/backend.ts";
import { ServiceError, StartError, idempotencyConflict, notInteractive } from "../../core/errors.ts";
import type { InteractiveInput } from "../../core/interaction.ts";
import type { CallbackLedger, OwedCallback } from "../../core/callbacks.ts";
import type { Language } from "../../core/languages.ts";
import { availabilityOf, versionProgram } from "../../core/probe.ts";
import { inputBytesOf } from "../../core/program.ts";
import type { Program } from "../../core/program.ts";
import { runId } from "../../core/run.ts";
import type { Run, RunEvent, RunId, RunResult, RunState, Tenant } from "../../core/run.ts";
import { LocalAhead } from "./local-ahead.ts";
import type { AheadObserver, AheadOptions } from "./local-ahead.ts";
import { LocalCgroups } from "./local-cgroups.ts";
import type { CgroupLimits } from "./local-cgroups.ts";
import { LocalCompileCache } from "./local-compile-cache.ts";
import type { CompileCacheOptions } from "./local-compile-cache.ts";
import { inDataFolder, makeDataFolder } from "./local-data-folder.ts";
import { LocalLauncher } from "./local-launcher.ts";
import { LocalNetwork, NAMESERVER } from "./local-network.ts";
import { LocalPool } from "./local-pool.ts";
import { prepareProgram } from "./local-program.ts";
import type { PreparedProgram } from "./local-program.ts";
import { makeRootfs } from "./local-rootfs.ts";
import type { RootfsSources } from "./local-rootfs.ts";
import type { LocalSandbox } from "./local-sandbox.ts";
import { LocalRun } from "./local-run.ts";
import { LocalStore } from "./local-store.ts";

/** How much longer than its time limits a run may take before its sandbox counts as broken, in milliseconds. */
const GRACE_MS = 10_000;
/** Programs of runs that only memory holds, all together, in bytes. */
const MAX_QUEUED_BYTES = 64 * 1024 * 1024;
/** Sandboxes started ahead: more would only take memory, since each is replaced as it is taken. */
const MAX_POOL = 16;
const PURGE_EVERY_MS = 30_000;
const RETRY_AFTER_SECONDS = 1;

export interface LocalBackendOptions {
  /** Holds the runs and the sandboxes' root; made when missing. */
  dataDir: string;
  /** Those of most runs. */
  usualLimits: CgroupLimits;
  maxRunning: number;
  maxQueued: number;
  resultTtlMs: number;
  sources: RootfsSources;
  launcherPath: string;
  /** What programs with a network may reach although it is not public; undefined where none has one. */
  networkRanges: readonly string[] | undefined;
  log: (message: string) => void;
  /** What interpreters are started with before there are programs, and how many. */
  ahead: AheadOptions & { programs: readonly AheadProgram[] };
  compileCache: CompileCacheOptions;
  /** Told of each run that has ended. */
  observe: (result: RunResult) => void;
  observeAhead: AheadObserver;
  /** Told of each callback that a run owes at its end. */
  owes: (callback: OwedCallback) => void;
}

/** What it is made of. */
interface LocalParts {
  store: LocalStore;
  cgroups: LocalCgroups;
  pool: LocalPool;
  ahead: LocalAhead;
  network: LocalNetwork | undefined;
}

/** Executes runs on this machine, each in namespaces and a cgroup of its own; keeps queue and results in SQLite. */
export class LocalBackend implements Backend {
  readonly probesFirst = true;
  readonly callbacks: CallbackLedger;
  readonly #options: LocalBackendOptions;
  readonly #store: LocalStore;
  readonly #cgroups: LocalCgroups;
  readonly #pool: LocalPool;
  readonly #ahead: LocalAhead;
  readonly #compileCache: LocalCompileCache;
  readonly #network: LocalNetwork | undefined;
  /** Releases all that the backend has opened, in the order that it allows. */
  readonly #opened: AsyncDisposableStack;
  /** Every run that has not ended, and those that have until the store has them. */
  readonly #runs = new Map<RunId, LocalRun>();
  readonly #queue = new Set<LocalRun>();
  readonly #executing = new Map<LocalRun, Promise<void>>();
  /** Version commands, which end with the server whatever they are at. */
  readonly #probes = new Map<LocalRun, Promise<void>>();
  /** How many of those that execute are interactive. */
  #interactive = 0;
  readonly #purgeTimer: NodeJS.Timeout;
  #closing = false;

  private constructor(
    options: LocalBackendOptions,
    { store, cgroups, pool, ahead, network }: LocalParts,
    opened: AsyncDisposableStack,
  ) {
    this.#options = options;
    this.#store = store;
    this.callbacks = store.callbacks;
    this.#cgroups = cgroups;
    this.#pool = pool;
    this.#ahead = ahead;
    this.#compileCache = new LocalCompileCache(options.compileCache);
    this.#network = network;
    this.#opened = opened;
    this.#purgeTimer = setInterval(() => this.#store.purge(), PURGE_EVERY_MS);
  }

  /**
   * Takes over the data folder, finds the runs of an earlier server again, and starts the first sandboxes. Throws
   * `StartError` when the data folder can't be used.
   */
  static async open(options: LocalBackendOptions): Promise<LocalBackend> {
    const { dataDir, resultTtlMs, sources, launcherPath, usualLimits } = options;
    // The sandboxes' root must be readable by their user ids; the store's file has a mode of its own.
    process.umask(0o022);
    await using opened = new AsyncDisposableStack();
    const network = options.networkRanges === undefined ? undefined : new LocalNetwork(options.networkRanges);
    const { store, launcher } = await inDataFolder(dataDir, async () => {
      await makeDataFolder(dataDir);
      const kept = opened.use(LocalStore.open(join(dataDir, "runs.db"), resultTtlMs));
      const nameserver = network === undefined ? undefined : NAMESERVER;
      const rootfs = await makeRootfs(join(dataDir, "rootfs"), sources, nameserver);
      return {
        store: kept,
        launcher: opened.use(await LocalLauncher.open(launcherPath, join(dataDir, "launcher.sock"), rootfs)),
      };
    });
    const cgroups = opened.use(await LocalCgroups.open(`sandbox-api-${runId("", dataDir).slice(1, 9)}`, usualLimits));
    const size = Math.min(options.maxRunning, MAX_POOL);
    const pool = opened.use(new LocalPool({ launcher, cgroups }, size, options.log));
    await pool.open();
    if (network !== undefined) await tryNetwork(pool, network);
    const { programs, ...numbers } = options.ahead;
    // Without a cgroup to count them, processes are bounded by a limit that has to be there from the start.
    const ahead = new LocalAhead(
      pool,
      cgroups.countsProcesses ? programs : [],
      numbers,
      options.observeAhead,
      options.log,
    );
    opened.use(ahead);
    const backend = new LocalBackend(options, { store, cgroups, pool, ahead, network }, opened.move());
    backend.#recover();
    return backend;
  }

  async submit(run: Run): Promise<"created" | "existing"> {
    const known = this.#runs.get(run.id);
    const other = known?.run ?? (run.isUnique === true ? undefined : this.#store.find(run.id));
    if (other !== undefined) {
      if (other.fingerprint !== run.fingerprint || other.tenant !== run.tenant) throw idempotencyConflict();
      await known?.stored;
      return "existing";
    }
    if (run.program.interaction === undefined) this.#admit(run);
    else this.#checkOpen();
    const { program, ...header } = run;
    const suitsAhead = this.#ahead.suits(run.language, program);
    const prepared = prepareProgram(program, !this.#cgroups.countsProcesses, suitsAhead);
    const local = new LocalRun(header, prepared);
    this.#runs.set(run.id, local);
    if (run.durable) await this.#keep(local, prepared);
    if (local.input !== undefined) {
      this.#store.insertRunning(local.run);
      this.#interactive += 1;
      this.#start(local);
      return "created";
    }
    this.#queue.add(local);
    this.#startNext();
    return "created";
  }

  async get(id: RunId, tenant: Tenant): Promise<RunState | undefined> {
    const local = this.#runs.get(id);
    if (local !== undefined) return local.run.tenant === tenant ? local.state() : undefined;
    const stored = this.#store.find(id);
    return stored?.tenant === tenant ? this.#store.state(stored) : undefined;
  }

  async follow(
    id: RunId,
    tenant: Tenant,
    from: number,
    signal: AbortSignal,
  ): Promise<AsyncIterable<RunEvent> | undefined> {
    const local = this.#runs.get(id);
    if (local !== undefined) return local.run.tenant === tenant ? local.follow(from, signal) : undefined;
    const stored = this.#store.find(id);
    if (stored?.tenant !== tenant) return undefined;
    return replay(this.#store.recording(stored).events.slice(from));
  }

  async result(id: RunId, tenant: Tenant, signal: AbortSignal): Promise<RunResult | undefined> {
    const known = this.#runs.get(id);
    const local = known?.run.tenant === tenant ? known : undefined;
    await local?.ended(signal);
    const state = local?.state() ?? (await this.get(id, tenant));
    return state?.state === "finished" ? state.result : undefined;
  }

  async write(id: RunId, tenant: Tenant, input: InteractiveInput): Promise<boolean | undefined> {
    const local = this.#runs.get(id);
    if (local === undefined) return this.#store.find(id)?.tenant === tenant ? false : undefined;
    if (local.run.tenant !== tenant) return undefined;
    if (local.input === undefined) throw notInteractive();
    return await local.input.write(input);
  }

  async cancel(id: RunId, tenant: Tenant): Promise<boolean> {
    const local = this.#runs.get(id);
    if (local === undefined) return this.#store.find(id)?.tenant === tenant;
    if (local.run.tenant !== tenant) return false;
    local.interrupt({ status: "cancelled" });
    if (this.#queue.delete(local)) this.#end(local);
    await this.#executing.get(local);
    return true;
  }

  /** Runs the language's version command as any program is run, but keeps nothing of it. */
  async probe(language: Language): Promise<Availability> {
    const header = {
      id: runId(""),
      tenant: "",
      language: language.name,
      version: null,
      fingerprint: "",
      durable: false,
    };
    const local = new LocalRun({ ...header, createdAt: new Date() }, undefined);
    if (this.#closing) local.interrupt({ status: "lost", reason: "the server is stopping" });
    const program = prepareProgram(versionProgram(language), !this.#cgroups.countsProcesses);
    const execution = this.#runInSandbox(local, program).finally(() => this.#probes.delete(local));
    this.#probes.set(local, execution);
    await execution;
    const packages = language.packages.length === 0 ? "" : `, or install ${language.packages.join(" ")}`;
    return availabilityOf(language, local.recording.result, `run scripts/setup${packages}`);
  }

  capacity(): Capacity {
    const running = this.#executing.size;
    return { running, queued: this.#runs.size - running, waiting: this.#ahead.waiting };
  }

  async health(): Promise<Health> {
    const failures = [this.#pool.problem, this.#store.problem, this.#closing ? "the server is stopping" : undefined];
    const problems = failures.filter((problem) => problem !== undefined);
    return { ready: problems.length === 0, problems: [...problems, ...this.#cgroups.problems] };
  }

  async close(drainMs: number): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    clearInterval(this.#purgeTimer);
    const deadline = AbortSignal.timeout(drainMs);
    // Runs that only memory holds still get their turn; the others are found again at the next start.
    while (this.#executing.size > 0 && !deadline.aborted) {
      await Promise.race([...this.#executing.values(), once(deadline, "abort")]);
    }
    for (const local of this.#runs.values()) {
      local.interrupt(
        local.run.durable
          ? { status: "requeued" }
          : { status: "lost", reason: "the server stopped before the run ended" },
      );
      if (this.#queue.delete(local)) this.#end(local);
    }
    for (const local of this.#probes.keys()) local.interrupt({ status: "lost", reason: "the server is stopping" });
    await Promise.all([...this.#executing.values(), ...this.#probes.values()]);
    await this.#opened.disposeAsync();
  }

  #recover(): void {
    for (const stored of this.#store.recover("the server was killed while the run was executing")) {
      const local = new LocalRun(stored, undefined);
      this.#runs.set(stored.id, local);
      this.#queue.add(local);
    }
    this.#startNext();
  }

  /** Those that take turns: interactive runs mostly wait for somebody, and are as many as the server lets begin. */
  get #busy(): number {
    return this.#executing.size - this.#interactive;
  }

  #checkOpen(): void {
    const retry = { retry_after_seconds: RETRY_AFTER_SECONDS };
    if (this.#closing) throw new ServiceError("shutting_down", "the server is stopping; send the request again", retry);
    if (this.#store.problem !== undefined) throw new ServiceError("unavailable", this.#store.problem, retry);
  }

  #admit(run: Run): void {
    this.#checkOpen();
    const { maxRunning, maxQueued } = this.#options;
    const retry = { retry_after_seconds: RETRY_AFTER_SECONDS };
    if (this.#runs.size - this.#interactive >= maxRunning + maxQueued) {
      throw new ServiceError(
        "queue_full",
        `${maxQueued} runs are waiting already, which is the most; try again later`,
        retry,
      );
    }
    if (this.#busy < maxRunning) return;
    let bytes = programBytes(run.program);
    for (const local of this.#queue) bytes += local.program?.encoded.length ?? 0;
    if (bytes > MAX_QUEUED_BYTES) {
      throw new ServiceError("queue_full", "the waiting programs fill their memory; try again later", retry);
    }
  }

  async #keep(local: LocalRun, program: PreparedProgram): Promise<void> {
    try {
      local.stored = this.#store.insertQueued(local.run, program);
      await local.stored;
    } catch (cause) {
      this.#runs.delete(local.run.id);
      throw new ServiceError("unavailable", this.#store.problem ?? "the run could not be stored", {}, { cause });
    }
    // A long queue is to take no memory for what the store holds.
    if (this.#busy >= this.#options.maxRunning) local.program = undefined;
  }

  #startNext(): void {
    for (const local of this.#queue) {
      if (this.#busy >= this.#options.maxRunning) return;
      if (this.#closing && local.run.durable) continue;
      this.#queue.delete(local);
      this.#start(local);
    }
  }

  #start(local: LocalRun): void {
    const execution = this.#execute(local).finally(() => {
      this.#executing.delete(local);
      if (local.input !== undefined) this.#interactive -= 1;
      this.#startNext();
    });
    this.#executing.set(local, execution);
  }

  async #execute(local: LocalRun): Promise<void> {
    const program = local.program ?? this.#store.program(local.run.id);
    local.program = undefined;
    if (program === undefined) local.interrupt({ status: "lost", reason: "the store has no program for the run" });
    else await this.#runInSandbox(local, program);
    this.#end(local);
  }

  /** Executes the program and records what happens; the recording has an end after it unless the run is to be queued again. */
  async #runInSandbox(local: LocalRun, program: PreparedProgram): Promise<void> {
    local.startedAt = new Date();
    try {
      const compilation = this.#compileCache.open(local.run, program.encoded);
      const suitsAhead = program.suitsAhead && compilation.replayed.length === 0;
      const waiting = suitsAhead ? this.#ahead.claim(local.run.language) : undefined;
      const sandbox = waiting ?? (await this.#claim(program));
      try {
        local.sandbox = sandbox;
        if (local.interruption !== undefined) return;
        if (local.run.durable) this.#store.markRunning(local.run.id);
        const { demands } = program;
        for (const { frame, line } of compilation.replayed) local.recording.add(frame, line, new Date());
        local.notify();
        const timeoutMs = demands.wallMs + GRACE_MS;
        const executed = sandbox.execute(compilation.encoded, demands, timeoutMs, (frame, line) => {
          if (compilation.takes(frame, line)) return;
          local.recording.add(frame, line, new Date());
          if (local.isStored) this.#keepEnd(local);
          local.notify();
          if (local.recording.result !== undefined && frame.type !== "finished") sandbox.kill();
        });
        local.listen(sandbox);
        const end = await executed;
        // A run may have its result before its runner has finished.
        if (end.finished || local.recording.result !== undefined) return;
        local.interrupt(
          end.outOfMemory ? { status: "memory_limit" } : { status: "lost", reason: `the sandbox broke: ${end.reason}` },
        );
      } finally {
        this.#pool.dispose(sandbox);
      }
    } catch (error) {
      local.interrupt({ status: "lost", reason: error instanceof Error ? error.message : String(error) });
    } finally {
      if (local.interruption !== undefined && local.interruption.status !== "requeued") {
        local.recording.interrupt(local.interruption, new Date());
      }
    }
  }

  async #claim({ demands }: PreparedProgram): Promise<LocalSandbox> {
    if (!demands.network) return await this.#pool.claim();
    if (this.#network === undefined) throw new Error("the network is not allowed any more");
    return await this.#pool.start({ network: this.#network.sandbox() });
  }

  /** Keeps the run's end, if there is one: before anyone is told of it, so that what was seen once is never lost. */
  #keepEnd(local: LocalRun): void {
    const { run, recording } = local;
    if (recording.result === undefined || local.endKept) return;
    local.endKept = true;
    if (local.isStored) this.#store.finish(run.id, recording);
    else this.#store.insertFinished(run, recording);
  }

  /** Lets go of a run that has ended, or that is left for the next start. */
  #end(local: LocalRun): void {
    const { run, recording, interruption } = local;
    if (interruption !== undefined && interruption.status !== "requeued") recording.interrupt(interruption, new Date());
    const { result } = recording;
    if (result === undefined) this.#store.requeue(run.id);
    else this.#keepEnd(local);
    local.input?.close();
    local.notify();
    this.#runs.delete(run.id);
    if (result === undefined) return;
    this.#options.observe(result);
    if (run.callbackUrl !== undefined) this.#options.owes({ id: run.id, tenant: run.tenant, url: run.callbackUrl });
  }
}

/** Throws `StartError` when this machine can't give a sandbox a network. */
async function tryNetwork(pool: LocalPool, network: LocalNetwork): Promise<void> {
  try {
    pool.dispose(await pool.start({ network: network.sandbox() }));
  } catch (error) {
    const [problem] = (error instanceof Error ? error.message : String(error)).split("\n");
    const words = problem?.replace(/^not a frame: (?:launcher: )?/, "");
    throw new StartError(`ALLOW_NETWORK=true is not possible here: ${words}`, { cause: error });
  }
}

function programBytes(program: Program): number {
  const { files, stdin, tests } = inputBytesOf(program);
  return files + stdin + tests;
}

async function* replay(events: RunEvent[]): AsyncGenerator<RunEvent> {
  yield* events;
}
