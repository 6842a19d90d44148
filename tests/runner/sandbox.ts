import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { type BinaryName, binaryPath, reachableFolder } from "./binaries.ts";
import { encode, type ProgramSpec } from "./program.ts";
import { collect, FrameReader, type Outcome } from "./frames.ts";

const DEVICES = ["null", "zero", "full", "random", "urandom", "tty"];
const NAMESPACES = ["user", "pid", "net", "ipc", "uts", "cgroup"].map((name) => `--unshare-${name}`);
const isRoot = process.getuid?.() === 0;

export const POD_USER = 123_456;

export interface SandboxOptions {
  binary?: BinaryName;
  /** The runner's own options; `--mounts` is the default. */
  options?: readonly string[];
  /** What the sandbox sees besides /usr, read-only: paths of the host by their paths in the sandbox. */
  binds?: Readonly<Record<string, string>>;
  /** The runner's own environment. */
  environment?: Readonly<Record<string, string>>;
  /** Descriptors of this process that the runner gets from 3 on. */
  descriptors?: readonly number[];
  /** Like a pod's container: no capability, a user id that no file knows, and work folders that are mounted already. */
  pod?: boolean;
  /** A command that executes bubblewrap. */
  before?: readonly string[];
  /** More options of bubblewrap. */
  bubblewrap?: readonly string[];
  /** The `cgroup.procs` files that the sandbox joins before it starts; for root only. */
  joins?: readonly string[];
}

/** Who the runner is where it makes its mounts itself. */
const SERVED = ["--uid", "1000", "--gid", "1000", "--cap-add", "CAP_SYS_ADMIN"];

/** An emptyDir is everybody's and has a size, but no figure of inodes. */
const POD = [
  ...["--uid", `${POD_USER}`, "--gid", `${POD_USER}`],
  ...["/work", "/tmp", "/dev/shm"].flatMap((folder) => [
    "--perms",
    "1777",
    "--size",
    `${256 << 20}`,
    "--tmpfs",
    folder,
  ]),
];

function touch(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  closeSync(openSync(path, "a"));
}

function isFolder(path: string): boolean {
  return existsSync(`${path}/.`);
}

let root: string | undefined;

/** The read-only root of the sandboxes: places to mount at, and links into /usr. */
function rootFolder(binds: Readonly<Record<string, string>>): string {
  if (root === undefined) {
    root = reachableFolder();
    for (const folder of ["usr", "proc", "work", "tmp", "dev/pts", "dev/shm", "sys"])
      mkdirSync(join(root, folder), { recursive: true });
    for (const link of ["bin", "lib", "lib64", "sbin"]) symlinkSync(`usr/${link}`, join(root, link));
    for (const device of DEVICES) touch(join(root, "dev", device));
    for (const [fd, name] of ["stdin", "stdout", "stderr"].entries()) {
      symlinkSync(`/proc/self/fd/${fd}`, join(root, "dev", name));
    }
    symlinkSync("/proc/self/fd", join(root, "dev/fd"));
    touch(join(root, "runner"));
  }
  for (const [inside, outside] of Object.entries(binds)) {
    if (isFolder(outside)) mkdirSync(join(root, inside), { recursive: true });
    else touch(join(root, inside));
  }
  return root;
}

// A user id for each sandbox: the kernel counts RLIMIT_NPROC per user.
let nextUser = 2_000_000_000 + (process.pid % 100_000) * 1000;

function bubblewrapArguments(options: SandboxOptions): string[] {
  const binary = options.binary ?? "normal";
  const binds = options.binds ?? {};
  return [
    ...["--ro-bind", rootFolder(binds), "/", "--ro-bind", "/usr", "/usr", "--proc", "/proc"],
    ...DEVICES.flatMap((device) => ["--dev-bind", `/dev/${device}`, `/dev/${device}`]),
    ...["--ro-bind", binaryPath(binary), "/runner"],
    ...Object.entries(binds).flatMap(([inside, outside]) => ["--ro-bind", outside, inside]),
    ...(options.pod === true ? POD : SERVED),
    ...[...NAMESPACES, "--hostname", "sandbox", "--new-session", "--die-with-parent", "--as-pid-1"],
    ...(binary === "sanitized" ? ["--setenv", "ASAN_OPTIONS", "detect_leaks=0"] : []),
    ...(options.bubblewrap ?? []),
    ...["--", "/runner", ...(options.options ?? (options.pod === true ? [] : ["--mounts"]))],
  ];
}

