import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";

import { auditPackages } from "../../scripts/npm-audit.ts";
import type { Audit } from "../../scripts/npm-audit.ts";

const NAME = "sandbox-test-package";
const ADVISORY = {
  id: 1,
  url: "https://example.invalid/1",
  title: "a hole",
  severity: "high",
  vulnerable_versions: "<2.0.0",
};

/** The audit of a folder with one package, by a registry that answers each question with `status` and `body`. */
async function auditedBy(status: number, body: object): Promise<Audit> {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(request.method === "POST" ? status : 404, { "content-type": "application/json" });
    response.end(JSON.stringify(request.method === "POST" ? body : {}));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const folder = await mkdtemp(join(tmpdir(), "sandbox-audit-"));
  try {
    const root = { name: "root", version: "1.0.0", dependencies: { [NAME]: "1.0.0" } };
    await writeFile(join(folder, "package.json"), JSON.stringify(root));
    const packages = { "": root, [`node_modules/${NAME}`]: { version: "1.0.0" } };
    await writeFile(join(folder, "package-lock.json"), JSON.stringify({ lockfileVersion: 3, packages }));
    const registry = `http://127.0.0.1:${port}/`;
    return await auditPackages(folder, {
      ...process.env,
      npm_config_registry: registry,
      npm_config_cache: join(folder, "cache"),
    });
  } finally {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  }
}

test("packages without an advisory are clean", async () => {
  expect(await auditedBy(200, {})).toEqual({ vulnerable: [] });
});

test("a package with an advisory is named with its severity", async () => {
  expect(await auditedBy(200, { [NAME]: [ADVISORY] })).toEqual({
    vulnerable: [expect.stringMatching(/^sandbox-test-package .*: high$/)],
  });
});

test.for([405, 400, 500])("a registry that answers with %d is not taken for a clean one", async (status) => {
  expect(await auditedBy(status, {})).toEqual({ unknown: expect.stringContaining(String(status)) });
});
