import { useState } from "preact/hooks";

import type { Language } from "../answers.ts";
import type { Draft } from "../draft.ts";
import { LimitFields } from "./limit-fields.tsx";
import { Tabs } from "./tabs.tsx";

type Part = "stdin" | "args" | "limits";

export interface InputPanelProps {
  draft: Draft;
  language: Language | undefined;
}

/** All that a program is run with. */
export function InputPanel({ draft, language }: InputPanelProps) {
  const [part, setPart] = useState<Part>("stdin");
  const limited = Object.keys(draft.limits.value).length;
  return (
    <section class="panel input" aria-label="Input">
      <Tabs
        label="Input"
        tabs={[
          { id: "stdin", label: "Input" },
          { id: "args", label: "Arguments" },
          { id: "limits", label: limited === 0 ? "Limits" : `Limits (${limited})` },
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
        {part === "limits" && <LimitFields draft={draft} bounds={language?.limits} />}
      </div>
    </section>
  );
}
