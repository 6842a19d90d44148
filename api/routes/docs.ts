import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";

import type { App } from "../context.ts";
import { NONCE_PLACEHOLDER, SCRIPT_PATH, loadDocsBundle } from "../docs-bundle.ts";
import type { DocsBundle } from "../docs-bundle.ts";
import { apiDescription } from "../openapi.ts";
import type { DescribedServer } from "../openapi.ts";
import { HANDLER_TIMEOUT_MS } from "../timeouts.ts";

function contentSecurityPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

/** `GET /openapi.json`, and the page that shows it at `/docs`. */
export function docsRoutes(app: App, server: DescribedServer): void {
  const options = { handlerTimeout: HANDLER_TIMEOUT_MS, schema: { hide: true } };
  let description: string | undefined;
  let bundle: Promise<DocsBundle> | undefined;

  async function loaded(): Promise<DocsBundle> {
    bundle ??= loadDocsBundle();
    try {
      return await bundle;
    } catch (error) {
      bundle = undefined;
      throw error;
    }
  }

  app.get("/openapi.json", options, async (_request, reply) => {
    description ??= apiDescription(app, server);
    return reply.type("application/json; charset=utf-8").send(description);
  });

  app.get("/docs", options, async (_request, reply) => {
    const { page } = await loaded();
    const nonce = randomBytes(18).toString("base64url");
    return reply
      .type("text/html; charset=utf-8")
      .header("content-security-policy", contentSecurityPolicy(nonce))
      .send(page.replaceAll(NONCE_PLACEHOLDER, nonce));
  });

  app.get(SCRIPT_PATH, options, async (request, reply) => {
    const { script } = await loaded();
    reply
      .type("text/javascript; charset=utf-8")
      .header("cache-control", "public, max-age=3600")
      .header("vary", "accept-encoding");
    const accepted = request.headers["accept-encoding"] ?? "";
    if (/\bgzip\b/.test(accepted)) return reply.header("content-encoding", "gzip").send(Buffer.from(script));
    return reply.send(Readable.from([Buffer.from(script)]).pipe(createGunzip()));
  });
}
