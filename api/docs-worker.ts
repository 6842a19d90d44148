import { parentPort } from "node:worker_threads";
import { gzipSync } from "node:zlib";

import apiReference from "@scalar/fastify-api-reference";
import Fastify from "fastify";

import type { DocsBundle } from "./docs-bundle.ts";
import { NONCE_PLACEHOLDER, SCRIPT_PATH } from "./docs-bundle.ts";

/** Renders the reference's page and takes its script, as its plugin serves them. */
async function bundle(): Promise<DocsBundle> {
  await using app = Fastify();
  await app.register(apiReference, {
    routePrefix: "/docs",
    configuration: {
      cdn: SCRIPT_PATH,
      nonce: NONCE_PLACEHOLDER,
      pageTitle: "Sandbox API",
      telemetry: false,
      url: "/openapi.json",
      withDefaultFonts: false,
    },
  });
  const page = await app.inject("/docs/");
  const script = await app.inject("/docs/js/scalar.js");
  if (page.statusCode !== 200 || script.statusCode !== 200) throw new Error("the reference could not be rendered");
  return { page: page.body, script: gzipSync(script.rawPayload) };
}

// A thread has no origin, which the rule takes every postMessage to have.
// oxlint-disable-next-line unicorn/require-post-message-target-origin
parentPort?.postMessage(await bundle());
