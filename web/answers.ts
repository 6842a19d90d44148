/** What the page reads of the API's answers; `/openapi.json` describes them whole. */

/** The names of limits, with values in bytes, milliseconds or pieces. */
export type Limits = Readonly<Record<string, number>>;

export interface Language {
  name: string;
  aliases: readonly string[];
  version: string | null;
  available: boolean;
  reason?: string;
  limits: { default: Limits; maximum: Limits };
}

export type StageName = "compile" | "run";
export type StreamName = "stdout" | "stderr";
export type Encoding = "utf8" | "base64";

export interface Usage {
  exit_code: number | null;
  signal: string | null;
  wall_ms: number;
  cpu_ms: number | null;
  memory_bytes: number | null;
  limit: string | null;
  stdout_truncated: boolean;
  stderr_truncated: boolean;
  /** Of a compile stage that was not executed again; its figures are of the time when it was. */
  cached?: true;
}

export interface Stage extends Usage {
  stdout: string;
  stderr: string;
}

/** How one of a program's tests went. */
export interface TestResult extends Usage {
  index: number;
  status: string;
  stdout: string;
  stdout_encoding?: Encoding;
  stderr: string;
}

/** A file that the program wrote; without its content where that is beyond the server's bounds. */
export interface Artifact {
  name: string;
  size_bytes: number;
  content?: string;
}

export interface Result {
  id: string;
  language: string;
  version: string | null;
  status: string;
  reason: string | null;
  compile: Stage | null;
  run: Stage | null;
  tests?: readonly TestResult[];
  artifacts?: readonly Artifact[];
  artifacts_omitted?: number;
  finished_at: string;
}

export interface Pending {
  id: string;
  status: "queued" | "running";
}

export interface SourceText {
  name: string;
  content: string;
}

export interface TestCase {
  stdin: string;
  expected_stdout: string;
}

export interface RunRequest {
  language: string;
  code?: string;
  files?: SourceText[];
  stdin?: string;
  args?: string[];
  limits?: Record<string, number>;
  tests?: TestCase[];
  comparison?: { mode: string; tolerance?: number };
  stop_on_failure?: boolean;
  artifacts?: string[];
}

export type RunEvent =
  | { type: "stage_started"; data: { stage: StageName } }
  | { type: "output"; data: { stage: StageName; stream: StreamName; data: string; encoding: Encoding } }
  | { type: "stage_ended"; data: Usage & { stage: StageName } }
  | { type: "test"; data: TestResult }
  | { type: "finished"; data: { result: Result } };

/** Of a terminal, in characters. */
export interface TerminalSize {
  cols: number;
  rows: number;
}

/** What is said first on the connection of an interactive run. */
export type Opening =
  | { type: "start"; request: RunRequest; tty: TerminalSize }
  | { type: "attach"; id: string; from: number };

/** What is said to the program. */
export type Said = { type: "stdin"; data: string } | ({ type: "resize" } & TerminalSize);

interface StageTold {
  type: "stage";
  sequence: number;
  stage: StageName;
}

/** What an interactive run's connection tells. */
export type Told =
  | { type: "accepted"; id: string }
  | (StageTold & { state: "started" })
  | (StageTold & { state: "ended" } & Usage)
  | { type: "output"; sequence: number; stage: StageName; stream: StreamName; data: string; encoding: Encoding }
  | { type: "finished"; sequence: number; result: Result }
  | { type: "error"; error: { code: string; message: string } };

/** An event with the id that resumes after it. */
export interface NumberedEvent {
  id: string;
  event: RunEvent;
}

export function isFinished(state: Pending | Result): state is Result {
  return "finished_at" in state;
}
