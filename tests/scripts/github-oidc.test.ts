import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";
import { parse } from "yaml";

import { githubTokens } from "../support/github-tokens.ts";
import { temporaryFolder } from "../support/server.ts";

const SCRIPT = join(import.meta.dirname, "../../scripts/github-oidc.sh");
const SCRIPT_MS = 60_000;
const SERVER = "https://kubernetes.example.org:6443";
const CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n";

interface Ended {
  code: number | string | null | undefined;
  stdout: string;
  stderr: string;
}

async function run(words: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const { promise, resolve } = Promise.withResolvers<Ended>();
  const env = { PATH: process.env["PATH"], ...environment };
  execFile(SCRIPT, words, { env, timeout: SCRIPT_MS }, (error, stdout, stderr) => {
    resolve({ code: error === null ? 0 : error.code, stdout, stderr });
  });
  return await promise;
}

test("a kubeconfig has the cluster's address and authority, and asks for a token of that audience", async () => {
  await using folder = await temporaryFolder();
  const authority = join(folder.path, "authority.crt");
  await writeFile(authority, CERTIFICATE);
  const { stdout } = await run(["kubeconfig", SERVER, authority]);
  const cluster = { server: SERVER, "certificate-authority-data": Buffer.from(CERTIFICATE).toString("base64") };
  expect(parse(stdout)).toMatchObject({
    clusters: [{ name: "cluster", cluster }],
    users: [{ name: "workflow", user: { exec: { command: SCRIPT, args: ["token", SERVER] } } }],
  });
});

test.for([
  ["an address without encryption", "http://kubernetes.example.org", CERTIFICATE, "is not an address such as https://"],
  ["an address with more than that", `${SERVER}"\n`, CERTIFICATE, "is not an address such as https://"],
  ["no address", "", CERTIFICATE, "is not an address such as https://"],
  ["no certificate", SERVER, "", "has no certificate of an authority"],
] as const)("%s makes no kubeconfig", async ([, server, certificate, message]) => {
  await using folder = await temporaryFolder();
  const authority = join(folder.path, "authority.crt");
  await writeFile(authority, certificate);
  expect(await run(["kubeconfig", server, authority])).toEqual({
    code: 2,
    stdout: "",
    stderr: expect.stringContaining(message),
  });
});

test("a token is GitHub's, for the audience, and asked for anew before it is old", async () => {
  await using tokens = await githubTokens('{"count":12,"value":"eyJh.eyJi-_.c"}');
  const before = Date.now();
  const { stdout } = await run(["token", `${SERVER}/a?b&c`], tokens.environment);
  expect(tokens.audiences).toEqual([`${SERVER}/a?b&c`]);
  const credential = JSON.parse(stdout) as { status: { expirationTimestamp: string } };
  expect(credential).toEqual({
    apiVersion: "client.authentication.k8s.io/v1",
    kind: "ExecCredential",
    status: { token: "eyJh.eyJi-_.c", expirationTimestamp: expect.any(String) },
  });
  const seconds = (Date.parse(credential.status.expirationTimestamp) - before) / 1000;
  expect(seconds).toBeGreaterThan(110);
  expect(seconds).toBeLessThan(180);
});

test.for([
  ["no permission", {}, 2, "the job needs the permission id-token: write"],
  ["another job's secret", { ACTIONS_ID_TOKEN_REQUEST_TOKEN: "other" }, 22, "401"],
] as const)("with %s there is no token", async ([, changed, code, message]) => {
  await using tokens = await githubTokens('{"value":"eyJ"}');
  const environment = Object.keys(changed).length === 0 ? {} : { ...tokens.environment, ...changed };
  expect(await run(["token", SERVER], environment)).toEqual({
    code,
    stdout: "",
    stderr: expect.stringContaining(message),
  });
});

test.for(["", "{}", '{"value":""}', '{"value":"a\\"b"}'])("an answer such as %j is no token", async (answer) => {
  await using tokens = await githubTokens(answer);
  const { code, stderr } = await run(["token", SERVER], tokens.environment);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("GitHub's answer has no token") });
});
