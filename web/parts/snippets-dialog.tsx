import { useState } from "preact/hooks";

import type { Snippet } from "../snippets.ts";
import { CopyText } from "./copy-text.tsx";
import { Dialog } from "./dialog.tsx";
import { Tabs } from "./tabs.tsx";

export interface SnippetsDialogProps {
  snippets: readonly Snippet[];
  onClose: () => void;
}

/** The request as other programs would send it. */
export function SnippetsDialog({ snippets, onClose }: SnippetsDialogProps) {
  const [name, setName] = useState<Snippet["name"]>("curl");
  const shown = snippets.find((snippet) => snippet.name === name);
  return (
    <Dialog title="The same request from a program" onClose={onClose}>
      <Tabs
        label="Language of the request"
        tabs={snippets.map((snippet) => ({ id: snippet.name, label: snippet.name }))}
        selected={name}
        controls="snippet"
        onSelect={setName}
      />
      <div id="snippet" role="tabpanel" aria-label={name}>
        <CopyText key={name} label={`Request in ${name}`} text={shown?.text ?? ""} />
      </div>
    </Dialog>
  );
}
