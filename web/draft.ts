import { signal } from "@preact/signals";
import { Text } from "@codemirror/state";

import type { RunRequest, SourceText, TestCase } from "./answers.ts";
import { sampleOf } from "./samples.ts";

/** A file that is being written. */
export interface DraftFile {
  /** Its own for as long as the page lives, whatever it is called. */
  id: number;
  name: string;
  /** Changes with every letter, so it is no signal; the editor writes it. */
  doc: Text;
}

/** What a link holds: a program with all that it is run with. */
export interface SavedDraft {
  language: string;
  files: SourceText[];
  stdin: string;
  args: string[];
  limits: Record<string, number>;
  tests: TestCase[];
  comparison: Comparison;
  stopOnFailure: boolean;
  /** Names and patterns of files that come back. */
  artifacts: string[];
}

export const COMPARISONS = ["lines", "exact", "tokens", "float"] as const;
/** How a test's output is compared with what is expected. */
export type Comparison = (typeof COMPARISONS)[number];

/** What numbers may differ by, absolutely or relatively, when they are compared as numbers. */
const TOLERANCE = 1e-6;

/** The lines of a field in which each line is one value. */
function linesOf(text: string): string[] {
  return text === "" ? [] : text.split("\n");
}

let nextId = 1;

function textOf(content: string): Text {
  return Text.of(content.split(/\r\n?|\n/));
}

export function draftFile({ name, content }: SourceText): DraftFile {
  const id = nextId;
  nextId += 1;
  return { id, name, doc: textOf(content) };
}

/** A program in one language with its input, as the page edits it. */
export class Draft {
  readonly language: string;
  /** The first one is run. */
  readonly files = signal<readonly DraftFile[]>([]);
  readonly activeId = signal(0);
  readonly stdin = signal("");
  /** One argument a line. */
  readonly args = signal("");
  /** As typed, by the limit's name; in bytes, milliseconds or pieces. */
  readonly limits = signal<Readonly<Record<string, number>>>({});
  readonly tests = signal<readonly TestCase[]>([]);
  readonly comparison = signal<Comparison>("lines");
  readonly stopOnFailure = signal(false);
  /** One pattern a line. */
  readonly artifacts = signal("");

  constructor(saved: SavedDraft) {
    this.language = saved.language;
    this.replaceFiles(saved.files);
    this.stdin.value = saved.stdin;
    this.args.value = saved.args.join("\n");
    this.limits.value = saved.limits;
    this.tests.value = saved.tests;
    this.comparison.value = saved.comparison;
    this.stopOnFailure.value = saved.stopOnFailure;
    this.artifacts.value = saved.artifacts.join("\n");
  }

  static sample(language: string): Draft {
    return new Draft({
      language,
      files: [sampleOf(language)],
      stdin: "",
      args: [],
      limits: {},
      tests: [],
      comparison: "lines",
      stopOnFailure: false,
      artifacts: [],
    });
  }

  get active(): DraftFile | undefined {
    return this.files.value.find(({ id }) => id === this.activeId.value);
  }

  replaceFiles(sources: readonly SourceText[]): void {
    this.files.value = sources.map(draftFile);
    this.activeId.value = this.files.value[0]?.id ?? 0;
  }

  save(): SavedDraft {
    return {
      language: this.language,
      files: this.files.value.map(({ name, doc }) => ({ name, content: doc.toString() })),
      stdin: this.stdin.value,
      args: linesOf(this.args.value),
      limits: { ...this.limits.value },
      tests: [...this.tests.value],
      comparison: this.comparison.value,
      stopOnFailure: this.stopOnFailure.value,
      artifacts: linesOf(this.artifacts.value),
    };
  }
}

function comparisonOf(mode: Comparison): NonNullable<RunRequest["comparison"]> {
  return mode === "float" ? { mode, tolerance: TOLERANCE } : { mode };
}

/** What is sent to have a draft run. One file of the usual name is sent as `code`, which is shorter to read. */
export function requestOf(draft: SavedDraft): RunRequest {
  const { language, files, stdin, args, limits, tests, comparison, stopOnFailure, artifacts } = draft;
  const [first] = files;
  const isPlain = files.length === 1 && first?.name === sampleOf(language).name;
  return {
    language,
    ...(isPlain ? { code: first.content } : { files }),
    ...(stdin === "" ? {} : { stdin }),
    ...(args.length === 0 ? {} : { args }),
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
    ...(tests.length === 0 ? {} : { tests }),
    ...(tests.length === 0 || comparison === "lines" ? {} : { comparison: comparisonOf(comparison) }),
    ...(tests.length > 0 && stopOnFailure ? { stop_on_failure: true } : {}),
    // Each test begins with a clean work folder, so that the API brings back no files of such a run.
    ...(artifacts.length === 0 || tests.length > 0 ? {} : { artifacts }),
  };
}
