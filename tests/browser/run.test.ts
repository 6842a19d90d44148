import { describe, expect } from "vitest";

import { eventually } from "../support/time.ts";
import { WIDTHS } from "../support/playground-page.ts";
import { playgroundTest } from "../support/playground.ts";

const test = playgroundTest();

describe.for(WIDTHS)("on a $name", ({ viewport }) => {
  test("a program is written and run, and its output and end are shown", async ({ open }) => {
    const playground = await open({ viewport });
    await playground.runs(
      "import sys\nprint(sys.stdin.read().upper())\nprint('beside', file=sys.stderr)\nsys.exit(3)",
      "failed",
    );
    await playground.says("exit code 3");
    await expect.poll(() => playground.output("Errors").innerText()).toBe("beside\n");
    await playground.page.getByLabel("What the program reads from stdin").fill("shout");
    await playground.page.keyboard.press("ControlOrMeta+Enter");
    await playground.output("Output").filter({ hasText: "SHOUT" }).waitFor();
  });

  test("output is shown as it comes, beside a clock, and Stop ends the run", async ({ open }) => {
    const playground = await open({ viewport });
    await playground.write("import time\nprint('first', flush=True)\ntime.sleep(50)\nprint('never')");
    await playground.run();
    await playground.output("Output").filter({ hasText: "first" }).waitFor();
    await playground.says("Running");
    const clock = playground.page.getByRole("timer");
    const before = await clock.innerText();
    await eventually(30_000, "the clock goes on", async () =>
      (await clock.innerText()) === before ? undefined : true,
    );
    await playground.page.getByRole("button", { name: "Stop" }).click();
    await playground.says("cancelled");
    await expect.poll(() => playground.output("Output").innerText()).toBe("first\n");
  });
});
