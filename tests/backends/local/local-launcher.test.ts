import { once } from "node:events";
import { text } from "node:stream/consumers";

import { expect, test } from "vitest";

import { LaunchForm, NAME } from "../../../backends/local/local-launcher.ts";
import { openLauncher } from "../../support/launcher.ts";
import { within } from "../../support/time.ts";

const WAIT_MS = 20_000;

async function open(path?: string) {
  const { launcher, ...opened } = await openLauncher(path);
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
    ...opened,
  };
}

test("a process talks through its connection, and its end is told", async () => {
  await using launcher = await open();
  const { connection, ended } = await launcher.launch(["/bin/sh", "-c", "read line; echo got $line"]);
  connection.write("this\n");
  expect(await text(connection)).toBe("got this\n");
  await within(WAIT_MS, "the end", ended);
});

test("a process that is killed ends", async () => {
  await using launcher = await open();
  const sleeping = await launcher.launch(["/bin/sleep", "1000"]);
  sleeping.kill();
  await within(WAIT_MS, "the end", sleeping.ended);
  expect(await text(sleeping.connection)).toBe("");
});

test("what keeps a process from its start is said on its connection, however soon it ends", async () => {
  await using launcher = await open();
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

const NAMESPACE = ["/usr/bin/readlink", "/proc/self/ns/net"];

test.runIf(process.getuid?.() === 0)("sandboxes take turns in a network namespace, and never share one", async () => {
  await using launcher = await open();
  const namespace = async (): Promise<string> => {
    const { connection, ended } = await launcher.launch(NAMESPACE);
    const said = await text(connection);
    await within(WAIT_MS, "the end", ended);
    return said;
  };
  const first = await namespace();
  expect(first).toMatch(/^net:\[\d+\]\n$/);
  expect(await namespace()).toBe(first);
  const together = await Promise.all([
    launcher.launch(["/bin/sh", "-c", `${NAMESPACE.join(" ")}; read line`]),
    launcher.launch(["/bin/sh", "-c", `${NAMESPACE.join(" ")}; read line`]),
  ]);
  const [one, other] = await Promise.all(
    together.map(async ({ connection }) => String((await once(connection.resume(), "data"))[0])),
  );
  expect(one).not.toBe(other);
  for (const launched of together) {
    launched.kill();
    await within(WAIT_MS, "the end", launched.ended);
  }
});

/** Leaves a socket with a name in a message that nobody has read, behind more bytes than are read ahead of whoever wants them. */
const LEAVE_SOCKET = `
import array, socket
left = socket.socket(socket.AF_UNIX)
left.bind("\\0left")
left.listen()
connection = socket.socket(fileno=1)
connection.sendall(b"x" * 150000)
connection.sendmsg([b"y"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [left.fileno()]))])
`;

test("a network namespace in which a socket is left serves nobody else", async () => {
  await using launcher = await open();
  const leaving = await launcher.launch(["/usr/bin/python3", "-c", LEAVE_SOCKET]);
  await within(WAIT_MS, "the end", leaving.ended);
  const { connection } = await launcher.launch(["/bin/cat", "/proc/net/unix"]);
  const sockets = await text(connection);
  leaving.connection.destroy();
  expect(sockets).toMatch(/^Num .*\n$/);
});
