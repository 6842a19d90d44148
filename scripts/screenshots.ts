import { mkdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";

import type { Browser } from "playwright-core";

import { openPage, startBrowser } from "../tests/support/browser.ts";
import { Playground, WIDTHS } from "../tests/support/playground-page.ts";
import { startServer, temporaryFolder } from "../tests/support/server.ts";
import { ROOT } from "./test-run.ts";

const FOLDER = join(ROOT, "docs");
/** Pictures that the README shows stay small enough for it. */
const MAX_BYTES = 150_000;

const [DESKTOP, PHONE] = WIDTHS;

const BROKEN = `#include <iostream>
#include <vector>

int main() {
  std::vector<int> numbers{3, 1, 2};
  for (int number : numbers) {
    total += number;
  }
  std::cout << total << '\\n';
}
`;

const ASKS = `name = input("Who is there? ")
print(f"\\x1b[1;32mHello {name}!\\x1b[0m")
guess = input("A number from 1 to 9? ")
print("Right!" if guess == "7" else "Not quite.")
input("Once more? ")
`;

interface Picture {
  name: string;
  viewport: { width: number; height: number };
  colorScheme: "light" | "dark";
  show: (playground: Playground) => Promise<void>;
}

const PICTURES: Picture[] = [
  {
    name: "playground-light",
    viewport: DESKTOP.viewport,
    colorScheme: "light",
    show: async (playground) => {
      await playground.run();
      await playground.says("succeeded");
    },
  },
  {
    name: "playground-dark",
    viewport: DESKTOP.viewport,
    colorScheme: "dark",
    show: async (playground) => {
      await playground.choose("cpp");
      await playground.runs(BROKEN, "compile failed");
      await playground.page.locator(".cm-lintRange-error").first().hover();
      await playground.page.locator(".cm-tooltip").first().waitFor();
    },
  },
  {
    name: "playground-terminal",
    viewport: DESKTOP.viewport,
    colorScheme: "light",
    show: async (playground) => {
      await playground.write(ASKS);
      await playground.runInTerminal();
      await playground.prints("Who is there?");
      await playground.type("Ada");
      await playground.prints("from 1 to 9?");
      await playground.type("7");
      await playground.prints("Once more?");
    },
  },
  {
    name: "playground-phone",
    viewport: PHONE.viewport,
    colorScheme: "light",
    show: async (playground) => {
      await playground.choose("bash");
      await playground.run();
      await playground.says("succeeded");
    },
  },
];

async function take(browser: Browser, url: string, { name, viewport, colorScheme, show }: Picture): Promise<void> {
  await using opened = await openPage(browser, url, { viewport, colorScheme });
  const playground = new Playground(opened.page);
  await playground.open();
  await show(playground);
  const path = join(FOLDER, `${name}.png`);
  await opened.page.screenshot({ path, fullPage: true, animations: "disabled" });
  const { size } = statSync(path);
  console.log(`${relative(ROOT, path)}: ${size} bytes`);
  if (size > MAX_BYTES) throw new Error(`${name}.png is larger than ${MAX_BYTES} bytes`);
}

/** Takes the pictures of the playground that the README shows: `scripts/setup --tests && node scripts/screenshots.ts`. */
async function main(): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  await using folder = await temporaryFolder();
  await using server = await startServer({ DATA_DIR: folder.path });
  await using browser = await startBrowser();
  for (const picture of PICTURES) await take(browser, server.url, picture);
}

await main();
