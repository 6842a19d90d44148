import { useEffect, useState } from "preact/hooks";

import type { TestCase, TestResult } from "../answers.ts";
import { fromBase64 } from "../bytes.ts";
import { TEST_OUTPUT_UNITS } from "../run/run-session.ts";
import { duration, size } from "./format.ts";
import type { OutputDiff as Diff } from "./output-diff.tsx";
import { kindOf, words } from "./run-status.tsx";

/** What the test printed, as text; base64 that was cut is read as far as it is whole. */
function printed({ stdout, stdout_encoding: encoding }: TestResult): string {
  if (encoding !== "base64") return stdout;
  return new TextDecoder().decode(fromBase64(stdout.slice(0, stdout.length - (stdout.length % 4))));
}

interface DetailsProps {
  result: TestResult;
  test: TestCase | undefined;
}

function Details({ result, test }: DetailsProps) {
  const [OutputDiff, setDiff] = useState<typeof Diff>();
  useEffect(() => {
    // Loaded when the first one is looked at.
    void import("./output-diff.tsx").then((loaded) => setDiff(() => loaded.OutputDiff));
  }, []);
  const expected = (test?.expected_stdout ?? "").slice(0, TEST_OUTPUT_UNITS);
  return (
    <>
      {OutputDiff !== undefined && <OutputDiff expected={expected} actual={printed(result)} />}
      {result.stderr !== "" && (
        <pre class="complaint" tabIndex={0} role="region" aria-label="Errors of the test">
          {result.stderr}
        </pre>
      )}
    </>
  );
}

interface RowProps extends DetailsProps {
  open: boolean;
  onToggle: () => void;
}

function Row({ result, test, open, onToggle }: RowProps) {
  const { index, status, wall_ms: wallMs, memory_bytes: memoryBytes } = result;
  const skipped = status === "skipped";
  return (
    <>
      <tr>
        <th scope="row">{index + 1}</th>
        <td>
          <span class={`badge ${skipped ? "" : kindOf(status)}`}>{words(status)}</span>
        </td>
        <td>{skipped ? "" : duration(wallMs)}</td>
        <td>{memoryBytes === null || skipped ? "" : size(memoryBytes)}</td>
        <td>
          <button type="button" class="quiet" aria-expanded={open} disabled={skipped} onClick={onToggle}>
            {open ? "Hide" : "Show"}
            <span class="unseen"> test {index + 1}</span>
          </button>
        </td>
      </tr>
      {open && (
        <tr>
          <td colSpan={5} class="details">
            <Details result={result} test={test} />
          </td>
        </tr>
      )}
    </>
  );
}

export interface TestTableProps {
  results: readonly TestResult[];
  /** What was asked for. */
  cases: readonly TestCase[];
}

/** How each test went, as they end; the first that fails is opened. */
export function TestTable({ results, cases }: TestTableProps) {
  const [opened, setOpened] = useState<number>();
  const firstFailed = results.find(({ status }) => status !== "accepted" && status !== "skipped")?.index;
  const open = opened ?? firstFailed;
  const accepted = results.filter(({ status }) => status === "accepted").length;
  return (
    <div class="results">
      <table>
        <caption>
          {accepted} of {Math.max(cases.length, results.length)} tests accepted
        </caption>
        <thead>
          <tr>
            <th scope="col">Test</th>
            <th scope="col">Verdict</th>
            <th scope="col">Time</th>
            <th scope="col">Memory</th>
            <th scope="col">Output</th>
          </tr>
        </thead>
        <tbody>
          {results.map((result) => (
            <Row
              key={result.index}
              result={result}
              test={cases[result.index]}
              open={open === result.index}
              onToggle={() => setOpened(open === result.index ? -1 : result.index)}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}
