import { useRef, useState } from "preact/hooks";

export interface CopyTextProps {
  label: string;
  text: string;
}

/** Text to be copied; where a page may not write to the clipboard, it is selected for the reader to copy. */
export function CopyText({ label, text }: CopyTextProps) {
  const field = useRef<HTMLTextAreaElement>(null);
  const [said, setSaid] = useState("");

  async function copy(): Promise<void> {
    field.current?.select();
    try {
      await navigator.clipboard.writeText(text);
      setSaid("Copied.");
    } catch {
      setSaid("Selected: copy it with the keyboard.");
    }
  }

  return (
    <div class="copy">
      <textarea
        ref={field}
        readOnly
        aria-label={label}
        rows={Math.min(18, text.split("\n").length + 2)}
        spellcheck={false}
        value={text}
      />
      <div class="row">
        <button type="button" class="primary" onClick={() => void copy()}>
          Copy
        </button>
        <span role="status">{said}</span>
      </div>
    </div>
  );
}
