import { readFileSync, readdirSync } from "node:fs";

import { describe, expect, test } from "vitest";

import { openListeners } from "../../hostile/listeners.ts";
import { programsOf, readProgram } from "../../hostile/program.ts";
import { Client } from "../../support/client.ts";
import { statFieldsOf } from "../../support/machine.ts";
import { onMachines } from "../../support/network/machines.ts";
import { CLOSED, MACHINE, OUTSIDE, PORT } from "../../support/network/places.ts";
import { startRefused, startServer, temporaryFolder } from "../../support/server.ts";
import type { Server } from "../../support/server.ts";
import { eventually } from "../../support/time.ts";

const isRoot = process.getuid?.() === 0;

/** Tries to connect to each address, also by the interface alone, and prints what becomes of it. */
const PROBE = `
import json, socket, sys, threading
found = {}
def probe(target):
    host, port, how = target.split(" ")
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if how == "udp" else socket.SOCK_STREAM)
    s.settimeout(2)
    try:
        if how == "bound": s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"tap0")
        s.connect((host, int(port)))
        if how == "udp": s.send(b"x")
        found[target] = s.recv(100).decode().strip() or "met"
    except OSError as error:
        found[target] = "closed"
    s.close()
threads = [threading.Thread(target=probe, args=[target]) for target in sys.argv[1:]]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(json.dumps(found))
`;

function probe(targets: string[], network = true): Record<string, unknown> {
  return { language: "python", code: PROBE, args: targets, network, limits: { wall_ms: 60_000 } };
}

describe.runIf(isRoot)("a program with a network", () => {
  const API = 8099;

  test("reaches another machine by TCP and UDP, and neither the one it is on nor what is private", async () => {
    const settings = { ALLOW_NETWORK: "true", HOST: "0.0.0.0", ALLOW_ANONYMOUS: "true", PORT: String(API) };
    const open = [`${OUTSIDE} ${PORT} tcp`, `${OUTSIDE} ${PORT} udp`, `any.name.example ${PORT} tcp`];
    const api = ["127.0.0.1", "0.0.0.0", MACHINE, "198.18.0.2", "198.18.0.3"].map((address) => `${address} ${API}`);
    const other = [...CLOSED, "198.18.0.2", "198.18.0.3"].map((address) => `${address} ${PORT}`);
    const closed = [...api, ...other].flatMap((place) => ["tcp", "bound"].map((how) => `${place} ${how}`));
    const { results, output } = await onMachines(settings, [
      probe(open),
      probe(closed),
      probe(open, false),
      {
        language: "bash",
        code: "cat /proc/net/dev | grep -c tap0; ip -o -4 addr 2>&1 | wc -l; kill -9 -1",
        network: true,
      },
      {
        language: "python",
        code: 'import socket\na = socket.socket(); a.bind(("127.0.0.1", 0)); a.listen(); b = socket.create_connection(a.getsockname()); print("own")',
        network: true,
      },
    ]);
    const outcome = (index: number): unknown => JSON.parse(results[index]?.stdout ?? "");
    expect(outcome(0), output).toEqual({
      [open[0]!]: `tcp at ${OUTSIDE}`,
      [open[1]!]: "udp",
      [open[2]!]: `tcp at ${OUTSIDE}`,
    });
    expect(outcome(1)).toEqual(Object.fromEntries(closed.map((target) => [target, "closed"])));
    expect(results[2]).toMatchObject({ stdout: "{}\n", stderr: expect.stringContaining("Permission denied") });
    expect(results[3]?.stdout).toMatch(/^1\n/);
    expect(results[4]?.stdout).toBe("own\n");
  });

  test("reaches what is private where the operator says so, and still not the machine", async () => {
    const settings = {
      ALLOW_NETWORK: "true",
      NETWORK_RANGES: `192.168.7.0/24,${MACHINE},127.0.0.0/8`,
      PORT: String(API),
    };
    const targets = [
      `192.168.7.7 ${PORT} tcp`,
      `10.7.7.7 ${PORT} tcp`,
      `127.0.0.1 ${API} tcp`,
      `${MACHINE} ${API} tcp`,
    ];
    const { results } = await onMachines(settings, [probe(targets)]);
    expect(JSON.parse(results[0]?.stdout ?? "")).toEqual({
      [targets[0]!]: "tcp at 192.168.7.7",
      [targets[1]!]: "closed",
      [targets[2]!]: "closed",
      [targets[3]!]: "closed",
    });
  });

  test("is not there where this machine can't have one: the start is refused", async () => {
    await using folder = await temporaryFolder();
    const without = ["unshare", "-m", "sh", "-c", 'mount --bind /dev/null /dev/net/tun && exec "$@"', "sh"];
    const { code, output } = await startRefused({ DATA_DIR: folder.path, ALLOW_NETWORK: "true" }, { through: without });
    expect(output).toMatch(/^ALLOW_NETWORK=true is not possible here: .*\n$/);
    expect(code).toBe(1);
  });
});

