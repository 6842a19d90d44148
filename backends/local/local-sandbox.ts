import type { Socket } from "node:net";

import { FrameDecoder } from "../../core/frames.ts";
import type { SequencedFrame } from "../../core/frames.ts";
import type { CgroupLimits, LocalCgroups, SandboxCgroup } from "./local-cgroups.ts";
import { FIRST_FILE_FD, LaunchForm, NAME } from "./local-launcher.ts";
import type { Launched, LaunchedEnd, LocalLauncher } from "./local-launcher.ts";
import type { SandboxNetwork } from "./local-network.ts";
import { RUNNER_PATH } from "./local-rootfs.ts";

/** How long a sandbox may take until its runner waits for a program, in milliseconds. */
const START_MS = 20_000;
/** How long a killed sandbox may take to be gone, in milliseconds. */
const END_MS = 10_000;
/** How long one whose runner has finished may take to be gone by itself, in milliseconds: it saves a message to the launcher. */
const LAST_MS = 100;

/** How a sandbox's only program ended: with the runner's last frame, or with the sandbox before it. */
export type SandboxEnd = { finished: true } | { finished: false; outOfMemory: boolean; reason: string };

export interface SandboxOptions {
  launcher: LocalLauncher;
  cgroups: LocalCgroups;
  /** `sandboxForm` of the cgroups. */
  form: LaunchForm;
  /** Unique among the machine's sandboxes. */
  name: string;
  /** The user id that the sandbox's user has on the machine; undefined for the server's own. */
  uid: number | undefined;
  /** Undefined for one that reaches nobody. */
  network: SandboxNetwork | undefined;
  /** What is started in it to wait for its program, encoded; undefined for one whose program may be any. */
  ahead: Buffer | undefined;
}

/** What every sandbox is launched with. The runner mounts the work folders with the run's own sizes; it then gives up the right to. */
export function sandboxForm(cgroups: LocalCgroups): LaunchForm {
  const cgroup = cgroups.create(NAME);
  const files = cgroup?.runnerFiles ?? [];
  const command = [
    ...[RUNNER_PATH, "--mounts", "--exit-on-hangup"],
    ...(cgroup === undefined ? [] : ["--cgroup", String(cgroup.version)]),
    ...files.flatMap(({ option }, index) => [option, String(FIRST_FILE_FD + index)]),
  ];
  return new LaunchForm({ cgroup, files, command });
}

/** One sandbox: a runner in namespaces of its own that waits for a program, executes it, and is gone. It serves one run. */
export class LocalSandbox {
  readonly #launched: Launched;
  readonly #connection: Socket;
  readonly #cgroup: SandboxCgroup | undefined;
  readonly #decoder = new FrameDecoder();
  readonly #ready = Promise.withResolvers<true>();
  #isReady = false;
  readonly #gone: Promise<LaunchedEnd>;
  readonly #ended = Promise.withResolvers<SandboxEnd>();
  #onFrame: ((frame: SequencedFrame, line: string) => void) | undefined;
  #onFed: ((bytes: number) => void) | undefined;
  #alive = true;
  #hasFinished = false;
  #disposal: Promise<void> | undefined;

