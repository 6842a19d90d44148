import { test as base } from "vitest";

import { Client } from "./client.ts";
import { startServer, temporaryFolder } from "./server.ts";
import type { Server, Settings } from "./server.ts";

/**
 * The backend that the suite is run against, from the environment. Its cases say what every backend must do; what only
 * one has is tested under `tests/backends/`.
 */
export const BACKEND = process.env["CONTRACT_BACKEND"] ?? "local";

/** A server for one test; `await using` ends it and removes what it kept. */
export async function serve(settings: Settings = {}): Promise<AsyncDisposable & { server: Server; api: Client }> {
  const folder = await temporaryFolder();
  try {
    const server = await startServer({ BACKEND, ...settings, DATA_DIR: folder.path });
    return {
      server,
      api: new Client(server.url),
      async [Symbol.asyncDispose]() {
        try {
          await server.stop();
        } finally {
          await folder[Symbol.asyncDispose]();
        }
      },
    };
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
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