test.runIf(isRoot).for([
  ["10.0.0.0/8,fd00::/8", /^NETWORK_RANGES: fd00::\/8 is not of IPv4/],
  [Array.from({ length: 257 }, (_, n) => `10.${n % 256}.0.0/16`).join(","), /^NETWORK_RANGES has more than 256/],
] as const)("ranges that a sandbox can't have stop the start in one line", async ([NETWORK_RANGES, message]) => {
  await using folder = await temporaryFolder();
  const settings = { DATA_DIR: folder.path, ALLOW_NETWORK: "true", NETWORK_RANGES };
  const { code, output } = await startRefused(settings);
  expect(output.trim()).toMatch(message);
  expect(output.trim().split("\n")).toHaveLength(1);
  expect(code).toBe(1);
});

/** The relays of a server's sandboxes: the children of its child, the launcher. */
function relaysOf(server: Server): string[] {
  const children = (parent: string): string[] =>
    readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && statFieldsOf(pid)[1] === parent);
  return children(String(server.pid)).flatMap((launcher) => children(launcher).filter(isRelay));
}

function isRelay(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, "latin1") === "slirp4netns\n" && statFieldsOf(pid)[0] !== "Z";
  } catch {
    return false;
  }
}

test.runIf(isRoot)("a sandbox's relay ends with the sandbox, and with a server that is killed", async () => {
  await using folder = await temporaryFolder();
  const server = await startServer({ DATA_DIR: folder.path, ALLOW_NETWORK: "true" });
  const api = new Client(server.url);
  const gone = async (what: string): Promise<void> => {
    await eventually(20_000, what, () => relaysOf(server).length === 0 || undefined);
  };
  await gone("the end of the first try");
  const sleeper = { language: "bash", code: "sleep 60", limits: { wall_ms: 60_000 }, network: true };
  const first = await api.submit(sleeper);
  await api.started(first.id);
  expect(relaysOf(server)).toHaveLength(1);
  await api.cancel(first.id);
  await gone("the relay's end");
  const second = await api.submit(sleeper);
  await api.started(second.id);
  const [relay = ""] = relaysOf(server);
  expect(isRelay(relay)).toBe(true);
  expect(readdirSync(`/proc/${relay}/root`), "what it sees of the machine").toEqual(["etc", "run"]);
  expect(readdirSync(`/proc/${relay}/root/etc`)).toEqual(["resolv.conf"]);
  expect(readdirSync(`/proc/${relay}/root/run`)).toEqual([]);
  expect(readFileSync(`/proc/${relay}/status`, "latin1")).toMatch(/^CapEff:\t0{13}400$/m);
  await server.kill();
  await eventually(20_000, "the relay's end", () => !isRelay(relay) || undefined);
});

test.runIf(isRoot)("hostile programs that get a network reach nobody who listens on the machine", async () => {
  await using folder = await temporaryFolder();
  await using listeners = await openListeners(folder.path);
  await using server = await startServer({ DATA_DIR: folder.path, ALLOW_NETWORK: "true", CPU_LIMIT: "1" });
  const api = new Client(server.url);
  const targets = { ...listeners.targets, api: new URL(server.url).port };
  // The one left out looks a name up, which would be asked for outside of this machine.
  const programs = programsOf("network").filter((path) => path !== "network/names.ts");
  const attempts = programs
    .map((path) => readProgram(path, targets))
    .filter(({ language }) => ["bash", "python", "c", "nodejs"].includes(language));
  expect(attempts.length).toBeGreaterThan(5);
  for (const { path, request } of attempts) {
    const { status, reason } = await api.run({ ...request, network: true });
    expect(status, `${path}: ${reason}`).toMatch(/^(?:succeeded|failed|time_limit)$/);
  }
  expect(listeners.reached).toEqual([]);
});
