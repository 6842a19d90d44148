import { useEffect, useMemo, useState } from "preact/hooks";

import { requestOf } from "./draft.ts";
import { Editor } from "./editor/editor.tsx";
import { FileTabs } from "./parts/file-tabs.tsx";
import { InputPanel } from "./parts/input-panel.tsx";
import { KeyDialog } from "./parts/key-dialog.tsx";
import { Artifacts } from "./parts/artifacts.tsx";
import { Notice } from "./parts/notice.tsx";
import { OutputPane } from "./parts/output-pane.tsx";
import { RunStatus } from "./parts/run-status.tsx";
import { ShareDialog } from "./parts/share-dialog.tsx";
import { SnippetsDialog } from "./parts/snippets-dialog.tsx";
import { TestTable } from "./parts/test-table.tsx";
import { TerminalPane } from "./parts/terminal-pane.tsx";
import { Toolbar } from "./parts/toolbar.tsx";
import { UsageBars } from "./parts/usage-bars.tsx";
import { Playground } from "./playground.ts";
import { complaintsIn } from "./run/complaints.ts";
import type { Complaint } from "./run/complaints.ts";
import { snippetsOf } from "./snippets.ts";
import type { Snippet } from "./snippets.ts";

type Shown = { kind: "link"; link: string } | { kind: "snippets"; snippets: readonly Snippet[] } | undefined;

const NO_COMPLAINTS: readonly Complaint[] = [];

/** Links and the run key work wherever the focus is. */
function useDocument(playground: Playground): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.defaultPrevented) return;
      event.preventDefault();
      void playground.run();
    };
    const onHash = (): void => void playground.openLink(location.hash);
    addEventListener("keydown", onKey);
    addEventListener("hashchange", onHash);
    onHash();
    void playground.loadLanguages();
    return () => {
      removeEventListener("keydown", onKey);
      removeEventListener("hashchange", onHash);
    };
  }, [playground]);
}

export function App() {
  const playground = useMemo(() => new Playground(), []);
  const [shown, setShown] = useState<Shown>(undefined);
  useDocument(playground);
  const { session, keyQuestion, unreachable, problem } = playground;
  const draft = playground.draft.value;
  const { language } = playground;
  const phase = session.phase.value;
  const outcome = phase.state === "ended" ? phase.outcome : undefined;
  const complaints = useMemo(
    () => (outcome === undefined ? NO_COMPLAINTS : complaintsIn(outcome.complaint)),
    [outcome],
  );
  const line = session.terminal.value;
  const { refused } = session;
  const file = draft.active;
  const inFile = useMemo(() => complaints.filter((one) => one.file === file?.name), [complaints, file?.name]);
  const close = (): void => setShown(undefined);

  async function share(): Promise<void> {
    try {
      const link = await playground.link();
      history.replaceState(null, "", link);
      setShown({ kind: "link", link });
    } catch (error) {
      problem.value = `${error instanceof Error ? error.message : String(error)}.`;
    }
  }

  function showSnippets(): void {
    const snippets = snippetsOf(requestOf(draft.save()), location.origin, playground.hasKey);
    setShown({ kind: "snippets", snippets });
  }

  return (
    <>
      <Toolbar
        languages={playground.languages.value}
        selected={draft.language}
        active={phase.state === "active"}
        onLanguage={(name) => playground.choose(name)}
        onSample={() => playground.showSample()}
        onRun={() => void playground.run()}
        onTerminal={() => void playground.runInTerminal()}
        onStop={() => void session.stop()}
        onShare={() => void share()}
        onSnippets={showSnippets}
      />
      {unreachable.value !== "" && (
        <Notice text={unreachable.value} action="Try again" onAction={() => void playground.loadLanguages()} />
      )}
      {problem.value !== "" && <Notice text={problem.value} action="Close" onAction={() => (problem.value = "")} />}
      {refused.value !== "" && (
        <Notice
          text={`Not told to the program: ${refused.value}.`}
          action="Close"
          onAction={() => (refused.value = "")}
        />
      )}
      <main>
        <section class="panel program" aria-label="Program">
          <FileTabs key={draft} draft={draft} />
          <div id="editor" role="tabpanel" aria-label={file?.name ?? "Program"}>
            {file !== undefined && <Editor file={file} complaints={inFile} onRun={() => void playground.run()} />}
          </div>
        </section>
        <InputPanel draft={draft} language={language} />
        <section class="panel result" aria-label="Result">
          <RunStatus phase={phase} />
          {outcome !== undefined && <UsageBars outcome={outcome} defaults={language?.limits.default ?? {}} />}
          <div class="outputs">
            {session.tests.value.length > 0 && (
              <TestTable results={session.tests.value} cases={session.request?.tests ?? []} />
            )}
            {outcome !== undefined && outcome.artifacts.length > 0 && (
              <Artifacts artifacts={outcome.artifacts} omitted={outcome.omitted} />
            )}
            <OutputPane title="Compiler" kind="compiler" log={session.compiler} />
            {line === undefined ? (
              <>
                <OutputPane title="Output" kind="stdout" log={session.stdout} />
                <OutputPane title="Errors" kind="stderr" log={session.stderr} />
              </>
            ) : (
              <TerminalPane key={line} line={line} active={phase.state === "active"} />
            )}
          </div>
        </section>
      </main>
      {keyQuestion.value !== undefined && (
        <KeyDialog why={keyQuestion.value.why} onKey={keyQuestion.value.answer} onClose={keyQuestion.value.refuse} />
      )}
      {shown?.kind === "link" && <ShareDialog link={shown.link} onClose={close} />}
      {shown?.kind === "snippets" && <SnippetsDialog snippets={shown.snippets} onClose={close} />}
    </>
  );
}
