import AxeBuilder from "axe-core";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { expect, test as base } from "vitest";

import { openPage, startBrowser } from "./browser.ts";
import { serve } from "./contract.ts";
import type { Settings } from "./server.ts";

/** A desktop and a phone. */
export const WIDTHS = [
  { name: "desktop", viewport: { width: 1280, height: 800 } },
  { name: "phone", viewport: { width: 390, height: 844 } },
] as const;

/** The playground as a person uses it: by roles and names. */
export class Playground {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  get editor(): Locator {
    return this.page.locator(".cm-content");
  }

  get status(): Locator {
    return this.page.getByRole("region", { name: "Result" }).getByRole("status");
  }

  output(name: "Output" | "Errors" | "Compiler"): Locator {
    return this.page.locator(`pre[aria-label="${name}"]`);
  }

  /** Goes to the page and waits until it knows the languages. */
  async open(path = "/"): Promise<void> {
    await this.page.goto(path);
    await this.languagesKnown();
  }

  async languagesKnown(): Promise<void> {
    await this.page.getByRole("option", { name: /^python \d/ }).waitFor({ state: "attached" });
  }

  async choose(language: string): Promise<void> {
    await this.page.getByLabel("Language").selectOption(language);
  }

  /** Replaces the shown file's text by pasting: nothing is indented or completed. */
  async write(text: string): Promise<void> {
    await this.editor.click();
    await this.page.keyboard.press("ControlOrMeta+a");
    await this.page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(text)})`);
    await this.page.keyboard.press("ControlOrMeta+v");
  }

  async run(): Promise<void> {
    await this.page.getByRole("button", { name: /^Run/ }).click();
  }

  /** Waits until the status line says so. */
  async says(text: string | RegExp): Promise<void> {
    await this.status.filter({ hasText: text }).waitFor();
  }

  async runs(text: string, status: string | RegExp = "succeeded"): Promise<void> {
    await this.write(text);
    await this.run();
    await this.says(status);
  }
}

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
