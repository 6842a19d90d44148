import { useState } from "preact/hooks";

import { draftFile } from "../draft.ts";
import type { Draft } from "../draft.ts";
import { Tabs } from "./tabs.tsx";

/** A name like that of the entry that no file has. */
function freeName(draft: Draft): string {
  const entry = draft.files.value[0]?.name ?? "file";
  const dot = entry.lastIndexOf(".");
  const extension = dot === -1 ? "" : entry.slice(dot);
  const taken = new Set(draft.files.value.map(({ name }) => name));
  for (let number = 1; ; number += 1) {
    const name = `file${number}${extension}`;
    if (!taken.has(name)) return name;
  }
}

interface RenameProps {
  name: string;
  onName: (name: string) => void;
  onCancel: () => void;
}

function Rename({ name, onName, onCancel }: RenameProps) {
  const [typed, setTyped] = useState(name);
  return (
    <form
      class="row rename"
      onSubmit={(event) => {
        event.preventDefault();
        if (typed.trim() !== "") onName(typed.trim());
      }}
      onKeyDown={({ key }) => key === "Escape" && onCancel()}
    >
      <input
        aria-label="New name of the file"
        value={typed}
        ref={(element) => element?.focus()}
        onInput={({ currentTarget }) => setTyped(currentTarget.value)}
      />
      <button type="submit">Rename</button>
    </form>
  );
}

/** The program's files: to choose, add, rename and remove. */
export function FileTabs({ draft }: { draft: Draft }) {
  const [renaming, setRenaming] = useState(false);
  const { files, activeId } = draft;
  const index = files.value.findIndex(({ id }) => id === activeId.value);

  function add(): void {
    const file = draftFile({ name: freeName(draft), content: "" });
    files.value = [...files.value, file];
    activeId.value = file.id;
    setRenaming(true);
  }

  function rename(name: string): void {
    const file = draft.active;
    if (file !== undefined) files.value = files.value.map((one) => (one === file ? { ...file, name } : one));
    setRenaming(false);
  }

  function remove(): void {
    const rest = files.value.filter(({ id }) => id !== activeId.value);
    const next = rest[Math.max(0, index - 1)];
    if (next === undefined) return;
    files.value = rest;
    activeId.value = next.id;
  }

  return (
    <div class="files">
      <Tabs
        label="Files; the first one is run"
        tabs={files.value.map(({ id, name }) => ({ id, label: name }))}
        selected={activeId.value}
        controls="editor"
        onSelect={(id) => {
          activeId.value = id;
          setRenaming(false);
        }}
      />
      {renaming ? (
        <Rename
          key={activeId.value}
          name={draft.active?.name ?? ""}
          onName={rename}
          onCancel={() => setRenaming(false)}
        />
      ) : (
        <div class="row">
          <button type="button" class="quiet" onClick={add}>
            Add file
          </button>
          <button type="button" class="quiet" onClick={() => setRenaming(true)}>
            Rename
          </button>
          <button type="button" class="quiet" disabled={files.value.length < 2} onClick={remove}>
            Remove
          </button>
        </div>
      )}
    </div>
  );
}
