/** A line of a file that a compiler or an interpreter complains about. */
export interface Complaint {
  file: string;
  /** Counted from 1. */
  line: number;
  /** Counted from 1; absent where the tool names none. */
  column?: number;
  severity: "error" | "warning" | "info";
  message: string;
}

/** More marks than these help nobody. */
const MAX_COMPLAINTS = 100;
const MAX_MESSAGE_UNITS = 400;
/** Longer lines are no complaint, and would cost time. */
const MAX_LINE_UNITS = 1000;

/** A name as the program has it: the tools see it below the work folder. */
function plainName(path: string): string {
  return path.replace(/^(?:file:\/\/)?\/work\//, "").replace(/^\.\//, "");
}

function severityOf(word: string): Complaint["severity"] {
  if (word.endsWith("error")) return "error";
  return word === "warning" ? "warning" : "info";
}

type Reader = (lines: readonly string[], index: number) => Complaint | undefined;

/** The first line after `index` that `pattern` matches, within a few lines. */
function following(
  lines: readonly string[],
  index: number,
  pattern: RegExp,
  within: number,
): RegExpExecArray | undefined {
  for (const line of lines.slice(index + 1, index + 1 + within)) {
    const match = pattern.exec(line);
    if (match !== null) return match;
  }
  return undefined;
}

/** `main.c:3:5: error: message`: gcc, g++, clang. */
const readGcc: Reader = (lines, index) => {
  const match = /^([^\s:][^:]*):(\d+):(\d+): ((?:fatal )?error|warning|note): (.+)$/.exec(lines[index] ?? "");
  if (match === null) return undefined;
  const [, file = "", line, column, severity = "", message = ""] = match;
  return { file, line: Number(line), column: Number(column), severity: severityOf(severity), message };
};

/** `Main.java:3: error: message`, and two lines on a caret below the place: javac. */
const readJavac: Reader = (lines, index) => {
  const match = /^([^\s:][^:]*\.java):(\d+): (error|warning): (.+)$/.exec(lines[index] ?? "");
  if (match === null) return undefined;
  const [, file = "", line, severity = "", message = ""] = match;
  const caret = following(lines, index, /^( *)\^\s*$/, 4);
  return {
    file,
    line: Number(line),
    ...(caret === undefined ? {} : { column: (caret[1] ?? "").length + 1 }),
    severity: severityOf(severity),
    message,
  };
};

/** `./main.go:3:5: message`: go. */
const readGo: Reader = (lines, index) => {
  const match = /^(?:vet: )?([^\s:][^:]*\.go):(\d+):(\d+): (.+)$/.exec(lines[index] ?? "");
  if (match === null) return undefined;
  const [, file = "", line, column, message = ""] = match;
  return { file, line: Number(line), column: Number(column), severity: "error", message };
};

/** `error[E0308]: message`, and below it `  --> main.rs:3:5`: rustc. */
const readRustc: Reader = (lines, index) => {
  const match = /^(error|warning)(?:\[\w+\])?: (.+)$/.exec(lines[index] ?? "");
  if (match === null) return undefined;
  const place = following(lines, index, /^ *--> ([^:]+):(\d+):(\d+)$/, 2);
  if (place === undefined) return undefined;
  const [, severity = "", message = ""] = match;
  const [, file = "", line, column] = place;
  return { file, line: Number(line), column: Number(column), severity: severityOf(severity), message };
};

/** `main.ts(3,5): error TS2322: message`: tsc. */
const readTsc: Reader = (lines, index) => {
  const match = /^([^\s(][^(]*)\((\d+),(\d+)\): (error|warning) (TS\d+: .+)$/.exec(lines[index] ?? "");
  if (match === null) return undefined;
  const [, file = "", line, column, severity = "", message = ""] = match;
  return { file, line: Number(line), column: Number(column), severity: severityOf(severity), message };
};

/** `main.sh: line 3: message`: bash. */
const readBash: Reader = (lines, index) => {
  const match = /^([^\s:][^:]*): line (\d+): (.+)$/.exec(lines[index] ?? "");
  if (match === null) return undefined;
  const [, file = "", line, message = ""] = match;
  return { file, line: Number(line), severity: "error", message };
};

const PYTHON_FRAME = /^ +File "([^"]+)", line (\d+)/;

/** The innermost frame of a traceback that is in the work folder, with the exception's text: Python. */
const readPython: Reader = (lines, index) => {
  const frame = PYTHON_FRAME.exec(lines[index] ?? "");
  if (frame === null) return undefined;
  const rest = lines.slice(index + 1);
  const end = rest.findIndex((line) => /^[A-Za-z_][\w.]*(?:: |$)/.test(line));
  if (end === -1) return undefined;
  const isOurs = (line: string): boolean => (PYTHON_FRAME.exec(line)?.[1] ?? "").startsWith("/work/");
  if (!isOurs(lines[index] ?? "") || rest.slice(0, end).some(isOurs)) return undefined;
  return { file: frame[1] ?? "", line: Number(frame[2]), severity: "error", message: rest[end] ?? "" };
};

/** `/work/main.js:3`, the line itself, a caret, and the error's text: Node. */
const readNode: Reader = (lines, index) => {
  const place = /^((?:file:\/\/)?\/work\/[^:]+):(\d+)$/.exec(lines[index] ?? "");
  if (place === null) return undefined;
  const caret = following(lines, index, /^([ \t]*)\^+$/, 3);
  const error = following(lines, index, /^(?:Uncaught )?(?:[A-Z]\w*(?: \[\w+\])?: .*|[A-Z]\w*Error)$/, 12);
  if (error === undefined) return undefined;
  return {
    file: place[1] ?? "",
    line: Number(place[2]),
    ...(caret === undefined ? {} : { column: (caret[1] ?? "").length + 1 }),
    severity: "error",
    message: error[0],
  };
};

/** `Exception in thread "main" Error: message`, and the first frame in a file: the JVM. */
const readJava: Reader = (lines, index) => {
  const match = /^Exception in thread "[^"]*" (.+)$/.exec(lines[index] ?? "");
  if (match === null) return undefined;
  // Frames of the JDK bear its modules' names.
  const frame = following(lines, index, /^\tat (?!java\.|jdk\.)[^/]*\((\w+\.java):(\d+)\)$/, 30);
  if (frame === undefined) return undefined;
  return { file: frame[1] ?? "", line: Number(frame[2]), severity: "error", message: match[1] ?? "" };
};

const READERS = [readGcc, readJavac, readGo, readRustc, readTsc, readBash, readPython, readNode, readJava];

/** The places that a tool's output names, in its order. It is the program's to forge: what comes out is text to be shown, no more. */
export function complaintsIn(output: string): Complaint[] {
  const lines = output.split("\n", 5000).map((line) => line.slice(0, MAX_LINE_UNITS).trimEnd());
  const found: Complaint[] = [];
  for (const index of lines.keys()) {
    for (const read of READERS) {
      const complaint = read(lines, index);
      if (complaint === undefined) continue;
      const message = complaint.message.slice(0, MAX_MESSAGE_UNITS);
      found.push({ ...complaint, file: plainName(complaint.file), message });
      break;
    }
    if (found.length === MAX_COMPLAINTS) break;
  }
  return found;
}
