import type { IDisposable, Terminal } from "@xterm/xterm";

/** Sequences that do something as often as their number says, up to two thousand million times. */
const BY_LINE = ["L", "M", "S", "T"];
const BY_COLUMN = ["I", "Z", "b"];
/** A link of the program's own: it could name any address under any text. */
const HYPERLINK = 8;

/** Leaves out what would hold up the page, or lead away from it; no program needs more than what the screen has room for. */
export function boundSequences(terminal: Terminal): IDisposable[] {
  const { parser } = terminal;
  const bound = (final: string, most: () => number): IDisposable =>
    parser.registerCsiHandler({ final }, ([count = 0]) => typeof count !== "number" || count > most());
  return [
    ...BY_LINE.map((final) => bound(final, () => terminal.rows)),
    ...BY_COLUMN.map((final) => bound(final, () => terminal.cols)),
    parser.registerOscHandler(HYPERLINK, () => true),
  ];
}
