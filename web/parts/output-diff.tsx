import { diffLines } from "diff";
import type { ChangeObject } from "diff";

/** Texts that differ in more lines than these are shown one above the other; comparing them further would stop the page. */
const MAX_EDITS = 400;
const MAX_MS = 300;

export interface OutputDiffProps {
  expected: string;
  actual: string;
}

function differences(expected: string, actual: string): ChangeObject<string>[] {
  const found = diffLines(expected, actual, { maxEditLength: MAX_EDITS, timeout: MAX_MS });
  return (
    found ?? [
      { value: expected, removed: true, added: false, count: 1 },
      { value: actual, removed: false, added: true, count: 1 },
    ]
  );
}

/** Every line with a sign in front of it, as `diff -u` prints them. */
function signed(sign: string, text: string): string {
  const lines = text.split("\n");
  const unended = lines.at(-1) !== "";
  if (!unended) lines.pop();
  return (
    lines.map((line) => `${sign} ${line}\n`).join("") + (unended && sign !== " " ? "  (no newline at the end)\n" : "")
  );
}

/** What was expected against what came: lines that are missing, and lines that are there instead. */
export function OutputDiff({ expected, actual }: OutputDiffProps) {
  return (
    <pre class="diff" tabIndex={0} role="region" aria-label="Expected against actual output">
      {differences(expected, actual).map(({ value, removed, added }, index) => {
        const key = `${index}`;
        if (removed) return <del key={key}>{signed("-", value)}</del>;
        if (added) return <ins key={key}>{signed("+", value)}</ins>;
        return <span key={key}>{signed(" ", value)}</span>;
      })}
    </pre>
  );
}
