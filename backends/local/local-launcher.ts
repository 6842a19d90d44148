import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { createInterface } from "node:readline";

import { randomBytes } from "../../core/random.ts";
import type { SandboxCgroup } from "./local-cgroups.ts";
import type { SandboxNetwork } from "./local-network.ts";
import type { Rootfs } from "./local-rootfs.ts";

/** What stands for the name of a sandbox's cgroup in the paths of a form. */
export const NAME = "{name}";

/** What the sandboxes of a server are launched with, whichever of them it is. */
export interface LaunchParts {
  /** The cgroups that are made for it, and what is written there first. */
  cgroup: Pick<SandboxCgroup, "folders" | "writes" | "oomEvents"> | undefined;
  /** Files that it opens, from descriptor 4 on, in this order. */
  files: readonly { path: string; writable: boolean }[];
  /** A path in the sandbox and its arguments. */
  command: readonly string[];
}

function inWords(words: readonly string[]): string {
  return words.map((word) => `${word}\0`).join("");
}

/** The launcher's words for `LaunchParts`, with `NAME` where each sandbox has a name of its own: there are sixty, found once. */
export class LaunchForm {
  readonly #pieces: readonly string[];

  constructor({ cgroup, files, command }: LaunchParts) {
    const { folders = [], writes = [], oomEvents = "-" } = cgroup ?? {};
    this.#pieces = inWords([
      ...[String(folders.length), ...folders],
      ...[String(writes.length), ...writes.flatMap(({ path, text }) => [path, text])],
      oomEvents,
      ...[String(files.length), ...files.flatMap(({ path, writable }) => [writable ? "w" : "r", path])],
      ...command,
    ]).split(NAME);
  }

  words(name: string): string {
    return this.#pieces.join(name);
  }
}

/** What a sandbox's first process is to be before it becomes its form's command. */
export interface LaunchRequest {
  form: LaunchForm;
  name: string;
  /** The machine's id for the sandbox's only user; undefined for the server's own. */
  uid: number | undefined;
  /** Undefined for a namespace with nothing in it. */
  network: SandboxNetwork | undefined;
}

/** A process that the launcher has started: fds 0, 1 and 2 are the other end of the connection, which is paused. */
export interface Launched {
  connection: Socket;
  /** Resolves when the process has ended and was reaped, with all others of its sandbox. */
  ended: Promise<LaunchedEnd>;
  kill(): void;
}

export interface LaunchedEnd {
  /** How many processes the kernel has killed for want of memory. */
  oomKills: number;
  /** How many of its cgroups could not be removed. */
  cgroupsLeft: number;
}

/** Descriptors of a launched process below this are its connection, and one that is free. */
export const FIRST_FILE_FD = 4;

const TOKEN_CHARS = 32;

/**
 * How long after a process's end its connection is waited for, in milliseconds. It is older than the process, so it is
 * missing only where the kernel could not hand it over, for want of descriptors.
 */
const LATE_MS = 1000;

interface Pending {
  connected: PromiseWithResolvers<Socket>;
  ended: PromiseWithResolvers<LaunchedEnd>;
  isConnected: boolean;
  /** Runs from the process's end on while it is not connected. */
  late?: NodeJS.Timeout;
}

/**
 * The small process that makes sandboxes in the server's stead: to fork a process of the server's size takes
 * milliseconds, in which it answers nobody.
 */
