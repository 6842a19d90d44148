import type { Locator, Page } from "playwright-core";

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

  /** What the terminal shows. */
  get terminal(): Locator {
    return this.page.locator(".xterm-rows");
  }

  async runInTerminal(): Promise<void> {
    await this.page.getByRole("button", { name: "Terminal" }).click();
  }

  /** Waits until the terminal shows it. */
  async prints(text: string | RegExp): Promise<void> {
    await this.terminal.filter({ hasText: text }).waitFor();
  }

  /** Types where the focus is, which a terminal takes when it is opened. */
  async type(text: string): Promise<void> {
    await this.page.keyboard.type(text);
    await this.page.keyboard.press("Enter");
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
