import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { defineConfig } from "vite";
import type { Plugin } from "vite";

import { NONCE_PLACEHOLDER } from "../api/page-policy.ts";

/** Writes each asset once more, compressed, so that the server never compresses. */
function compressed(): Plugin {
  let folder = "";
  return {
    name: "compressed",
    configResolved: ({ root, build }) => {
      folder = join(root, build.outDir, build.assetsDir);
    },
    writeBundle: () => {
      for (const name of readdirSync(folder)) {
        const path = join(folder, name);
        writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
      }
    },
  };
}

/** The playground; `scripts/setup` builds it into `build/web`, which the API serves. */
export default defineConfig({
  root: import.meta.dirname,
  build: {
    outDir: "../build/web",
    emptyOutDir: true,
    target: "es2023",
    // What is inlined as data: would need a wider policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  html: { cspNonce: NONCE_PLACEHOLDER },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [compressed()],
});
