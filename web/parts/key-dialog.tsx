import { useState } from "preact/hooks";

import { Dialog } from "./dialog.tsx";

export interface KeyDialogProps {
  /** The server's words. */
  why: string;
  onKey: (key: string) => void;
  onClose: () => void;
}

/** Asks for a key of the API. */
export function KeyDialog({ why, onKey, onClose }: KeyDialogProps) {
  const [key, setKey] = useState("");

  function submit(event: SubmitEvent): void {
    event.preventDefault();
    if (key.trim() !== "") onKey(key.trim());
  }

  return (
    <Dialog title="This server wants a key" onClose={onClose}>
      <form class="fields" onSubmit={submit}>
        <p class="why">The server says: {why}</p>
        <label>
          Key
          <input
            type="password"
            autocomplete="off"
            value={key}
            onInput={({ currentTarget }) => setKey(currentTarget.value)}
          />
        </label>
        <p class="hint">It is kept until this tab is closed, and nowhere else.</p>
        <button type="submit" class="primary">
          Use this key
        </button>
      </form>
    </Dialog>
  );
}
