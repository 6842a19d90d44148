import { chmod, copyFile, cp, link, lstat, mkdir, readdir, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { PREPARED_FOLDER } from "../../core/languages.ts";

/** Where the runner and Node lie inside every sandbox. */
export const RUNNER_PATH = "/opt/sandbox/runner";
const NODE_PATH = "/opt/node/bin/node";

const DEVICES = ["null", "zero", "full", "random", "urandom", "tty"];
const USER_ID = 1000;

const ETC: Record<string, string> = {
  passwd: `root:x:0:0:root:/root:/usr/sbin/nologin\nsandbox:x:${USER_ID}:${USER_ID}:sandbox:/work:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n`,
  group: `root:x:0:\nsandbox:x:${USER_ID}:\nnogroup:x:65534:\n`,
  hosts: "127.0.0.1 localhost sandbox\n::1 localhost\n",
  "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
};

/** What toolchains need of the machine's /etc: where the loader finds libraries, which compiler `c++` is, Java's settings. */
const ETC_COPIES = [/^ld\.so\.cache$/, /^alternatives$/, /^java-.*-openjdk$/];

/** Gives a file a second name, without a copy where both lie on one file system. */
async function place(source: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  try {
    await link(source, target);
  } catch {
    await copyFile(source, target);
  }
}

/** What is mounted at `target` of every sandbox: something to be read, or a device file, which can be used. */
interface RootfsMount {
  kind: "folder" | "device";
  /** Absolute path on the machine. */
  source: string;
  /** Absolute path in the sandbox. */
  target: string;
}

/** What every sandbox's file system is made of, all but devices read-only. The runner adds the folders to write to. */
export interface Rootfs {
  /** The root. */
  readonly folder: string;
  readonly mounts: readonly RootfsMount[];
}

/**
 * Places the runner; returns a mount if it has to be mounted. A server that may execute the runner but not
 * read it has no privileges, so its sandboxes have its own user id and reach the file where it is.
 */
async function placeRunner(source: string, folder: string): Promise<RootfsMount[]> {
  const target = join(folder, RUNNER_PATH);
  try {
    await place(source, target);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EACCES")) throw error;
    await writeFile(target, "");
    return [{ kind: "folder", source, target: RUNNER_PATH }];
  }
  // Not readable, so that the runner starts as a process that cannot be traced or read, before it could ask for that.
  await chmod(target, 0o111);
  return [];
}

/** Where names are asked for, and the certificates of those whom programs for TLS trust. */
async function addNetwork(folder: string, nameserver: string): Promise<void> {
  await writeFile(join(folder, "resolv.conf"), `nameserver ${nameserver}\n`);
  await writeFile(join(folder, "nsswitch.conf"), "passwd: files\ngroup: files\nhosts: files dns\n");
  const certificates = "/etc/ssl/certs";
  await mkdir(join(folder, "ssl"));
  if ((await lstat(certificates).catch(() => undefined))?.isDirectory() !== true) return;
  await cp(certificates, join(folder, "ssl/certs"), { recursive: true, verbatimSymlinks: true });
}

async function makeEtc(folder: string, nameserver: string | undefined): Promise<void> {
  await mkdir(folder);
  for (const entry of await readdir("/etc")) {
    if (!ETC_COPIES.some((pattern) => pattern.test(entry))) continue;
    await cp(join("/etc", entry), join(folder, entry), { recursive: true, verbatimSymlinks: true });
  }
  for (const [name, text] of Object.entries(ETC)) await writeFile(join(folder, name), text);
  if (nameserver !== undefined) await addNetwork(folder, nameserver);
}

/** What sandboxes have of the service, by its path on the machine. */
export interface RootfsSources {
  runner: string;
  node: string;
  /** What `scripts/setup` has made of the toolchains; may be missing. */
  prepared: string;
}

/**
 * Makes the root folder that all sandboxes share, read-only: the machine's /usr, a minimal /etc, six devices, the
 * runner, Node, and what makes toolchains faster; with a name server where there may be a network. The copy lies where the
 * sandboxes' user ids can reach it, wherever the project itself lies.
 */
export async function makeRootfs(
  folder: string,
  { runner, node, prepared }: RootfsSources,
  nameserver: string | undefined,
): Promise<Rootfs> {
  await rm(folder, { recursive: true, force: true });
  for (const name of ["dev/pts", "dev/shm", "proc", "tmp", "usr", "work"])
    await mkdir(join(folder, name), { recursive: true });
  await makeEtc(join(folder, "etc"), nameserver);
  const runnerMount = await placeRunner(runner, folder);
  await place(node, join(folder, NODE_PATH));

  const mounts: RootfsMount[] = [{ kind: "folder", source: "/usr", target: "/usr" }, ...runnerMount];
  if ((await lstat(prepared).catch(() => undefined))?.isDirectory() === true) {
    await mkdir(join(folder, PREPARED_FOLDER), { recursive: true });
    mounts.push({ kind: "folder", source: prepared, target: PREPARED_FOLDER });
  }
  for (const name of ["bin", "sbin", "lib", "lib32", "lib64", "libx32"]) {
    const path = join("/", name);
    const stats = await lstat(path).catch(() => undefined);
    if (stats?.isSymbolicLink()) await symlink(await readlink(path), join(folder, name));
    if (stats?.isDirectory()) {
      await mkdir(join(folder, name));
      mounts.push({ kind: "folder", source: path, target: path });
    }
  }
  for (const name of DEVICES) {
    await writeFile(join(folder, "dev", name), "");
    mounts.push({ kind: "device", source: `/dev/${name}`, target: `/dev/${name}` });
  }
  await symlink("/proc/self/fd", join(folder, "dev/fd"));
  for (const [index, name] of ["stdin", "stdout", "stderr"].entries()) {
    await symlink(`/proc/self/fd/${index}`, join(folder, "dev", name));
  }
  return { folder, mounts };
}
