import { existsSync } from "node:fs";

import { chromium } from "playwright-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";

/** What `scripts/setup --tests` looks for. */
const PROGRAMS = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium", "/usr/bin/google-chrome"];
/** How long one step in the page may take on a busy machine: it waits for runs that wait for each other. */
const STEP_MS = 45_000;
/** Starts a browser. Its own sandbox needs rights that containers do not have; it sees nothing but our page. */
export async function startBrowser(): Promise<Browser> {
  const executablePath = PROGRAMS.find((path) => existsSync(path));
  if (executablePath === undefined) throw new Error(`a browser is wanted: one of ${PROGRAMS.join(", ")}`);
  return await chromium.launch({ executablePath, args: ["--no-sandbox"], timeout: STEP_MS });
}

/** A page in a profile of its own, with what went wrong in it. */
export interface Opened extends AsyncDisposable {
  page: Page;
  /** Errors of scripts, refusals of the page's policy, and requests to any other server. */
  faults: string[];
}

export async function openPage(browser: Browser, baseURL: string, options: BrowserContextOptions): Promise<Opened> {
  const context = await browser.newContext({ baseURL, permissions: ["clipboard-read", "clipboard-write"], ...options });
  context.setDefaultTimeout(STEP_MS);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("dialog", (dialog) => {
    faults.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("console", (message) => {
    // A status of 4xx or 5xx is also reported here; tests that cause one look for what the page makes of it.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
      faults.push(message.text());
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${baseURL}/`) && !url.startsWith("blob:")) faults.push(`a request to ${url}`);
  });
  return { page, faults, [Symbol.asyncDispose]: () => context.close() };
}