  private constructor(launched: Launched, cgroup: SandboxCgroup | undefined) {
    this.#launched = launched;
    this.#connection = launched.connection;
    this.#cgroup = cgroup;
    // A write to a sandbox that has ended fails; its end is seen by the end of its process.
    this.#connection.on("error", () => {});
    this.#connection.on("data", (chunk: Buffer) => this.#receive(chunk));
    this.#connection.resume();
    const disconnected = new Promise<void>((resolve) => this.#connection.once("close", () => resolve()));
    this.#ready.promise.catch(() => {});
    // Both: the last frames may arrive after the process was reaped, and a broken connection is no end.
    this.#gone = Promise.all([launched.ended, disconnected]).then(([end]) => {
      this.#alive = false;
      this.#break("it ended before its runner had finished", end.oomKills);
      return end;
    });
  }

  /** Starts a sandbox up to where its runner waits for a program, or starts what does. Throws with the kernel's own words. */
  static async start(options: SandboxOptions): Promise<LocalSandbox> {
    const cgroup = options.cgroups.create(options.name);
    let sandbox: LocalSandbox | undefined;
    try {
      const launched = await options.launcher.launch(options);
      sandbox = new LocalSandbox(launched, cgroup);
      // The runner finds it there, and need not be woken for it.
      if (options.ahead !== undefined) sandbox.#connection.write(options.ahead);
      const isReady = await within(START_MS, sandbox.#ready.promise);
      if (isReady === undefined) throw new Error(`it was not ready within ${START_MS} ms`);
      return sandbox;
    } catch (error) {
      await (sandbox === undefined ? cgroup?.destroy() : sandbox.dispose());
      throw error;
    }
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Executes the sandbox's program. `onFrame` gets each frame with its line as the runner wrote it, until the promise settles. */
  async execute(
    program: Buffer,
    limits: CgroupLimits,
    timeoutMs: number,
    onFrame: (frame: SequencedFrame, line: string) => void,
  ): Promise<SandboxEnd> {
    this.#onFrame = onFrame;
    this.#cgroup?.limit(limits);
    this.#connection.write(program);
    const timer = setTimeout(() => {
      this.#break("the runner did not keep the run's time limit");
    }, timeoutMs);
    try {
      return await this.#ended.promise;
    } finally {
      clearTimeout(timer);
      this.#onFrame = undefined;
    }
  }

  /**
   * Says a line to the interactive program that `execute` was given; resolves when another may follow. `onFed` gets how much
   * its stdin has taken.
   */
  async say(line: Buffer, onFed: (bytes: number) => void): Promise<void> {
    this.#onFed = onFed;
    const sent = Promise.withResolvers<void>();
    // The error of a sandbox that has ended is seen by the end of its process.
    this.#connection.write(line, () => sent.resolve());
    await sent.promise;
  }

  /** Kills everything in the sandbox; `execute` then ends as not finished. */
  kill(): void {
    this.#launched.kill();
    this.#connection.destroy();
  }

  /** Kills what is left and waits until no process, mount or cgroup is. Throws when something stays. */
  dispose(): Promise<void> {
    this.#disposal ??= this.#dispose();
    return this.#disposal;
  }

  async #dispose(): Promise<void> {
    let end = this.#hasFinished ? await within(LAST_MS, this.#gone) : undefined;
    if (this.#alive) this.kill();
    end ??= await within(END_MS, this.#gone);
    if (end === undefined) throw new Error("a killed sandbox does not end");
    if (end.cgroupsLeft > 0) await this.#cgroup?.destroy();
  }

  #receive(chunk: Buffer): void {
    try {
      for (const { frame, line } of this.#decoder.push(chunk)) {
        if (frame.type === "ready") {
          this.#isReady = true;
          this.#ready.resolve(true);
          continue;
        }
        if (frame.type === "fed") {
          this.#onFed?.(frame.bytes);
          continue;
        }
        this.#onFrame?.(frame, line);
        if (frame.type === "finished" || frame.type === "failed") {
          this.#hasFinished = true;
          // Who waits for the run's result goes first.
          setImmediate(() => this.#ended.resolve({ finished: true }));
        }
      }
    } catch (error) {
      this.#break(error instanceof Error ? error.message : String(error));
      this.kill();
    }
  }

  /** Ends what waits for this sandbox, unless its runner has finished. */
  #break(reason: string, oomKills = this.#cgroup?.oomKills() ?? 0): void {
    if (!this.#isReady) this.#ready.reject(new Error(reason));
    this.#ended.resolve(
      this.#hasFinished ? { finished: true } : { finished: false, outOfMemory: oomKills > 0, reason },
    );
  }
}

/** What `promise` resolves to, or undefined after so many milliseconds. */
async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T | undefined> {
  const first = Promise.withResolvers<T | undefined>();
  const timer = setTimeout(() => first.resolve(undefined), milliseconds);
  promise.then(first.resolve, first.reject);
  try {
    return await first.promise;
  } finally {
    clearTimeout(timer);
  }
}
