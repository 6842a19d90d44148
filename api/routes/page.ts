import { randomBytes } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { extname, join } from "node:path";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";

import { z } from "zod";

import { ServiceError } from "../../core/errors.ts";
import type { ApiContext, App } from "../context.ts";
import { NONCE_PLACEHOLDER, pagePolicy } from "../page-policy.ts";
import { HANDLER_TIMEOUT_MS } from "../timeouts.ts";

/** What `scripts/setup`, or the image's build, makes of `web/`. */
const FOLDER = join(import.meta.dirname, "../../build/web");

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

interface Asset {
  type: string;
  /** Compressed by gzip. */
  bytes: Buffer;
}

/** All that the page loads, by name: half a megabyte, and nothing else can be asked for. */
function readAssets(): ReadonlyMap<string, Asset> {
  const folder = join(FOLDER, "assets");
  const names = readdirSync(folder).filter((name) => name.endsWith(".gz"));
  return new Map(
    names.map((file) => {
      const name = file.slice(0, -".gz".length);
      const type = TYPES[extname(name)];
      if (type === undefined) throw new Error(`${file} is of no type that the page loads`);
      return [name, { type, bytes: readFileSync(join(folder, file)) }];
    }),
  );
}

/** `GET /`, the playground, and `/assets/`, what it loads: names that change with their contents, so cached for ever. */
export function pageRoutes(app: App, { settings }: ApiContext): void {
  const options = { handlerTimeout: HANDLER_TIMEOUT_MS };
  const page = readFileSync(join(FOLDER, "index.html"), "utf8");
  const assets = readAssets();

  app.get("/", { ...options, schema: { hide: true } }, async (_request, reply) => {
    const nonce = randomBytes(18).toString("base64url");
    return reply
      .type("text/html; charset=utf-8")
      .header("content-security-policy", pagePolicy(nonce, settings.frameAncestors))
      .send(page.replaceAll(NONCE_PLACEHOLDER, nonce));
  });

  const schema = { hide: true, params: z.strictObject({ name: z.string() }) };
  app.get("/assets/:name", { ...options, schema }, async (request, reply) => {
    const asset = assets.get(request.params.name);
    if (asset === undefined) throw new ServiceError("not_found", "there is nothing at this path");
    reply
      .type(asset.type)
      .header("cache-control", "public, max-age=31536000, immutable")
      .header("vary", "accept-encoding");
    const accepted = request.headers["accept-encoding"] ?? "";
    if (/\bgzip\b/.test(accepted)) return reply.header("content-encoding", "gzip").send(asset.bytes);
    return reply.send(Readable.from([asset.bytes]).pipe(createGunzip()));
  });
}
