import type { TestCase } from "../answers.ts";
import { COMPARISONS } from "../draft.ts";
import type { Comparison, Draft } from "../draft.ts";

/** The most that the API takes. */
const MAX_TESTS = 200;

const COMPARED: Record<Comparison, string> = {
  lines: "by lines, without white space at their ends",
  exact: "exactly",
  tokens: "by words",
  float: "by words, and numbers to a millionth",
};

interface TestFieldProps {
  index: number;
  test: TestCase;
  onChange: (test: TestCase) => void;
  onRemove: () => void;
}

function TestField({ index, test, onChange, onRemove }: TestFieldProps) {
  const name = `Test ${index + 1}`;
  return (
    <fieldset class="test">
      <legend>{name}</legend>
      <textarea
        aria-label={`${name}: input`}
        placeholder="Input"
        rows={2}
        spellcheck={false}
        value={test.stdin}
        onInput={({ currentTarget }) => onChange({ ...test, stdin: currentTarget.value })}
      />
      <textarea
        aria-label={`${name}: expected output`}
        placeholder="Expected output"
        rows={2}
        spellcheck={false}
        value={test.expected_stdout}
        onInput={({ currentTarget }) => onChange({ ...test, expected_stdout: currentTarget.value })}
      />
      <button type="button" class="quiet" aria-label={`Remove test ${index + 1}`} onClick={onRemove}>
        ✕
      </button>
    </fieldset>
  );
}

/** The tests of the program: input, and the output that it should have. */
export function TestFields({ draft }: { draft: Draft }) {
  const { tests, comparison, stopOnFailure } = draft;

  function choose(mode: string): void {
    comparison.value = COMPARISONS.find((one) => one === mode) ?? "lines";
  }

  return (
    <div class="tests">
      {tests.value.map((test, index) => (
        <TestField
          key={index}
          index={index}
          test={test}
          onChange={(changed) => (tests.value = tests.value.with(index, changed))}
          onRemove={() => (tests.value = tests.value.toSpliced(index, 1))}
        />
      ))}
      <div class="row">
        <button
          type="button"
          disabled={tests.value.length >= MAX_TESTS}
          onClick={() => (tests.value = [...tests.value, { stdin: "", expected_stdout: "" }])}
        >
          Add test
        </button>
        {tests.value.length > 0 && (
          <>
            <label>
              compared{" "}
              <select value={comparison.value} onChange={({ currentTarget }) => choose(currentTarget.value)}>
                {COMPARISONS.map((mode) => (
                  <option key={mode} value={mode}>
                    {COMPARED[mode]}
                  </option>
                ))}
              </select>
            </label>
            <label>
              <input
                type="checkbox"
                checked={stopOnFailure.value}
                onChange={({ currentTarget }) => (stopOnFailure.value = currentTarget.checked)}
              />{" "}
              stop at the first that fails
            </label>
          </>
        )}
      </div>
    </div>
  );
}