export class LocalLauncher implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #server: Server;
  readonly #pending = new Map<string, Pending>();
  /** Why it can start nothing any more. */
  #failure: string | undefined;

  private constructor(child: ChildProcess, server: Server) {
    this.#child = child;
    this.#server = server;
    server.on("connection", (socket) => this.#accept(socket));
    child.stdin?.on("error", () => {});
    if (child.stdout !== null) createInterface({ input: child.stdout }).on("line", (line) => this.#told(line));
    let said = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString("utf8")).slice(0, 1000);
    });
    child.once("error", (error) => this.#failed(error.message));
    child.once("close", () => this.#failed(said.trim() || "it ended"));
  }

  /**
   * Starts the launcher, which makes every sandbox's file system of `rootfs`, and reaches this process by a socket at
   * `socketPath`: 107 bytes at most (unix(7)).
   */
  static async open(launcherPath: string, socketPath: string, rootfs: Rootfs): Promise<LocalLauncher> {
    await rm(socketPath, { force: true });
    const server = createServer();
    server.listen(socketPath);
    await once(server, "listening");
    const mounts = rootfs.mounts.flatMap(({ kind, source, target }) => [kind, source, target]);
    const child = spawn(launcherPath, [socketPath, rootfs.folder, ...mounts], {
      env: {},
      cwd: "/",
      detached: true,
      stdio: "pipe",
    });
    return new LocalLauncher(child, server);
  }

  /**
   * Starts a process; its connection is there when the promise resolves. What keeps the process from becoming the command
   * is a line of text on the connection.
   */
  async launch(request: LaunchRequest): Promise<Launched> {
    if (this.#failure !== undefined) throw new Error(this.#failure);
    const token = randomBytes(TOKEN_CHARS / 2).toString("hex");
    const pending: Pending = {
      connected: Promise.withResolvers(),
      ended: Promise.withResolvers(),
      isConnected: false,
    };
    this.#pending.set(token, pending);
    const { form, name, uid, network } = request;
    const user = uid === undefined ? "-" : String(uid);
    const reach = network === undefined ? ["-"] : [network.nft, network.relay, network.range, network.rules];
    this.#send(inWords(["start", token, user, ...reach]) + form.words(name));
    const connection = await pending.connected.promise;
    return { connection, ended: pending.ended.promise, kill: () => this.#send(inWords(["kill", token])) };
  }

  /** Ends the launcher and, with it, whatever it has started. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin?.end();
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, "close");
    this.#server.close();
    await once(this.#server, "close");
  }

  #send(words: string): void {
    const length = Buffer.byteLength(words);
    const request = Buffer.allocUnsafe(4 + length);
    request.writeUInt32LE(length);
    request.write(words, 4);
    this.#child.stdin?.write(request);
  }

  /** The first line on a connection is the token of the process at its other end. */
  #accept(socket: Socket): void {
    let head = Buffer.alloc(0);
    socket.on("error", () => {});
    const receive = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk]);
      if (head.length <= TOKEN_CHARS) return;
      socket.off("data", receive);
      socket.pause();
      const token = head.toString("latin1", 0, TOKEN_CHARS);
      const pending = this.#pending.get(token);
      if (pending === undefined) {
        socket.destroy();
        return;
      }
      if (head.length > TOKEN_CHARS + 1) socket.unshift(head.subarray(TOKEN_CHARS + 1));
      pending.isConnected = true;
      pending.connected.resolve(socket);
      if (pending.late !== undefined) this.#forget(token, pending);
    };
    socket.on("data", receive);
  }

  /** A line of the launcher's: how a process that was asked for has ended, or why there is none. */
  #told(line: string): void {
    const [how, token = "", ...reason] = line.split(" ");
    const pending = this.#pending.get(token);
    if (pending === undefined) return;
    if (how === "failed") {
      this.#lost(token, pending, reason.join(" "));
      return;
    }
    const [oomKills = 0, cgroupsLeft = 0] = reason.map(Number);
    pending.ended.resolve({ oomKills, cgroupsLeft });
    if (pending.isConnected) this.#forget(token, pending);
    else pending.late = setTimeout(() => this.#lost(token, pending, "the process ended before it connected"), LATE_MS);
  }

  #lost(token: string, pending: Pending, reason: string): void {
    pending.connected.reject(new Error(reason));
    pending.ended.resolve({ oomKills: 0, cgroupsLeft: Infinity });
    this.#forget(token, pending);
  }

  #forget(token: string, pending: Pending): void {
    clearTimeout(pending.late);
    this.#pending.delete(token);
  }

  #failed(reason: string): void {
    this.#failure ??= `the launcher failed: ${reason}`;
    for (const [token, pending] of this.#pending) this.#lost(token, pending, this.#failure);
  }
}
