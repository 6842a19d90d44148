import { expect } from "vitest";

import { contractTest, serve } from "../support/contract.ts";

const test = contractTest();

/** The page's text, and the addresses that it loads. */
async function pageOf(response: Response): Promise<{ text: string; assets: string[] }> {
  const text = await response.text();
  return { text, assets: [...text.matchAll(/\b(?:src|href)="([^"]+)"/g)].map(([, address = ""]) => address) };
}

test("/ is a page whose scripts and styles bear a nonce of this answer alone", async ({ api }) => {
  const nonces = new Set<string>();
  for (let count = 0; count < 2; count += 1) {
    const response = await api.fetch("GET", "/");
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("referrer-policy")).toBe("no-referrer");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    const policy = response.headers.get("content-security-policy") ?? "";
    const nonce = /script-src 'nonce-([\w-]{24})'/.exec(policy)?.[1] ?? "";
    nonces.add(nonce);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`style-src 'nonce-${nonce}'`);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("require-trusted-types-for 'script'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    const { text } = await pageOf(response);
    for (const [tag] of text.matchAll(/<(?:script|style|link rel="stylesheet")[^>]*>/g))
      expect(tag).toContain(`nonce="${nonce}"`);
    expect(text).not.toMatch(/<script[^>]*>[^<]|<style|\son\w+=|\sstyle=/);
  }
  expect(nonces.size).toBe(2);
});

test("what the page loads lies on this server, compressed where that is understood, and is cached for ever", async ({
  api,
}) => {
  const { assets } = await pageOf(await api.fetch("GET", "/"));
  expect(assets.length).toBeGreaterThan(2);
  for (const address of assets) {
    if (address === "/docs") continue;
    expect(address).toMatch(/^\/assets\/[\w-]+-[\w-]{8}\.(?:js|css|svg)$/);
    const plain = await api.fetch("GET", address, { headers: { "accept-encoding": "identity" } });
    expect(plain.status).toBe(200);
    expect(plain.headers.get("content-encoding")).toBeNull();
    const packed = await api.fetch("GET", address, { headers: { "accept-encoding": "gzip, br" } });
    expect(packed.headers.get("content-encoding")).toBe("gzip");
    expect(packed.headers.get("vary")).toBe("accept-encoding");
    expect(packed.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(packed.headers.get("x-content-type-options")).toBe("nosniff");
    expect(await packed.text()).toBe(await plain.text());
  }
});

test.for(["/assets/nothing.js", "/assets/..%2findex.html", "/assets/index.html", "/assets/", "/assets/__proto__"])(
  "%s is not there",
  async (path, { api }) => {
    const { status, error } = await api.refused(api.fetch("GET", path));
    expect(status).toBe(404);
    expect(error.code).toBe("not_found");
  },
);

test("other methods are refused", async ({ api }) => {
  expect((await api.refused(api.fetch("POST", "/"))).status).toBe(405);
  expect((await api.refused(api.fetch("DELETE", "/assets/index.js"))).status).toBe(405);
});

test("FRAME_ANCESTORS names the pages that may show it in a frame", async () => {
  await using served = await serve({ FRAME_ANCESTORS: "self, https://*.example.org" });
  const response = await served.api.fetch("GET", "/");
  await response.body?.cancel();
  expect(response.headers.get("content-security-policy")).toContain("frame-ancestors 'self' https://*.example.org;");
});
