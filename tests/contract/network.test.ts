import { describe, expect } from "vitest";

import { BACKEND, contractTest } from "../support/contract.ts";
import { expectRefusal } from "../support/refusals.ts";

const closed = contractTest({ CPU_LIMIT: "1" });
const open = contractTest({ CPU_LIMIT: "1", ALLOW_NETWORK: "true" });

/** Says of each kind of socket whether a program gets one. */
const SOCKETS = `import socket
for family, kind in (2, 1), (2, 2), (10, 1), (2, 3), (16, 3), (17, 3), (38, 5):
    try: socket.socket(family, kind); print("yes", end=" ")
    except PermissionError: print("no", end=" ")`;

interface Described {
  components: { schemas: Record<string, { properties: { network: { const?: boolean; type?: string } } }> };
}

describe("where the operator has not allowed it", () => {
  closed("network: true is refused, and network: false is what no word of it is", async ({ api }) => {
    const request = { language: "python", code: SOCKETS };
    for (const path of ["/api/run", "/api/run/sync"]) {
      await expectRefusal(api, () => api.post(path, { ...request, network: true }), {
        status: 400,
        code: "invalid_request",
        field: "network",
        says: /ALLOW_NETWORK/,
      });
    }
    for (const more of [{}, { network: false }]) {
      expect(await api.run({ ...request, ...more })).toMatchObject({ stdout: "no no no no no no no " });
    }
  });

  closed.for([["true"], [1], [null], [["true"]], [{}]] as const)(
    "network: %j is refused",
    async ([network], { api }) => {
      await expectRefusal(api, () => api.post("/api/run", { language: "bash", code: ":", network }), {
        status: 400,
        code: "invalid_request",
        field: "network",
        says: /true or false is wanted/,
      });
    },
  );

  closed("the description says so", async ({ api }) => {
    const { components } = (await (await api.fetch("GET", "/openapi.json")).json()) as Described;
    expect(components.schemas["RunRequest"]?.properties.network.const).toBe(false);
    expect(components.schemas["SyncRunRequest"]?.properties.network.const).toBe(false);
  });
});

/** On one machine it takes a root who may make what a network is made of. */
describe.runIf(BACKEND === "kubernetes" || process.getuid?.() === 0)("where the operator has allowed it", () => {
  open("a program has sockets of the Internet if its request says so", async ({ api }) => {
    const request = { language: "python", code: SOCKETS };
    expect((await api.run({ ...request, network: true })).stdout).toBe("yes yes yes no yes no no ");
    expect((await api.run(request)).stdout).toBe("no no no no no no no ");
  });

  open("it is part of what an idempotency key stands for", async ({ api }) => {
    const options = { headers: { "idempotency-key": "network" } };
    await api.run({ language: "bash", code: "echo", network: true }, options);
    const { error } = await api.refused(api.post("/api/run/sync", { language: "bash", code: "echo" }, options));
    expect(error.code).toBe("idempotency_conflict");
  });

  open("the server itself is not reached", async ({ api }) => {
    const { port } = new URL(api.url);
    const code = `exec 3<>/dev/tcp/127.0.0.1/${port} && echo ESCAPED`;
    expect(await api.run({ language: "bash", code, network: true })).toMatchObject({ status: "failed", stdout: "" });
  });

  open("the description takes both", async ({ api }) => {
    const { components } = (await (await api.fetch("GET", "/openapi.json")).json()) as Described;
    expect(components.schemas["RunRequest"]?.properties.network).toMatchObject({ type: "boolean" });
    expect(components.schemas["RunRequest"]?.properties.network).not.toHaveProperty("const");
  });
});
