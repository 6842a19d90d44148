import { expect } from "vitest";

import { WIDTHS } from "../support/playground-page.ts";
import { axeFindings, playgroundTest } from "../support/playground.ts";

const KEY = "0123456789abcdef0123456789abcdef";
const test = playgroundTest({ API_KEYS: `ada:${KEY}` }, { waitsForLanguages: false });

test.for(WIDTHS)("a key is asked for, and kept in this tab alone, on a $name", async ({ viewport }, { open }) => {
  const playground = await open({ viewport });
  const { page } = playground;
  const dialog = page.getByRole("dialog", { name: "This server wants a key" });
  await dialog.getByText("a key is wanted").waitFor();
  await expect.poll(() => axeFindings(page)).toEqual([]);
  await dialog.getByLabel("Key", { exact: true }).fill("fedcba9876543210fedcba9876543210");
  await page.keyboard.press("Enter");
  await dialog.getByText("the key is not known").waitFor();
  await dialog.getByLabel("Key", { exact: true }).fill(KEY);
  await page.keyboard.press("Enter");
  await playground.languagesKnown();
  await playground.runs("print('with a key')");
  await playground.write("print(input('a name? ')[::-1])");
  await playground.runInTerminal();
  await playground.prints("a name?");
  await playground.type("leda");
  await playground.prints("adel");
  await playground.says("succeeded");

  await expect.poll(() => page.evaluate("Object.values(sessionStorage)")).toEqual([KEY]);
  await expect.poll(() => page.evaluate("JSON.stringify(localStorage) + document.cookie")).not.toContain(KEY);
  await page.getByRole("button", { name: "Request" }).click();
  const snippet = await page.getByLabel("Request in curl").inputValue();
  expect(snippet).toContain("$SANDBOX_API_KEY");
  expect(snippet).not.toContain(KEY);
  await page.keyboard.press("Escape");

  await page.reload();
  await playground.languagesKnown();
  await expect.poll(() => dialog.count()).toBe(0);
  const other = await open({ viewport });
  await other.page.getByRole("dialog", { name: "This server wants a key" }).waitFor();
});

test("without a key the page says what it lacks, and asks again", async ({ open }) => {
  const playground = await open({ viewport: WIDTHS[0].viewport });
  const { page } = playground;
  const dialog = page.getByRole("dialog", { name: "This server wants a key" });
  await dialog.waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("alert").filter({ hasText: "a key is wanted" }).waitFor();
  await playground.run();
  await dialog.waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();
  await playground.says("not run");
  await playground.runInTerminal();
  await dialog.getByText("a key is wanted").waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();
  await playground.says("not run");
  await page.getByRole("button", { name: "Try again" }).click();
  await dialog.getByLabel("Key", { exact: true }).fill(KEY);
  await page.keyboard.press("Enter");
  await playground.languagesKnown();
  await expect.poll(() => page.getByRole("alert").count()).toBe(0);
});
