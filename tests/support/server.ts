import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { within } from "./time.ts";

const REPOSITORY = join(import.meta.dirname, "../..");
const START_MS = 60_000;
const STOP_MS = 60_000;

/** The environment that a server is given; a variable that is undefined is left out. */
export type Settings = Readonly<Record<string, string | undefined>>;

export interface ServerExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface ServerOptions {
  /** A program with its arguments that the server is started through, such as one that takes something from it. */
  through?: readonly string[];
}

/** All that a server needs of the environment besides its settings, and how `npm start` and the image start it. */
const BASE: Settings = {
  PATH: process.env["PATH"],
  MALLOC_ARENA_MAX: "1",
  HOST: "127.0.0.1",
  PORT: "0",
  RATE_LIMIT_PER_MINUTE: "0",
  LOG_LEVEL: "warn",
};

function defined(settings: Settings): Record<string, string> {
  return Object.fromEntries(
    Object.entries(settings).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** A server process and everything that it has printed. */
class ServerProcess {
  readonly child: ChildProcess;
  readonly exited: Promise<ServerExit>;
  output = "";
  #printed = Promise.withResolvers<void>();

  constructor(settings: Settings, { through = [] }: ServerOptions) {
    const [command, ...words] = [...through, process.execPath, "api/main.ts"];
    const env = defined({ ...BASE, ...settings });
    this.child = spawn(command, words, { cwd: REPOSITORY, env, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on("data", (chunk: Buffer) => this.#receive(chunk));
    }
    this.exited = new Promise((resolve, reject) => {
      this.child.once("error", reject);
      this.child.once("close", (code, signal) => resolve({ code, signal }));
    });
    this.exited.catch(() => {});
  }

  #receive(chunk: Buffer): void {
    this.output += chunk.toString();
    this.#printed.resolve();
    this.#printed = Promise.withResolvers();
  }

  /** The address in the start line; throws with what was printed when the server ends instead. */
  async address(): Promise<string> {
    const ended = this.exited.then(() => true);
    for (;;) {
      const printed = this.#printed.promise;
      const url = /https?:\/\/[\w.:[\]-]+:\d+/.exec(this.output)?.[0];
      if (url !== undefined) return url;
      if ((await Promise.race([printed, ended])) === true) throw new Error(`the server did not start: ${this.output}`);
    }
  }
}

/** A running server on a port and a data folder of its own. */
export class Server implements AsyncDisposable {
  readonly url: string;
  /** Holds all that the server keeps; outlives it so that another server can be started on it. */
  readonly dataDir: string;
  readonly #process: ServerProcess;

  constructor(process: ServerProcess, url: string, dataDir: string) {
    this.#process = process;
    this.url = url;
    this.dataDir = dataDir;
  }

  get pid(): number {
    const { pid } = this.#process.child;
    if (pid === undefined) throw new Error("the server has no process");
    return pid;
  }

  /** What the server has printed until now, on both streams. */
  get output(): string {
    return this.#process.output;
  }

  get exited(): Promise<ServerExit> {
    return this.#process.exited;
  }

  /** Asks the server to end; does not wait for it. */
  terminate(): void {
    this.#process.child.kill("SIGTERM");
  }

  /** Asks the server to end and waits until it has. */
  async stop(): Promise<ServerExit> {
    this.terminate();
    return await this.#end();
  }

  /** Kills the server as a power cut would, and waits until it is gone. */
  async kill(): Promise<ServerExit> {
    this.#process.child.kill("SIGKILL");
    return await this.#end();
  }

  /** Ends the server, hard when it does not end by itself. The data folder stays. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #end(): Promise<ServerExit> {
    try {
      return await within(STOP_MS, "the server's end", this.exited);
    } catch (error) {
      this.#process.child.kill("SIGKILL");
      throw new Error(`${String(error)}; it printed: ${this.output}`, { cause: error });
    }
  }
}

/** A folder for one test, removed by `await using`; what lies in it can be reached by every user. */
export async function temporaryFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), "sandbox-api-test-"));
  await chmod(path, 0o711);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Starts the product as its own process, on a free port of the loopback, and waits until it listens. */
export async function startServer(
  settings: Settings & { DATA_DIR: string },
  options: ServerOptions = {},
): Promise<Server> {
  const process = new ServerProcess(settings, options);
  try {
    const url = await within(START_MS, "the server's start", process.address());
    return new Server(process, url, settings.DATA_DIR);
  } catch (error) {
    process.child.kill("SIGKILL");
    throw error;
  }
}

/** Starts a server that is expected to refuse its settings: how it ended and what it printed. */
export async function startRefused(
  settings: Settings,
  options: ServerOptions = {},
): Promise<ServerExit & { output: string }> {
  const process = new ServerProcess(settings, options);
  try {
    const exit = await within(START_MS, "the refusal", process.exited);
    return { ...exit, output: process.output };
  } finally {
    process.child.kill("SIGKILL");
  }
}
