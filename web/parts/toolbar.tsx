import type { Language } from "../answers.ts";
import { theme, toggleTheme } from "../theme.ts";

export interface ToolbarProps {
  languages: readonly Language[];
  selected: string;
  active: boolean;
  onLanguage: (name: string) => void;
  onSample: () => void;
  onRun: () => void;
  onTerminal: () => void;
  onStop: () => void;
  onShare: () => void;
  onSnippets: () => void;
}

const RUN_KEY = /Mac|iPhone|iPad/.test(navigator.userAgent) ? "⌘ Enter" : "Ctrl Enter";

function optionText({ name, version, available, reason }: Language): string {
  if (!available) return `${name}: ${reason ?? "not available"}`;
  return version === null ? name : `${name} ${version}`;
}

/** What the whole page is steered by. */
export function Toolbar(props: ToolbarProps) {
  const { languages, selected, active } = props;
  const other = theme.value === "dark" ? "light" : "dark";
  return (
    <header class="toolbar">
      <h1>
        <span class="logo" aria-hidden="true">
          ›_
        </span>
        Sandbox
      </h1>
      <label class="language">
        <span class="unseen">Language</span>
        <select value={selected} onChange={({ currentTarget }) => props.onLanguage(currentTarget.value)}>
          {!languages.some(({ name }) => name === selected) && <option value={selected}>{selected}</option>}
          {languages.map((language) => (
            <option key={language.name} value={language.name} disabled={!language.available}>
              {optionText(language)}
            </option>
          ))}
        </select>
      </label>
      {active ? (
        <button type="button" class="stop" onClick={props.onStop}>
          Stop
        </button>
      ) : (
        <>
          <button type="button" class="primary" aria-keyshortcuts="Control+Enter Meta+Enter" onClick={props.onRun}>
            Run <kbd>{RUN_KEY}</kbd>
          </button>
          <button type="button" title="Run in a terminal, to answer what the program asks" onClick={props.onTerminal}>
            Terminal
          </button>
        </>
      )}
      <nav class="row" aria-label="More">
        <button type="button" class="quiet" onClick={props.onSample}>
          Sample
        </button>
        <button type="button" class="quiet" onClick={props.onShare}>
          Share
        </button>
        <button type="button" class="quiet" onClick={props.onSnippets}>
          Request
        </button>
        <a class="quiet" href="/docs">
          API
        </a>
        <button type="button" class="quiet" aria-label={`Use the ${other} theme`} onClick={toggleTheme}>
          {theme.value === "dark" ? "☀" : "☾"}
        </button>
      </nav>
    </header>
  );
}
