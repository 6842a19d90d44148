import { useState } from "preact/hooks";

import type { Language } from "../answers.ts";
import type { Draft } from "../draft.ts";
import { LimitFields } from "./limit-fields.tsx";
import { Tabs } from "./tabs.tsx";
import { TestFields } from "./test-fields.tsx";

type Part = "stdin" | "args" | "limits" | "tests" | "artifacts";

export interface InputPanelProps {
  draft: Draft;
  language: Language | undefined;
}

function counted(label: string, count: number): string {
  return count === 0 ? label : `${label} (${count})`;
}

/** All that a program is run with. */
export function InputPanel({ draft, language }: InputPanelProps) {
  const [part, setPart] = useState<Part>("stdin");
  return (
    <section class="panel input" aria-label="Input">
      <Tabs
        label="Input"
        tabs={[
          { id: "stdin", label: "Input" },
          { id: "args", label: "Arguments" },
          { id: "limits", label: counted("Limits", Object.keys(draft.limits.value).length) },
          { id: "tests", label: counted("Tests", draft.tests.value.length) },
          { id: "artifacts", label: "Files out" },
        ]}
        selected={part}
        controls="input"
        onSelect={setPart}
      />
      <div id="input" role="tabpanel" aria-label={part}>
        {part === "stdin" && (
          <textarea
            aria-label="What the program reads from stdin"
            placeholder="What the program reads from stdin"
            spellcheck={false}
            value={draft.stdin.value}
            onInput={({ currentTarget }) => (draft.stdin.value = currentTarget.value)}
          />
        )}
        {part === "args" && (
          <textarea
            aria-label="Arguments, one a line"
            placeholder="One argument a line"
            spellcheck={false}
            value={draft.args.value}
            onInput={({ currentTarget }) => (draft.args.value = currentTarget.value)}
          />
        )}
        {part === "artifacts" && (
          <textarea
            disabled={draft.tests.value.length > 0}
            aria-label="Files that come back: names or patterns such as *.png, one a line"
            placeholder={
              draft.tests.value.length > 0
                ? "A run with tests brings back no files."
                : "Names or patterns of files that the program writes, one a line:\n*.png"
            }
            spellcheck={false}
            value={draft.artifacts.value}
            onInput={({ currentTarget }) => (draft.artifacts.value = currentTarget.value)}
          />
        )}
        {part === "tests" && <TestFields draft={draft} />}
        {part === "limits" && <LimitFields draft={draft} bounds={language?.limits} />}
      </div>
    </section>
  );
}
