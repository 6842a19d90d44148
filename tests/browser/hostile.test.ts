import { deflateRawSync } from "node:zlib";

import { describe, expect } from "vitest";

import { within } from "../support/time.ts";
import { WIDTHS } from "../support/playground-page.ts";
import { playgroundTest } from "../support/playground.ts";

const test = playgroundTest();

/** Were any of it taken for markup, a dialog would open, which fails the test. */
const MARKUP = `<img src=x onerror=alert(1)><script>alert(2)</script><svg onload=alert(3)>"><iframe srcdoc="<script>alert(4)</script>">`;
/** Longer than the page may keep an answer waiting while it is flooded, on a busy machine. */
const ANSWER_MS = 20_000;

const MADE = "main img, main script, main svg, main iframe, dialog img, .notice img, .cm-tooltip img";

function linkTo(saved: unknown): string {
  return `/#program=${deflateRawSync(JSON.stringify(saved)).toString("base64url")}`;
}

describe.for(WIDTHS)("on a $name", ({ viewport }) => {
  test("what a program prints is text", async ({ open }) => {
    const playground = await open({ viewport });
    const printed = JSON.stringify(MARKUP);
    const forged = JSON.stringify(`main.py:1:1: error: ${MARKUP}`);
    await playground.runs(
      `import sys\nprint(${printed})\nprint(${printed} + "\\n" + ${forged}, file=sys.stderr)\nsys.exit(1)`,
      "failed",
    );
    await expect.poll(() => playground.output("Output").textContent()).toBe(`${MARKUP}\n`);
    await expect.poll(() => playground.output("Errors").textContent()).toContain(MARKUP);
    await playground.page.locator(".cm-lintRange-error").hover();
    await expect
      .poll(() => playground.page.locator(".cm-tooltip .cm-diagnosticText").first().textContent())
      .toBe(MARKUP);
    await expect.poll(() => playground.page.locator(MADE).count()).toBe(0);
  });

  test("10 MB of output neither stop the page nor stay in it", async ({ open }) => {
    const playground = await open({ viewport });
    const { page } = playground;
    await page.getByRole("tab", { name: "Limits" }).click();
    await page.getByLabel("Output in KiB").fill("12288");
    await page.getByLabel("Time in ms", { exact: true }).fill("60000");
    await playground.write(
      `import sys\nline = "<b>" + "x" * 996 + "\\n"\nfor count in range(10_000):\n    sys.stdout.write(line)\nprint("the end")`,
    );
    await playground.run();
    const ended = playground.says("succeeded");
    let answers = 0;
    for (let over = false; !over; answers += 1) {
      await within(ANSWER_MS, "an answer of the page", page.evaluate("new Promise(requestAnimationFrame)"));
      over = await Promise.race([ended.then(() => true), page.waitForTimeout(50).then(() => false)]);
    }
    expect(answers).toBeGreaterThan(1);
    await playground.output("Output").filter({ hasText: "the end" }).waitFor();
    const kept = (await playground.output("Output").textContent()) ?? "";
    expect(kept.length).toBeLessThanOrEqual(400_000);
    expect(kept.length).toBeGreaterThan(200_000);
    await page.getByText(/the first 9\.\d MiB are not shown/).waitFor();
    await expect.poll(() => page.evaluate("document.querySelectorAll('*').length")).toBeLessThan(3000);
  });
});

const { viewport } = WIDTHS[0];

test("names, input and languages out of a link are text", async ({ open }) => {
  const files = [
    { name: MARKUP, content: MARKUP },
    { name: "__proto__", content: "" },
    { name: "../../etc/passwd", content: "" },
  ];
  const playground = await open(
    { viewport },
    linkTo({ language: MARKUP, files, stdin: MARKUP, args: [MARKUP], limits: { ["__proto__"]: 1, wall_ms: -5 } }),
  );
  const { page } = playground;
  await page.getByRole("tab", { name: MARKUP }).waitFor();
  await expect.poll(() => playground.editor.textContent()).toBe(MARKUP);
  await playground.run();
  await playground.says("not run");
  await expect.poll(() => playground.status.textContent()).toContain("<img src=x");
  await page.getByRole("button", { name: "Request" }).click();
  await expect.poll(() => page.getByLabel("Request in curl").inputValue()).toContain("<img src=x");
  await expect.poll(() => page.locator(MADE).count()).toBe(0);
});

test.for([
  ["is damaged", "/#program=AAAA"],
  ["is no base64", "/#program=%3Cscript%3E"],
  ["holds something else", linkTo({ __proto__: { language: "python" }, constructor: "x" })],
  ["is too large", `/#program=${"A".repeat(1_600_000)}`],
  ["grows beyond all bounds", `/#program=${deflateRawSync(" ".repeat(60_000_000)).toString("base64url")}`],
] as const)("a link that %s is refused in words, and the page works", async ([, path], { open }) => {
  const playground = await open({ viewport }, path);
  const notice = playground.page.getByRole("alert");
  await notice.filter({ hasText: /^[Tt]he (?:link holds no program|program in the link is too large)/ }).waitFor();
  await playground.runs("print('it works')");
});

test("the page can't be shown in a frame of another", async ({ open, server }) => {
  const { page } = await open({ viewport });
  await page.goto(`${server.url}/healthz`);
  // The answer of the API has a policy that allows no frame at all; a blank page has none.
  await page.goto("about:blank");
  await page.setContent(`<iframe src="${server.url}/" width="800" height="600"></iframe>`);
  await page.waitForLoadState("networkidle");
  const frame = page.frames().find((one) => one !== page.mainFrame());
  await expect.poll(() => frame?.locator("h1").count()).toBe(0);
});
