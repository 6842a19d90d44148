import { test as base } from "vitest";

import { chartAccount } from "./account.ts";
import { Client } from "./client.ts";
import { clusterSettings, temporaryNamespace } from "./cluster.ts";
import type { Namespace } from "./cluster.ts";
import { startServer, temporaryFolder } from "./server.ts";
import type { Server, Settings } from "./server.ts";

/**
 * The backend that the suite is run against, from the environment. Its cases say what every backend must do; what only
 * one has is tested under `tests/backends/`.
 */
export const BACKEND = process.env["CONTRACT_BACKEND"] ?? "local";

/** How many runs are a crowd: on a cluster each is a Pod, which takes a second where one follows the other. */
export const CROWD = BACKEND === "kubernetes" ? 25 : 100;

/** Where a server executes its runs: on a cluster in a namespace of its own. */
interface Place {
  settings: Settings;
  namespace?: Namespace;
}

/** On a cluster the suite has the rights that the chart gives to the servers, and no others. */
async function clusterPlace(stack: AsyncDisposableStack): Promise<Place> {
  const namespace = stack.use(await temporaryNamespace());
  const { kubeconfig } = stack.use(await chartAccount(namespace));
  return { settings: { ...clusterSettings(namespace), KUBECONFIG: kubeconfig }, namespace };
}

/** What a server of the backend needs besides its settings, gone with `await using`. */
async function surroundings(): Promise<AsyncDisposable & Place & { dataDir: string }> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder());
  const place = BACKEND === "kubernetes" ? await clusterPlace(stack) : { settings: { BACKEND } };
  const owned = stack.move();
  return { ...place, dataDir: folder.path, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

export interface Served extends AsyncDisposable {
  server: Server;
  api: Client;
  /** Where its runs are Jobs. */
  namespace: Namespace | undefined;
}

/** A server for one test; `await using` ends it and removes what it kept. */
export async function serve(settings: Settings = {}): Promise<Served> {
  await using stack = new AsyncDisposableStack();
  const around = stack.use(await surroundings());
  const server = await startServer({ ...around.settings, ...settings, DATA_DIR: around.dataDir });
  stack.defer(async () => void (await server.stop()));
  const owned = stack.move();
  return {
    server,
    api: new Client(server.url),
    namespace: around.namespace,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A `test` whose `api` is a client of one server with these settings, shared by the file. */
export function contractTest(settings: Settings = {}) {
  return base
    .extend("server", { scope: "file" }, async ({}, { onCleanup }) => {
      const served = await serve(settings);
      onCleanup(() => served[Symbol.asyncDispose]());
      return served.server;
    })
    .extend("api", { scope: "file" }, ({ server }) => new Client(server.url));
}
