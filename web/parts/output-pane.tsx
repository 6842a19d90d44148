import { useLayoutEffect, useRef } from "preact/hooks";

import type { OutputLog } from "../run/output-log.ts";
import { size } from "./format.ts";

export interface OutputPaneProps {
  title: string;
  /** Names the pane for the style sheet. */
  kind: "compiler" | "stdout" | "stderr";
  log: OutputLog;
}

/** Puts the log's pieces into `parent`, one element each, and takes out those that the log let go. All of it is text. */
function draw(parent: HTMLElement, log: OutputLog, drawn: { first: number; end: number }): void {
  while (drawn.first < log.first && drawn.first < drawn.end) {
    parent.firstElementChild?.remove();
    drawn.first += 1;
  }
  drawn.first = log.first;
  drawn.end = Math.max(drawn.end, log.first);
  for (const piece of log.pieces.slice(drawn.end - log.first)) {
    const element = document.createElement("span");
    element.textContent = piece;
    parent.append(element);
    drawn.end += 1;
  }
}

/** One stream's output as it comes, scrolled to its end unless the reader has scrolled away from it. */
export function OutputPane({ title, kind, log }: OutputPaneProps) {
  const pane = useRef<HTMLPreElement>(null);
  const drawn = useRef({ first: 0, end: 0 });
  const version = log.version.value;

  useLayoutEffect(() => {
    const element = pane.current;
    if (element === null) return;
    const atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < 40;
    draw(element, log, drawn.current);
    if (atEnd) element.scrollTop = element.scrollHeight;
  }, [version, log]);

  return (
    <div class={`output output-${kind}`} hidden={log.isEmpty && kind !== "stdout"}>
      <h2>
        {title}
        {log.dropped > 0 && <span class="dropped">the first {size(log.dropped)} are not shown</span>}
      </h2>
      <pre ref={pane} tabIndex={0} aria-label={title} role="region" />
    </div>
  );
}
