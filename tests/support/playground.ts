import AxeBuilder from "axe-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { expect, test as base, vi } from "vitest";

import { openPage, startBrowser } from "./browser.ts";
import { serve } from "./contract.ts";
import { Playground } from "./playground-page.ts";
import type { Settings } from "./server.ts";

/** A test takes many steps, and starts servers and a browser. */
const TEST_MS = 240_000;

vi.setConfig({ testTimeout: TEST_MS });

/** Tests of the playground of one server with these settings; `open` waits for the languages unless a key is asked for first. */
export function playgroundTest(settings: Settings = {}, { waitsForLanguages = true } = {}) {
  return base
    .extend("server", { scope: "file" }, async ({}, { onCleanup }) => {
      const served = await serve(settings);
      onCleanup(() => served[Symbol.asyncDispose]());
      return served.server;
    })
    .extend("browser", { scope: "file" }, async ({}, { onCleanup }): Promise<Browser> => {
      const browser = await startBrowser();
      onCleanup(() => browser.close());
      return browser;
    })
    .extend("open", ({ server, browser }, { onCleanup }) => {
      const stack = new AsyncDisposableStack();
      onCleanup(() => stack.disposeAsync());
      return async (options: BrowserContextOptions, path = "/"): Promise<Playground> => {
        const opened = await openPage(browser, server.url, options);
        stack.defer(async () => {
          await opened[Symbol.asyncDispose]();
          expect(opened.faults).toEqual([]);
        });
        const playground = new Playground(opened.page);
        if (waitsForLanguages) await playground.open(path);
        else await playground.page.goto(path);
        return playground;
      };
    });
}

/** What axe finds wrong with the page as it is, one line each: the rule, and where. */
export async function axeFindings(page: Page): Promise<string[]> {
  // By the debugger's channel, since the page's policy lets no script in.
  await page.evaluate(AxeBuilder.source);
  const findings: unknown = await page.evaluate(
    `axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations.flatMap(({ id, help, nodes }) =>
      nodes.map(({ target, failureSummary }) => id + ": " + help + " at " + target.join(" ") + " " + failureSummary)))`,
  );
  return findings as string[];
}
