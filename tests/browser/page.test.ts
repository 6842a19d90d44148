import { describe, expect } from "vitest";

import { WIDTHS } from "../support/playground-page.ts";
import { axeFindings, playgroundTest } from "../support/playground.ts";

const test = playgroundTest();

/** What a visit may load, in bytes as they travel. */
const MAX_SCRIPT_BYTES = 250_000;

test("a visit loads less than 250 kB of script, and what terminals need when the first one is opened", async ({
  open,
}) => {
  const playground = await open({ viewport: WIDTHS[0].viewport });
  await playground.page.locator(".tok-keyword").first().waitFor();
  const loaded = async (): Promise<number> => {
    const sizes = await playground.page.evaluate<number[]>(
      `performance.getEntriesByType("resource").filter(({ name }) => name.endsWith(".js")).map(({ encodedBodySize }) => encodedBodySize)`,
    );
    expect(sizes.length).toBeGreaterThan(1);
    return sizes.reduce((sum, size) => sum + size, 0);
  };
  const atFirst = await loaded();
  expect(atFirst).toBeGreaterThan(50_000);
  expect(atFirst).toBeLessThan(MAX_SCRIPT_BYTES - 50_000);
  await playground.runInTerminal();
  await playground.says("succeeded");
  const withTerminal = await loaded();
  expect(withTerminal).toBeGreaterThan(atFirst + 50_000);
  expect(withTerminal).toBeLessThan(MAX_SCRIPT_BYTES);
});

describe.for(WIDTHS)("on a $name", ({ viewport }) => {
  test.for(["light", "dark"] as const)("axe finds nothing in the %s page", async (colorScheme, { open }) => {
    const playground = await open({ viewport, colorScheme });
    const { page } = playground;
    await page.locator(".tok-keyword").first().waitFor();
    await expect.poll(() => axeFindings(page), { message: "at first" }).toEqual([]);
    await playground.runs("import sys\nprint('out')\nprint('err', file=sys.stderr)\nraise ValueError('x')", "failed");
    await page.getByRole("tab", { name: "Limits" }).click();
    await expect.poll(() => axeFindings(page), { message: "after a run" }).toEqual([]);
    await page.getByRole("button", { name: "Request" }).click();
    await page.getByRole("dialog").waitFor();
    await expect.poll(() => axeFindings(page), { message: "with a dialog" }).toEqual([]);
  });

  test("nothing is wider than the window", async ({ open }) => {
    const playground = await open({ viewport });
    await playground.runs(`print("x" * 3000)`);
    await expect.poll(() => playground.page.evaluate("document.documentElement.scrollWidth")).toBe(viewport.width);
  });
});

test("the theme follows the system until one is chosen, which is remembered", async ({ open }) => {
  const { page } = await open({ viewport: WIDTHS[0].viewport, colorScheme: "light" });
  const shown = (theme: string): Promise<void> =>
    page.locator(`html[data-theme="${theme}"]`).waitFor({ state: "attached" });
  await shown("light");
  await page.emulateMedia({ colorScheme: "dark" });
  await shown("dark");
  await page.getByRole("button", { name: "Use the light theme" }).click();
  await shown("light");
  await page.reload();
  await shown("light");
  await expect.poll(() => page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")).toBe(true);
});

test("everything can be reached and done by keyboard", async ({ open }) => {
  const { page } = await open({ viewport: WIDTHS[0].viewport });
  const focused = (): Promise<unknown> =>
    page.evaluate(
      `(({ activeElement: at }) => at.getAttribute("aria-label") ?? at.innerText.trim().split("\\n")[0])(document)`,
    );
  const order: unknown[] = [];
  // The editor takes Tab for itself until Escape was pressed.
  for (let count = 0; count < 14; count += 1) {
    await page.keyboard.press("Escape");
    await page.keyboard.press("Tab");
    order.push(await focused());
  }
  const wanted = ["Run", "Sample", "Share", "Request", "API", "main.py", "Add file", "Program, file main.py", "Input"];
  expect(order.filter((name) => wanted.some((one) => String(name).startsWith(one))).length).toBe(wanted.length);
  await page.getByRole("tab", { name: "Input" }).focus();
  await page.keyboard.press("ArrowRight");
  await expect.poll(() => focused()).toBe("Arguments");
  await expect.poll(() => page.getByLabel("Arguments, one a line").isVisible()).toBe(true);
});