/** What joins cgroups as root, and then becomes another user and the command behind it. */
function joinCommand(joins: readonly string[]): string[] {
  if (joins.length === 0) return [];
  const script = `for file in ${joins.join(" ")}; do echo 0 > $file || exit; done; exec "$@"`;
  const user = `${nextUser}`;
  return ["/bin/sh", "-c", script, "sh", "/usr/bin/setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--"];
}

/** bubblewrap's options for telling its child's id, and for the child's waiting until it has joined its cgroups. */
function waitingOptions(firstDescriptor: number): string[] {
  return ["--info-fd", `${firstDescriptor}`, "--block-fd", `${firstDescriptor + 1}`];
}

/** One runner in a sandbox of its own; ends with the `using` block that it was started in. */
export class Sandbox implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly frames: FrameReader;
  readonly exit: Promise<number | null>;
  readonly #stderr: Buffer[] = [];

  constructor(options: SandboxOptions = {}) {
    nextUser += 1;
    const descriptors = options.descriptors ?? [];
    const joins = options.joins ?? [];
    // A pod's cgroup counts its container and nothing else, bubblewrap for one.
    const joinsAlone = options.pod === true && joins.length > 0;
    const [command, ...rest] = [
      ...joinCommand(joinsAlone ? [] : joins),
      ...(options.before ?? []),
      "/usr/bin/bwrap",
      ...(joinsAlone ? waitingOptions(3 + descriptors.length) : []),
      ...bubblewrapArguments(options),
    ];
    this.child = spawn(command!, rest, {
      ...(isRoot && (joinsAlone || joins.length === 0) ? { uid: nextUser, gid: nextUser } : {}),
      env: options.environment ?? {},
      detached: true,
      stdio: ["pipe", "pipe", "pipe", ...descriptors, ...(joinsAlone ? (["pipe", "pipe"] as const) : [])],
    });
    if (joinsAlone) this.#join(joins, 3 + descriptors.length);
    this.exit = once(this.child, "close").then(([code]) => code as number | null);
    this.stdin.on("error", () => {}); // the runner may be gone before it has read all
    this.child.stderr!.on("data", (chunk: Buffer) => this.#stderr.push(chunk));
    this.frames = new FrameReader(this.child.stdout!);
  }

  #join(joins: readonly string[], firstDescriptor: number): void {
    const information = this.child.stdio[firstDescriptor] as Readable;
    const go = this.child.stdio[firstDescriptor + 1] as Writable;
    let told = "";
    information.on("data", (part: Buffer) => {
      told += part.toString();
      const pid = /"child-pid": (\d+)\D/.exec(told)?.[1];
      if (pid === undefined || go.writableEnded) return;
      for (const file of joins) writeFileSync(file, pid);
      go.end("x"); // as much as bubblewrap reads
    });
    go.on("error", () => {}); // bubblewrap may be gone
  }

  get stdin() {
    return this.child.stdin!;
  }

  get stderr(): string {
    return Buffer.concat(this.#stderr).toString("latin1");
  }

  /** The runner's process id outside of the sandbox. */
  runnerPid(): number {
    const bubblewrap = this.child.pid;
    const children = readFileSync(`/proc/${bubblewrap}/task/${bubblewrap}/children`, "latin1").trim();
    if (!/^\d+$/.test(children)) throw new Error(`bubblewrap has no single child but "${children}"`);
    return Number(children);
  }

  /** Sends a program, or bytes that are meant to be one; the input stays open. */
  send(program: ProgramSpec | Uint8Array): void {
    this.stdin.write(program instanceof Uint8Array ? program : encode(program));
  }

  /** All that comes until the runner exits. */
  async outcome(): Promise<Outcome> {
    const frames = await Array.fromAsync(this.frames);
    return collect(frames, await this.exit, this.stderr);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGKILL");
    this.stdin.destroy();
    this.child.stdout!.destroy();
    await this.exit;
  }
}

/** Runs one program from start to end. */
export async function execute(program: ProgramSpec | Uint8Array, options: SandboxOptions = {}): Promise<Outcome> {
  await using sandbox = new Sandbox(options);
  sandbox.send(program);
  return await sandbox.outcome();
}
