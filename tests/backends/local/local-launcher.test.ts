import { join } from "node:path";
import { text } from "node:stream/consumers";

import { expect, test } from "vitest";

import { LaunchForm, LocalLauncher, NAME } from "../../../backends/local/local-launcher.ts";
import { makeRootfs } from "../../../backends/local/local-rootfs.ts";
import { temporaryFolder } from "../../support/server.ts";
import { within } from "../../support/time.ts";

const BUILD = join(import.meta.dirname, "../../../build");
const LAUNCHER = join(BUILD, "launcher");
const WAIT_MS = 20_000;

async function open(path: string) {
  const folder = await temporaryFolder();
  const sources = {
    runner: join(BUILD, "runner"),
    node: process.execPath,
    prepared: join(BUILD, "languages"),
  };
  const rootfs = await makeRootfs(join(folder.path, "rootfs"), sources, undefined);
  const launcher = await LocalLauncher.open(path, join(folder.path, "socket"), rootfs);
  return {
    launch: (command: string[], folders: string[] = []) => {
      const cgroup = folders.length === 0 ? undefined : { folders, writes: [], oomEvents: undefined };
      return within(
        WAIT_MS,
        "the start",
        launcher.launch({
          form: new LaunchForm({ cgroup, files: [], command }),
          name: "one",
          uid: undefined,
          network: undefined,
        }),
      );
    },
    async [Symbol.asyncDispose]() {
      await launcher[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

test("a process talks through its connection, and its end is told", async () => {
  await using launcher = await open(LAUNCHER);
  const { connection, ended } = await launcher.launch(["/bin/sh", "-c", "read line; echo got $line"]);
  connection.write("this\n");
  expect(await text(connection)).toBe("got this\n");
  await within(WAIT_MS, "the end", ended);
});

test("a process that is killed ends", async () => {
  await using launcher = await open(LAUNCHER);
  const sleeping = await launcher.launch(["/bin/sleep", "1000"]);
  sleeping.kill();
  await within(WAIT_MS, "the end", sleeping.ended);
  expect(await text(sleeping.connection)).toBe("");
});

test("what keeps a process from its start is said on its connection, however soon it ends", async () => {
  await using launcher = await open(LAUNCHER);
  const said = async (command: string, folders: string[] = []): Promise<string> =>
    await text((await launcher.launch([command], folders)).connection);
  const starts = Array.from({ length: 100 }, () => said("/nowhere/command"));
  for (const line of await Promise.all(starts)) {
    expect(line).toBe("launcher: /nowhere/command: No such file or directory\n");
  }
  expect(await said("/bin/true", [`/nowhere/${NAME}`])).toBe("launcher: /nowhere/one: No such file or directory\n");
});

test("a launcher that can't be started, or ends, is the reason why nothing starts", async () => {
  await using missing = await open("/nowhere/launcher");
  await expect(missing.launch(["/bin/true"])).rejects.toThrow(/the launcher failed: .*\/nowhere\/launcher/);
  await using ending = await open("/bin/false");
  await expect(ending.launch(["/bin/true"])).rejects.toThrow(/the launcher failed/);
});
