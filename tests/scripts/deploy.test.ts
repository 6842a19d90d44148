import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "vitest";

import { temporaryFolder } from "../support/server.ts";

const SCRIPT = join(import.meta.dirname, "../../scripts/deploy.sh");
const SCRIPT_MS = 30_000;
const DIGEST = `sha256:${"a".repeat(64)}`;

/** How deploy.sh ends when it is given this list of images, and no cluster. */
async function deploy(images: string): Promise<{ code: number | string | null | undefined; stderr: string }> {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "images.txt");
  await writeFile(path, images);
  const { promise, resolve } = Promise.withResolvers<Awaited<ReturnType<typeof deploy>>>();
  const env = { PATH: process.env["PATH"], HOME: folder.path, KUBECONFIG: "/dev/null" };
  execFile(SCRIPT, ["--images", path], { env, timeout: SCRIPT_MS }, (error, _stdout, stderr) => {
    resolve({ code: error === null ? 0 : error.code, stderr });
  });
  return await promise;
}

test.for([
  ["no image", "", "names no image"],
  ["an image without a digest", "registry.example/sandbox/api:latest\n", "not an image with a digest"],
  ["an image without a tag", `registry.example/sandbox/api ${DIGEST}\n`, "not an image with a digest"],
  ["part of a digest", `registry.example/sandbox/api:latest ${DIGEST.slice(0, 20)}\n`, "not an image with a digest"],
  ["something for helm", `a,replicas=9:latest ${DIGEST}\n`, "not an image with a digest"],
  ["more than a digest", `registry.example/sandbox/api:latest ${DIGEST} latest\n`, "not an image with a digest"],
] as const)("what names %s is not deployed", async ([, images, message]) => {
  const { code, stderr } = await deploy(images);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) });
});
