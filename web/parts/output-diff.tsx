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
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line) => `${sign} ${line}\n`).join("");
}

/** With the last line ended, so that it is compared by what is in it. */
function ended(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}

/** What was expected against what came: lines that are missing, and lines that are there instead. */
export function OutputDiff({ expected, actual }: OutputDiffProps) {
  return (
    <pre class="diff" tabIndex={0} role="region" aria-label="Expected against actual output">
      {differences(ended(expected), ended(actual)).map(({ value, removed, added }, index) => {
        const key = `${index}`;
        if (removed) return <del key={key}>{signed("-", value)}</del>;
        if (added) return <ins key={key}>{signed("+", value)}</ins>;
        return <span key={key}>{signed(" ", value)}</span>;
      })}
      {expected.endsWith("\n") && !actual.endsWith("\n") && <em>The output does not end with a newline.</em>}
    </pre>
  );
}
