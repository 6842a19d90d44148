import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Client } from "../support/client.ts";
import { BACKEND, serve } from "../support/contract.ts";
import type { Served } from "../support/contract.ts";
import { temporaryFolder } from "../support/server.ts";
import { eventually } from "../support/time.ts";
import { leftoverCheck } from "./leftovers.ts";
import type { LeftoverCheck } from "./leftovers.ts";
import { openListeners } from "./listeners.ts";
import type { Listeners } from "./listeners.ts";
import { PLACE } from "./place.ts";
import { languageOf, programsOf, readProgram, triesOf } from "./program.ts";
import type { Targets } from "./program.ts";
import { expectOutcome } from "./verdict.ts";
import type { Canaries } from "./verdict.ts";
import { VICTIM_SETTINGS, startVictim } from "./victim.ts";
import type { Victim } from "./victim.ts";

const KEYS = { attacker: randomBytes(16).toString("hex"), victim: randomBytes(16).toString("hex") };
const SETTINGS = {
  ...VICTIM_SETTINGS,
  API_KEYS: `attacker:${KEYS.attacker},victim:${KEYS.victim}`,
  CPU_LIMIT: "1",
  // Beside the other tenant's run; a cluster's nodes say for themselves how much they take. As many interpreters wait after
  // a program as before it.
  ...(BACKEND === "local"
    ? { MAX_RUNNING: "3", WARM_MIN: "1", WARM_MAX: "1" }
    : { WARM_POOL: "python=2,nodejs=1,bash=1" }),
};

/** How long a busy machine may take to start a compiler. */
const COMPILER_MS = 60_000;

/** What a Node process may grow by from one garbage collection to a later one, and no leak of hundreds of runs stays below. */
const MEMORY_GROWTH_BYTES = 200 << 20;

/** What is the same for every program of a file of tests: the server, what it keeps secret, and who listens. */
interface Surroundings extends AsyncDisposable {
  served: Served;
  api: Client;
  listeners: Listeners;
  victim: Victim;
  canaries: Canaries;
  targets: Targets;
  nothingIsLeft: LeftoverCheck;
  startMemoryBytes: number;
}

function canary(): string {
  return `canary-${randomBytes(12).toString("hex")}`;
}

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) << 10;
}

/** A secret of the machine that everybody on it may read, for programs that see its files. */
async function plantFile(folder: string, secret: string): Promise<string> {
  await mkdir(join(folder, "machine"));
  const path = join(folder, "machine", "secret.txt");
  await writeFile(path, secret);
  await chmod(path, 0o644);
  return path;
}

/** Uses the languages whose compiler waits only once it was used, so that one is there at every look. */
async function useCompilers(api: Client): Promise<void> {
  if (BACKEND !== "local" || !(await api.languages()).some(({ name, available }) => name === "java" && available))
    return;
  const code = "class Main { public static void main(String[] arguments) { } }";
  expect(await api.run({ language: "java", code })).toMatchObject({ status: "succeeded" });
  await eventually(COMPILER_MS, "a compiler that waits", async () =>
    (await api.metrics()).sum("sandbox_ahead_waiting", { language: "java" }) === 1 ? true : undefined,
  );
}

async function surround(): Promise<Surroundings> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder());
  const [ofServer, ofMachine, ofVictim] = [canary(), canary(), canary()];
  const listeners = stack.use(await openListeners(folder.path));
  const file = await plantFile(folder.path, ofMachine);
  const served = stack.use(await serve({ ...SETTINGS, CANARY: ofServer, AWS_SECRET_ACCESS_KEY: ofServer }));
  const api = served.api.with({ authorization: `Bearer ${KEYS.attacker}` });
  const victimSocket = `victim-${randomBytes(6).toString("hex")}`;
  const victimsApi = served.api.with({ authorization: `Bearer ${KEYS.victim}` });
  const victim = stack.use(await startVictim(victimsApi, ofVictim, victimSocket));
  expect(await api.run({ language: "bash", code: "echo fine" })).toMatchObject({ stdout: "fine\n" });
  await api.languages();
  await useCompilers(api);
  const nothingIsLeft = await leftoverCheck(served, 1);
  const owned = stack.move();
  return {
    served,
    api,
    listeners,
    victim,
    canaries: [ofServer, ofMachine, ofVictim, KEYS.attacker, KEYS.victim, victim.id],
    targets: { ...listeners.targets, file, victim: victimSocket, api: new URL(api.url).port, test: `${process.pid}` },
    nothingIsLeft,
    startMemoryBytes: residentBytes(served.server.pid),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The service works as if nothing had happened. */
async function expectHealthy({ api, served, listeners, victim }: Surroundings): Promise<void> {
  expect((await served.api.fetch("GET", "/readyz")).status).toBe(200);
  expect(await api.run({ language: "bash", code: "echo $((6 * 7))" })).toMatchObject({
    status: "succeeded",
    stdout: "42\n",
  });
  await victim.isWell();
  expect(listeners.reached, "listeners outside of the sandbox").toEqual([]);
}

/** The tests of all programs of these families, on one server from first to last. */
export function testCorpus(families: readonly string[]): void {
  let around: Surroundings;
  let available: ReadonlySet<string>;
  const counts = new Map(families.map((family) => [family, 0]));

  beforeAll(async () => {
    around = await surround();
    available = new Set((await around.api.languages()).filter((one) => one.available).map(({ name }) => name));
  }, 240_000);
  afterAll(async () => {
    const rows = [...counts, ["all", [...counts.values()].reduce((sum, count) => sum + count, 0)] as const];
    console.table(Object.fromEntries(rows.map(([family, count]) => [family, { [PLACE]: count }])));
    await around[Symbol.asyncDispose]();
  });

  describe.for(families)("%s", (family) => {
    test.concurrent.for(programsOf(family).map((path) => [path, triesOf(path)] as const))("%s: %s", async ([path]) => {
      // Only images bring all languages.
      if (BACKEND === "local" && !available.has(languageOf(path))) return;
      const program = readProgram(path, around.targets);
      const { refused } = program.expected;
      if (refused === undefined) {
        expectOutcome(await around.api.run(program.request), program, around.canaries);
      } else {
        const { error } = await around.api.refused(around.api.post("/api/run/sync", program.request));
        expect(error.details?.field).toBe(refused);
      }
      // On a cluster once for each family: there it is a Job of its own.
      if (BACKEND === "local") await expectHealthy(around);
      counts.set(family, (counts.get(family) ?? 0) + 1);
    });

    test("leaves a service that works, and nothing else", async () => {
      await expectHealthy(around);
      await around.nothingIsLeft();
    });
  });

  test("the server has been the same from first to last, and has not grown", async () => {
    const { server } = around.served;
    const bytes = residentBytes(server.pid);
    expect(bytes - around.startMemoryBytes).toBeLessThan(MEMORY_GROWTH_BYTES);
    for (const secret of around.canaries) expect(server.output).not.toContain(secret);
    await around.api.metrics();
  });
}
