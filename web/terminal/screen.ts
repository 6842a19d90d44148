import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";
import type { ITheme } from "@xterm/xterm";

import type { TerminalSize } from "../answers.ts";
import type { TerminalLine } from "../run/terminal-line.ts";
import { readsOut } from "./reads-out.ts";
import { boundSequences } from "./sequence-bounds.ts";
import { styleSpansByProperties, styledDocument } from "./styled-document.ts";

/** Lines that are kept of what has scrolled away. */
const SCROLLBACK_LINES = 2000;
/** The server's bound too; a terminal of fewer columns can't show a character of double width. */
const MAX_CELLS = 500;
const MIN_CELLS = 2;
/** Of text on its ground, whatever colours a program chooses: WCAG 2 AA. */
const CONTRAST = 4.5;

const LABEL = "Terminal: what is typed goes to the program. Shift and Tab leaves it.";

styleSpansByProperties();

function clamped(cells: number): number {
  return Number.isFinite(cells) ? Math.max(MIN_CELLS, Math.min(MAX_CELLS, cells)) : MIN_CELLS;
}

/** The style sheet's colours, by its custom properties. */
function themeOf(element: Element): ITheme {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    background: colour("field"),
    foreground: colour("text"),
    cursor: colour("accent"),
    cursorAccent: colour("field"),
    selectionBackground: colour("selection"),
  };
}

/**
 * One run's terminal. Whatever the program prints is drawn in it and does nothing else: it has no links, no clipboard, no
 * title and no window to steer, and a run gets a new one, in which nothing of the last is left.
 */
export class Screen {
  readonly #terminal: Terminal;
  readonly #fit = new FitAddon();
  readonly #parent: HTMLElement;
  readonly #resizes: ResizeObserver;
  #takesKeys = true;
  #isKeyDown = false;

  constructor(parent: HTMLElement, line: TerminalLine) {
    this.#parent = parent;
    const style = getComputedStyle(parent);
    this.#terminal = new Terminal({
      documentOverride: styledDocument(),
      fontFamily: style.fontFamily,
      fontSize: Number.parseFloat(style.fontSize),
      lineHeight: 1.2,
      theme: themeOf(parent),
      minimumContrastRatio: CONTRAST,
      scrollback: SCROLLBACK_LINES,
      screenReaderMode: readsOut.value,
    });
    this.#terminal.loadAddon(this.#fit);
    boundSequences(this.#terminal);
    this.#terminal.attachCustomKeyEventHandler((event) => this.#isForProgram(event));
    this.#terminal.open(parent);
    this.#terminal.textarea?.setAttribute("aria-label", LABEL);
    this.#terminal.textarea?.addEventListener("input", (event) => this.#insert(event));
    this.#refit();
    line.open(this.#size, (text, drawn) => this.#terminal.write(text, drawn));
    this.#terminal.onData((text) => line.type(text));
    this.#terminal.onResize(() => line.resize(this.#size));
    this.#resizes = new ResizeObserver(() => this.#refit());
    this.#resizes.observe(parent);
    this.#terminal.focus();
  }

  /** Takes the page's colours anew. */
  recolour(): void {
    this.#terminal.options.theme = themeOf(this.#parent);
  }

  /** Has what is printed read out by screen readers, or not. */
  readOut(wanted: boolean): void {
    this.#terminal.options.screenReaderMode = wanted;
  }

  /** The program is gone: keys are the page's again. */
  end(): void {
    this.#takesKeys = false;
    this.#terminal.options.disableStdin = true;
    this.#terminal.options.cursorInactiveStyle = "none";
    this.#terminal.blur();
  }

  close(): void {
    this.#resizes.disconnect();
    this.#terminal.dispose();
  }

  get #size(): TerminalSize {
    return { cols: this.#terminal.cols, rows: this.#terminal.rows };
  }

  #refit(): void {
    const fitting = this.#fit.proposeDimensions();
    if (fitting !== undefined) this.#terminal.resize(clamped(fitting.cols), clamped(fitting.rows));
  }

  /** All keys are the program's but those that leave the terminal, or run. */
  #isForProgram({ type, key, shiftKey, ctrlKey, metaKey }: KeyboardEvent): boolean {
    this.#isKeyDown = type !== "keyup";
    if (!this.#takesKeys) return false;
    return !(key === "Tab" && shiftKey) && !(key === "Enter" && (ctrlKey || metaKey));
  }

  /** Takes text that comes without a key, as from dictation: xterm.js leaves it out where screen readers are served. */
  #insert(event: Event): void {
    if (!(event instanceof InputEvent) || event.inputType !== "insertText" || this.#isKeyDown) return;
    if (event.data !== null && this.#terminal.options.screenReaderMode === true) this.#terminal.input(event.data);
  }
}
