import { describe, expect } from "vitest";

import { within } from "../support/time.ts";
import { WIDTHS } from "../support/playground-page.ts";
import { axeFindings, playgroundTest } from "../support/playground.ts";

const test = playgroundTest();

/** Longer than the page may keep an answer waiting while it is flooded, on a busy machine. */
const ANSWER_MS = 20_000;
/** Longer than all of the flood takes on a busy machine. */
const FLOOD_MS = 150_000;

/** Asks for a name, and tells of the terminal's columns whenever they change. */
const ASKS = `import os, signal
def tell(*_):
    print(f"\\x1b[1m<{os.get_terminal_size().columns}>\\x1b[0m", flush=True)
signal.signal(signal.SIGWINCH, tell)
tell()
print("\\x1b[38;2;250;240;100mhard to read\\x1b[0m \\x1b[44;90mand this\\x1b[0m", flush=True)
name = input("Who is there? ")
print(f"Hello {name}, {input('How are you? ')}?")
`;

describe.for(WIDTHS)("on a $name", ({ viewport }) => {
  test("a prompt is answered in a terminal, which has the size that it is shown in", async ({ open }) => {
    const playground = await open({ viewport });
    const { page } = playground;
    const columns = async (): Promise<number[]> =>
      [...((await playground.terminal.textContent()) ?? "").matchAll(/<(\d+)>/g)].map(([, count]) => Number(count));
    await playground.write(ASKS);
    await playground.runInTerminal();
    await playground.prints("Who is there?");
    const [before = 0] = await columns();
    await expect.poll(() => axeFindings(page)).toEqual([]);
    await playground.type("Ada Ünal");
    await playground.prints("How are you?");
    await page.setViewportSize({ ...viewport, width: viewport.width - 80 });
    await expect.poll(async () => (await columns()).at(-1)).toBeLessThan(before);
    await playground.type("fine");
    await playground.says("succeeded");
    await playground.prints("Hello Ada Ünal, fine?");
    await expect.poll(() => axeFindings(page)).toEqual([]);
    await expect
      .poll(() => page.evaluate("document.documentElement.scrollWidth"))
      .toBeLessThanOrEqual(viewport.width - 80);
  });
});

const { viewport } = WIDTHS[0];

test("a Python prompt answers line by line, keys leave it and come back, and Stop ends it", async ({ open }) => {
  const playground = await open({ viewport, colorScheme: "dark" });
  const { page } = playground;
  await playground.write("import code, readline\ncode.interact('hello', local={})\n");
  await playground.runInTerminal();
  await playground.prints(">>>");
  await page.getByLabel("Read out by screen readers").check();
  await expect.poll(() => page.getByRole("listitem").allTextContents()).toContain("hello");
  await page.getByRole("textbox", { name: /^Terminal/ }).focus();
  await playground.type("print('\\t'.expandtabs(2) + str(6 * 7) + '!')");
  await playground.prints("42!");
  await playground.type("import time; print('sl' + 'eeps'); time.sleep(100)");
  await playground.prints("sleeps");
  await page.keyboard.press("Control+c");
  await playground.prints("KeyboardInterrupt");
  const focused = (): Promise<unknown> => page.evaluate("document.activeElement.getAttribute('aria-label')");
  await expect.poll(focused).toMatch(/^Terminal: /);
  await page.keyboard.press("Shift+Tab");
  await expect.poll(focused).not.toMatch(/^Terminal: /);
  await page.keyboard.press("Tab");
  await playground.type("print(7 * '=')");
  await playground.prints("=======");
  await expect.poll(() => axeFindings(page)).toEqual([]);
  await page.getByRole("button", { name: "Stop" }).click();
  await playground.says("cancelled");
  await playground.runs("print('without a terminal')");
  await expect.poll(() => playground.terminal.count()).toBe(0);
});

test("what can't be run in a terminal says why, and an error is marked at its line", async ({ open }) => {
  const playground = await open({ viewport });
  const { page } = playground;
  await playground.write("print('one')\nraise ValueError('two')\n");
  await playground.runInTerminal();
  await playground.says("failed");
  await expect.poll(() => page.locator(".cm-lintRange-error").innerText()).toBe("raise ValueError('two')");
  await page.getByRole("tab", { name: "Limits" }).click();
  await page.getByLabel("Memory in MiB").fill("9999999");
  await playground.runInTerminal();
  await playground.says("limits.memory_bytes");
  await playground.says("not run");
});

/** All that a terminal could be made to do besides drawing, and what costs it most, 5 MB of it. */
const FLOOD = String.raw`import sys
most = 2147483647
pieces = [
    "\x1b]0;owned\x07", "\x1b]2;owned\x1b\\", "\x1b]52;c;b3duZWQ=\x07", "\x1b]52;c;?\x07", "\x1b[21t", "\x1b[8;9;9t",
    "\x1b]8;;javascript:alert(1)\x07<img src=x onerror=alert(2)>\x1b]8;;\x07", "\x1b[6n\x1b[c\x1b[>c\x1bP+q544e\x1b\\",
    "\x1b]4;0;?\x07\x1b]10;?\x07", "\x1bPq#0;2;0;0;0~\x1b\\", "\x1b]1337;File=inline=1:AAAA\x07", "\x07",
    "\x1b[?1049h", "\x1b[?1049l", "\x1b[?1000;1003;1006;1004;2004h", "\x1b[3J\x1b#8", "a" + "\u0301\u200d" * 50,
    *(f"x\x1b[{most}{final}" for final in "@ABCDEFGHIJKLMPSTXZ" "\x60abde"), "\x1b[" + "1;" * 500 + "m",
]
flood = "".join(pieces)
for count in range(5_000_000 // len(flood.encode())):
    sys.stdout.write(flood)
sys.stdout.write("\x1b]0;" + "x" * 1_000_000 + "\x07" + "e" + "\u0301" * 500_000)
print("\x1bcthe end")
`;

test("a flood of escape sequences does nothing but draw, and the page goes on answering", async ({ open }) => {
  const playground = await open({ viewport });
  const { page } = playground;
  await page.getByRole("tab", { name: "Limits" }).click();
  await page.getByLabel("Output in KiB").fill("12288");
  await playground.write(FLOOD);
  const [title, clipboard] = [await page.title(), await page.evaluate("navigator.clipboard.readText()")];
  await playground.runInTerminal();
  const drawn = playground.status
    .filter({ hasText: "succeeded" })
    .waitFor({ timeout: FLOOD_MS })
    .then(() => playground.prints("the end"));
  let answers = 0;
  for (let over = false; !over; answers += 1) {
    await within(ANSWER_MS, "an answer of the page", page.evaluate("new Promise(requestAnimationFrame)"));
    over = await Promise.race([drawn.then(() => true), page.waitForTimeout(50).then(() => false)]);
  }
  expect(answers).toBeGreaterThan(1);
  expect(await page.title()).toBe(title);
  expect(await page.evaluate("navigator.clipboard.readText()")).toBe(clipboard);
  await expect.poll(() => page.locator(".terminal a, .terminal img").count()).toBe(0);
  await expect.poll(() => page.evaluate("document.querySelectorAll('*').length")).toBeLessThan(3000);
});
