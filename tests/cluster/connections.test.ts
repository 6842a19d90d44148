import { subscribe, unsubscribe } from "node:diagnostics_channel";

import { expect, test } from "vitest";
import { z } from "zod";

import { KubernetesClient } from "../../backends/kubernetes/kubernetes-client.ts";

/** https://undici.nodejs.org/#/docs/api/DiagnosticsChannel?id=undiciclientconnected */
const CONNECTED = "undici:client:connected";
const CALLS = 10;

test("calls share connections as long as the credentials are the same", async () => {
  const client = KubernetesClient.load(process.env["KUBECONFIG"]);
  let connections = 0;
  const count = () => void (connections += 1);
  subscribe(CONNECTED, count);
  try {
    for (let call = 0; call < CALLS; call += 1) await client.call(z.unknown(), "GET", "/version");
  } finally {
    unsubscribe(CONNECTED, count);
  }
  expect(connections).toBeGreaterThan(0);
  expect(connections).toBeLessThan(CALLS / 2);
});
