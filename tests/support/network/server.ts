/**
 * A server on a machine of its own, and its client: reads settings and requests from the standard input, and prints the results
 * and what the server has printed.
 */
import { text } from "node:stream/consumers";

import { Client } from "../client.ts";
import type { RequestBody } from "../client.ts";
import { startRefused, startServer, temporaryFolder } from "../server.ts";
import type { Settings } from "../server.ts";

const { settings, requests } = JSON.parse(await text(process.stdin)) as {
  settings: Settings;
  requests: RequestBody[];
};

await using folder = await temporaryFolder();
const all = { ...settings, DATA_DIR: folder.path };
if (requests.length === 0) {
  process.stdout.write(JSON.stringify({ results: [], output: (await startRefused(all)).output }));
} else {
  await using server = await startServer(all);
  const api = new Client(server.url.replace("0.0.0.0", "127.0.0.1"));
  const results = await Promise.all(requests.map((request) => api.run(request)));
  process.stdout.write(JSON.stringify({ results, output: server.output }));
}
