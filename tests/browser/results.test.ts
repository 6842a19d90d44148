import { describe, expect } from "vitest";

import { WIDTHS } from "../support/playground-page.ts";
import type { Playground } from "../support/playground-page.ts";
import { axeFindings, playgroundTest } from "../support/playground.ts";

const test = playgroundTest();

async function addTest({ page }: Playground, number: number, stdin: string, expected: string): Promise<void> {
  await page.getByRole("button", { name: "Add test" }).click();
  await page.getByLabel(`Test ${number}: input`).fill(stdin);
  await page.getByLabel(`Test ${number}: expected output`).fill(expected);
}

/** Writes a picture of 60 by 30 points without a library. */
const PICTURE = `import struct, zlib
def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
rows = b"".join(b"\\0" + b"\\x1f\\x6b\\x57" * 60 for _ in range(30))
with open("picture.png", "wb") as file:
    file.write(b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 60, 30, 8, 2, 0, 0, 0)))
    file.write(chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
with open("page.svg", "w") as file:
    file.write("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(2)</script></svg>")
with open("bytes.bin", "wb") as file:
    file.write(b"\\0\\1\\2")
`;

describe.for(WIDTHS)("on a $name", ({ viewport }) => {
  test("tests are a table, with expected against actual output as a diff", async ({ open }) => {
    const playground = await open({ viewport });
    const { page } = playground;
    await page.getByRole("tab", { name: "Tests" }).click();
    await addTest(playground, 1, "2", "4");
    await addTest(playground, 2, "3", "<b>8</b>\nsame");
    await playground.runs("number = int(input())\nprint(number ** 2)\nif number == 3: print('same')", "failed");
    await page.getByText("1 of 2 tests accepted").waitFor();
    const rows = page.getByRole("table").getByRole("row");
    await expect.poll(() => rows.nth(1).innerText()).toContain("accepted");
    await expect.poll(() => rows.nth(2).innerText()).toContain("wrong answer");
    const diff = page.getByRole("region", { name: "Expected against actual output" });
    await expect.poll(() => diff.locator("del").textContent()).toBe("- <b>8</b>\n");
    await expect.poll(() => diff.locator("ins").textContent()).toBe("+ 9\n");
    await expect.poll(() => diff.locator("span").textContent()).toBe("  same\n");
    await page.getByRole("button", { name: "Show test 1" }).click();
    await expect.poll(() => diff.locator("span").textContent()).toBe("  4\n");
    await expect.poll(() => axeFindings(page)).toEqual([]);
    await page.getByLabel("Test 2: expected output").fill("9\nsame");
    await playground.run();
    await playground.says("succeeded");
    await page.getByText("2 of 2 tests accepted").waitFor();
  });

  test("files that the program wrote are shown when they are images or text, and can be saved", async ({ open }) => {
    const playground = await open({ viewport });
    const { page } = playground;
    await page.getByRole("tab", { name: "Files out" }).click();
    await page.getByLabel(/^Files that come back/).fill("*.png\n*.svg\n*.bin");
    await playground.runs(PICTURE);
    const image = page.getByRole("img", { name: "picture.png" });
    await image.waitFor();
    const width = (): Promise<unknown> => page.evaluate("document.querySelector('main img').naturalWidth");
    await expect.poll(width, { timeout: 45_000 }).toBe(60);
    // An image that can hold scripts is shown as the text that it is.
    await expect
      .poll(() => page.getByRole("region", { name: "page.svg" }).textContent())
      .toContain("<script>alert(2)</script>");
    await expect.poll(() => axeFindings(page)).toEqual([]);
    const downloading = page.waitForEvent("download");
    await page.getByRole("link", { name: "Download bytes.bin" }).click();
    expect((await downloading).suggestedFilename()).toBe("bytes.bin");
  });
});
