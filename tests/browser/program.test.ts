import { describe, expect } from "vitest";

import { WIDTHS } from "../support/playground-page.ts";
import { playgroundTest } from "../support/playground.ts";

const test = playgroundTest();

describe.for(WIDTHS)("on a $name", ({ viewport }) => {
  test("a program that does not compile is marked at its line, until it is right", async ({ open }) => {
    const playground = await open({ viewport });
    const { page } = playground;
    await playground.choose("c");
    await playground.runs("#include <stdio.h>\n\nint main(void) {\n  puts(missing);\n}\n", "compile failed");
    const mark = page.locator(".cm-lintRange-error");
    await expect.poll(() => mark.innerText()).toBe("missing");
    await expect.poll(() => playground.output("Compiler").innerText()).toContain("main.c:4:8");
    await mark.hover();
    await expect.poll(() => page.locator(".cm-tooltip .cm-diagnosticText").first().innerText()).toContain("undeclared");
    await playground.runs('#include <stdio.h>\n\nint main(void) {\n  puts("right");\n}\n');
    await expect.poll(() => mark.count()).toBe(0);
    await expect.poll(() => playground.output("Output").innerText()).toBe("right\n");
  });

  test("files are added, renamed, shown and removed, and the first one is run", async ({ open }) => {
    const playground = await open({ viewport });
    const { page } = playground;
    await playground.write("import greeter\ngreeter.greet()\n");
    await page.getByRole("button", { name: "Add file" }).click();
    await page.getByLabel("New name of the file").fill("greeter.py");
    await page.keyboard.press("Enter");
    await playground.runs("def greet():\n    print('hello from a file')\n");
    await expect.poll(() => playground.output("Output").innerText()).toBe("hello from a file\n");
    // An exception is marked in the file where it was raised.
    await playground.runs("def greet():\n    return 1 / 0\n", "failed");
    await expect.poll(() => page.locator(".cm-lintRange-error").innerText()).toBe("return 1 / 0");
    await page.getByRole("tab", { name: "main.py" }).click();
    await expect.poll(() => playground.editor.innerText()).toContain("import greeter");
    await expect.poll(() => page.locator(".cm-lintRange-error").count()).toBe(0);
    await page.getByRole("tab", { name: "greeter.py" }).click();
    await page.getByRole("button", { name: "Remove" }).click();
    await expect.poll(() => page.getByRole("button", { name: "Remove" }).isDisabled()).toBe(true);
    await playground.run();
    await playground.says("failed");
    await expect.poll(() => playground.output("Errors").innerText()).toContain("No module named 'greeter'");
  });

  test("a link holds the program with all that it is run with", async ({ open }) => {
    const playground = await open({ viewport });
    const { page } = playground;
    await playground.choose("bash");
    await playground.write('echo "$1 and $(cat)"\n');
    await page.getByLabel("What the program reads from stdin").fill("from stdin ü");
    await page.getByRole("tab", { name: "Arguments" }).click();
    await page.getByLabel("Arguments, one a line").fill("an argument\nanother");
    await page.getByRole("tab", { name: "Limits" }).click();
    await page.getByLabel("Memory in MiB").fill("64");
    await page.getByRole("button", { name: "Share" }).click();
    const link = await page.getByLabel("Link", { exact: true }).inputValue();
    expect(page.url()).toBe(link);
    await page.getByRole("button", { name: "Copy" }).click();
    await page.getByText("Copied.").waitFor();
    await expect.poll(() => page.evaluate("navigator.clipboard.readText()")).toBe(link);

    const other = await open({ viewport }, link);
    await other.run();
    await other.says("succeeded");
    await expect.poll(() => other.output("Output").innerText()).toBe("an argument and from stdin ü\n");
    expect(await other.page.getByRole("meter", { name: "Memory" }).getAttribute("aria-valuetext")).toContain(
      "of 64.0 MiB",
    );
  });
});

const { viewport } = WIDTHS[0];

test("the bars show what was used of what the limits allowed", async ({ open }) => {
  const playground = await open({ viewport });
  await playground.page.getByRole("tab", { name: "Limits" }).click();
  await playground.page.getByLabel("Time in ms", { exact: true }).fill("700");
  await playground.runs("import time\ntime.sleep(40)", "time limit");
  await playground.says("over its limit of time");
  const bar = playground.page.getByRole("meter", { name: "Time" });
  await expect.poll(() => bar.getAttribute("aria-valuetext")).toMatch(/of 700 ms$/);
  expect(Number(await bar.getAttribute("aria-valuenow"))).toBeGreaterThan(95);
});

test("what was written in a language is there again when it is chosen again, and a sample when it is asked for", async ({
  open,
}) => {
  const playground = await open({ viewport });
  const { page, editor } = playground;
  await playground.write("my = 'own'");
  await playground.choose("rust");
  await page.getByRole("tab", { name: "main.rs" }).waitFor();
  await expect.poll(() => editor.innerText()).toContain("fn main()");
  await playground.choose("python");
  await page.getByRole("tab", { name: "main.py" }).waitFor();
  await expect.poll(() => editor.innerText()).toBe("my = 'own'");
  await page.getByRole("button", { name: "Sample" }).click();
  await editor.filter({ hasText: "prime" }).waitFor();
});

test("a language that is not available is shown with the reason, and can't be chosen", async ({ open }) => {
  const playground = await open({ viewport });
  const { page } = playground;
  await page.route("**/api/languages", async (route) => {
    const response = await route.fetch();
    const languages = (await response.json()) as { name: string }[];
    const changed = languages.map((one) =>
      one.name === "go" ? { ...one, version: null, available: false, reason: "go is not <b>installed</b>" } : one,
    );
    await route.fulfill({ response, json: changed });
  });
  await playground.open();
  const option = page.getByRole("option", { name: /^go/ });
  await expect.poll(() => option.textContent()).toBe("go: go is not <b>installed</b>");
  await expect.poll(() => option.isDisabled()).toBe(true);
});

test("the request is there to be copied", async ({ open }) => {
  const playground = await open({ viewport });
  const { page } = playground;
  await playground.write("print('copied')");
  await page.getByRole("button", { name: "Request" }).click();
  for (const [name, text] of [
    ["curl", "curl -sS"],
    ["Python", "urllib.request"],
    ["TypeScript", "await fetch("],
  ] as const) {
    await page.getByRole("tab", { name }).click();
    const shown = await page.getByLabel(`Request in ${name}`).inputValue();
    expect(shown).toContain(text);
    expect(shown).toContain("copied");
  }
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
});

test("the editor finds, indents, matches brackets and undoes", async ({ open }) => {
  const { page, editor } = await open({ viewport });
  await editor.click();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.press("Delete");
  await page.keyboard.type("def f(a):\nreturn (a");
  await expect.poll(() => editor.innerText()).toBe("def f(a):\n    return (a)");
  await page.keyboard.press("End");
  await page.locator(".cm-matchingBracket").first().waitFor();
  await page.keyboard.press("ControlOrMeta+f");
  await page.getByRole("textbox", { name: "Find" }).pressSequentially("return");
  await page.locator(".cm-searchMatch").first().waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("ControlOrMeta+z");
  await expect.poll(() => editor.innerText()).not.toContain("return (a)");
});
