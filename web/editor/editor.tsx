import { setDiagnostics } from "@codemirror/lint";
import type { Diagnostic } from "@codemirror/lint";
import { EditorState, Prec } from "@codemirror/state";
import type { Text } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { useEffect, useRef } from "preact/hooks";

import type { DraftFile } from "../draft.ts";
import { styleNonce } from "../nonce.ts";
import type { Complaint } from "../run/complaints.ts";
import { editorExtensions, languageSlot } from "./extensions.ts";
import { languageOf } from "./languages.ts";

export interface EditorProps {
  file: DraftFile;
  /** What to mark in this file. */
  complaints: readonly Complaint[];
  onRun: () => void;
}

/** A complaint as a mark: from its column to the end of the word, or else the whole line. */
function diagnosticOf({ line, column, severity, message }: Complaint, doc: Text): Diagnostic[] {
  if (line < 1 || line > doc.lines) return [];
  const { from, to, text } = doc.line(line);
  if (column === undefined || column < 1 || column > text.length) {
    return [{ from: from + (/\S/.exec(text)?.index ?? 0), to, severity, message }];
  }
  const word = /^(?:\w+|.)/u.exec(text.slice(column - 1))?.[0] ?? "";
  return [{ from: from + column - 1, to: from + column - 1 + word.length, severity, message }];
}

/** The code editor. Each file keeps its cursor, its selection and what can be undone. */
export function Editor({ file, complaints, onRun }: EditorProps) {
  const parent = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const states = useRef(new Map<number, EditorState>());
  const run = useRef(onRun);
  run.current = onRun;
  const current = useRef(file);

  function newState({ id, name, doc }: DraftFile): EditorState {
    return EditorState.create({
      doc,
      extensions: [
        Prec.highest(keymap.of([{ key: "Mod-Enter", run: () => (run.current(), true) }])),
        ...editorExtensions(name),
        EditorView.cspNonce.of(styleNonce()),
        EditorView.contentAttributes.of({
          "aria-label": `Program, file ${name}. Escape and then Tab leaves the editor.`,
          spellcheck: "false",
          tabindex: "0",
        }),
        EditorView.updateListener.of((update) => {
          if (current.current.id === id) current.current.doc = update.state.doc;
        }),
      ],
    });
  }

  useEffect(() => {
    if (parent.current === null) return;
    const made = new EditorView({ parent: parent.current, state: newState(file) });
    view.current = made;
    return () => made.destroy();
  }, []);

  // Another file, or the same under another name, which may be of another language.
  useEffect(() => {
    const shown = view.current;
    if (shown === undefined) return;
    const previous = current.current;
    if (previous.id !== file.id) states.current.set(previous.id, shown.state);
    current.current = file;
    const kept = previous.id === file.id ? undefined : states.current.get(file.id);
    shown.setState(kept !== undefined && kept.doc.eq(file.doc) ? kept : newState(file));
    let left = false;
    void languageOf(file.name)?.().then((language) => {
      if (!left) shown.dispatch({ effects: languageSlot.reconfigure(language) });
    });
    return () => {
      left = true;
    };
  }, [file.id, file.name]);

  useEffect(() => {
    const shown = view.current;
    if (shown === undefined) return;
    const marks = complaints.flatMap((complaint) => diagnosticOf(complaint, shown.state.doc));
    shown.dispatch(setDiagnostics(shown.state, marks));
  }, [complaints, file.id, file.name]);

  return <div class="editor" ref={parent} />;
}
