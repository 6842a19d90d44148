import { signal } from "@preact/signals";
import { Text } from "@codemirror/state";

import type { RunRequest, SourceText } from "./answers.ts";
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

  constructor(saved: SavedDraft) {
    this.language = saved.language;
    this.replaceFiles(saved.files);
    this.stdin.value = saved.stdin;
    this.args.value = saved.args.join("\n");
    this.limits.value = saved.limits;
  }

  static sample(language: string): Draft {
    return new Draft({ language, files: [sampleOf(language)], stdin: "", args: [], limits: {} });
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
      args: this.args.value === "" ? [] : this.args.value.split("\n"),
      limits: { ...this.limits.value },
    };
  }
}

/** What is sent to have a draft run. One file of the usual name is sent as `code`, which is shorter to read. */
export function requestOf({ language, files, stdin, args, limits }: SavedDraft): RunRequest {
  const [first] = files;
  const isPlain = files.length === 1 && first?.name === sampleOf(language).name;
  return {
    language,
    ...(isPlain ? { code: first.content } : { files }),
    ...(stdin === "" ? {} : { stdin }),
    ...(args.length === 0 ? {} : { args }),
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
  };
}
