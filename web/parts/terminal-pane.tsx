import { useEffect, useRef } from "preact/hooks";

import type { TerminalLine } from "../run/terminal-line.ts";
import type { Screen } from "../terminal/screen.ts";
import { chooseReadsOut, readsOut } from "../terminal/reads-out.ts";
import { theme } from "../theme.ts";

export interface TerminalPaneProps {
  line: TerminalLine;
  /** Whether the program runs, or will. */
  active: boolean;
}

/** The terminal of a run, which is loaded when the first one is wanted. */
export function TerminalPane({ line, active }: TerminalPaneProps) {
  const parent = useRef<HTMLDivElement>(null);
  const screen = useRef<Screen>(undefined);
  const isActive = useRef(active);
  isActive.current = active;

  useEffect(() => {
    let left = false;
    async function open(): Promise<void> {
      try {
        const loaded = await import("../terminal/screen.ts");
        if (left || parent.current === null) return;
        screen.current = new loaded.Screen(parent.current, line);
        if (!isActive.current) screen.current.end();
      } catch (error) {
        line.fail(new Error("the terminal could not be loaded: the server can't be reached", { cause: error }));
      }
    }
    void open();
    return () => {
      left = true;
      screen.current?.close();
      screen.current = undefined;
    };
  }, [line]);

  const { value: shown } = theme;
  useEffect(() => screen.current?.recolour(), [shown]);
  useEffect(() => screen.current?.readOut(readsOut.value), [readsOut.value]);
  useEffect(() => {
    if (!active) screen.current?.end();
  }, [active]);

  return (
    <section class="terminal" aria-label="Terminal">
      <div class="screen" ref={parent} />
      <div class="row hint">
        <span>Keys go to the program; Shift + Tab leaves it.</span>
        <label>
          <input
            type="checkbox"
            checked={readsOut.value}
            onChange={({ currentTarget }) => chooseReadsOut(currentTarget.checked)}
          />{" "}
          Read out by screen readers
        </label>
      </div>
    </section>
  );
}
