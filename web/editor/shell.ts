import { StreamLanguage } from "@codemirror/language";
import { shell as mode } from "@codemirror/legacy-modes/mode/shell";
import type { Extension } from "@codemirror/state";

export function shell(): Extension {
  return StreamLanguage.define(mode);
}
