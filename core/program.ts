import type { Interaction } from "./interaction.ts";
import type { Limits } from "./limits.ts";
import type { StageName } from "./run.ts";

export interface ProgramFile {
  /** Relative to the work folder, as the caller gave it. */
  name: string;
  content: Uint8Array;
}

export interface ProgramStage {
  name: StageName;
  /** What is executed; the first element is looked up in the stage's PATH. */
  command: readonly string[];
  environment: Readonly<Record<string, string>>;
  stdin: Uint8Array;
  wallMs: number;
  cpuMs: number;
  memoryBytes: number;
}

/** The limits that a test may have of its own; the others are of its sandbox. */
export const TEST_LIMIT_NAMES = [
  "wall_ms",
  "cpu_ms",
  "memory_bytes",
  "open_files",
  "file_bytes",
  "output_bytes",
] as const satisfies (keyof Limits)[];

export type TestLimits = Pick<Limits, (typeof TEST_LIMIT_NAMES)[number]>;

/** What a test has of its own; what is undefined is the run stage's. */
export interface ProgramTest {
  command: readonly string[] | undefined;
  stdin: Uint8Array | undefined;
  /** In the work folder besides the program's. */
  files: readonly ProgramFile[];
  limits: TestLimits;
}

/** All that a runner needs to execute one run: files, one or two stages, limits. */
export interface Program {
  files: readonly ProgramFile[];
  stages: readonly ProgramStage[];
  limits: Limits;
  /** In place of the run stage, one after the other. */
  tests?: readonly ProgramTest[] | undefined;
  /** Globs of the files that are sent when the program has ended. */
  artifacts?: readonly string[] | undefined;
  /** Of one whose run stage is spoken to while it runs; undefined of the others. */
  interaction?: Interaction | undefined;
  /** Whether it may open sockets of the Internet; where they lead the backend decides. */
  network?: boolean | undefined;
}

/** How long a test's end may take: what it left is removed, in milliseconds. */
const TEST_CLEANING_MS = 1000;

/** How long artifacts may take: the runner looks for them for 10 s, and sends what it found, in milliseconds. */
const ARTIFACTS_MS = 15_000;

/** The time limits of all that is executed together, in milliseconds. */
export function wallMsOf({ stages, tests, artifacts }: Program): number {
  const stagesMs = stages
    .filter(({ name }) => tests === undefined || name === "compile")
    .reduce((total, stage) => total + stage.wallMs, artifacts === undefined ? 0 : ARTIFACTS_MS);
  return (tests ?? []).reduce((total, { limits }) => total + limits.wall_ms + TEST_CLEANING_MS, stagesMs);
}

/** The most memory that anything executed may take, in bytes. */
export function memoryBytesOf({ stages, tests = [] }: Program): number {
  return Math.max(...stages.map(({ memoryBytes }) => memoryBytes), ...tests.map(({ limits }) => limits.memory_bytes));
}

/** What the caller sent to be executed and read, in bytes. */
export function inputBytesOf({ files, stages, tests = [] }: Program): { files: number; stdin: number; tests: number } {
  const bytesOf = (list: readonly ProgramFile[]): number =>
    list.reduce((total, { content }) => total + content.length, 0);
  return {
    files: bytesOf(files),
    stdin: stages.reduce((total, { stdin }) => total + stdin.length, 0),
    tests: tests.reduce((total, test) => total + (test.stdin?.length ?? 0) + bytesOf(test.files), 0),
  };
}

const MAGIC = Buffer.from("SBXRUN01");
/** Of what is to be started before its program is there; the program follows, with the other word. */
const MAGIC_AHEAD = Buffer.from("SBXWAIT1");
/** Of a program that what was started ahead can't execute, and whose place it takes. */
const MAGIC_ANEW = Buffer.from("SBXANEW1");
const MAGICS = { program: MAGIC, ahead: MAGIC_AHEAD, anew: MAGIC_ANEW };
/** The magic word and the length of what follows. */
export const PROGRAM_HEADER_BYTES = MAGIC.length + 4;
/** The most that may follow them: `MAX_PAYLOAD_BYTES` of `runner/runner.h`. */
export const MAX_PAYLOAD_BYTES = 64 * 1024 * 1024;
const RECORD_HEADER_BYTES = 5;
const LIMIT_KEYS = {
  wallUs: 1,
  cpuUs: 2,
  memoryBytes: 3,
  processes: 4,
  openFiles: 5,
  fileBytes: 6,
  outputBytes: 7,
  idleUs: 8,
} as const;

/** A record of which only the header is written, with room for as many bytes of content. */
function emptyRecord(tag: string, contentBytes: number): Buffer {
  const bytes = Buffer.allocUnsafe(RECORD_HEADER_BYTES + contentBytes);
  bytes.writeUInt8(tag.charCodeAt(0));
  bytes.writeUInt32LE(contentBytes, 1);
  return bytes;
}

export function record(tag: string, ...parts: Uint8Array[]): Buffer {
  const contentBytes = parts.reduce((total, part) => total + part.length, 0);
  const bytes = emptyRecord(tag, contentBytes);
  let at = RECORD_HEADER_BYTES;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function textRecord(tag: string, text: string): Buffer {
  const bytes = emptyRecord(tag, Buffer.byteLength(text));
  bytes.write(text, RECORD_HEADER_BYTES);
  return bytes;
}

const TWO_TO_32 = 2 ** 32;

/** `value` is a natural number of at most 53 bits. */
function writeU64(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt32LE(value % TWO_TO_32, at);
  bytes.writeUInt32LE(Math.floor(value / TWO_TO_32), at + 4);
}

export function u64(...values: number[]): Buffer {
  const bytes = Buffer.allocUnsafe(8 * values.length);
  for (const [index, value] of values.entries()) writeU64(bytes, value, 8 * index);
  return bytes;
}

function limitRecord(key: keyof typeof LIMIT_KEYS, value: number): Buffer {
  const bytes = emptyRecord("L", 9);
  bytes.writeUInt8(LIMIT_KEYS[key], RECORD_HEADER_BYTES);
  writeU64(bytes, value, RECORD_HEADER_BYTES + 1);
  return bytes;
}

function fileRecord(file: ProgramFile): Buffer {
  const name = Buffer.from(file.name);
  const nameLength = Buffer.allocUnsafe(2);
  nameLength.writeUInt16LE(name.length);
  return record("F", nameLength, name, file.content);
}

interface StageLimits {
  wallMs: number;
  cpuMs: number;
  memoryBytes: number;
}

/** The limits of a stage or a test, but for that of processes. */
function limitRecords(
  { wallMs, cpuMs, memoryBytes }: StageLimits,
  others: Pick<Limits, "open_files" | "file_bytes" | "output_bytes">,
): Buffer[] {
  return [
    limitRecord("wallUs", wallMs * 1000),
    limitRecord("cpuUs", cpuMs * 1000),
    limitRecord("memoryBytes", memoryBytes),
    limitRecord("openFiles", others.open_files),
    limitRecord("fileBytes", others.file_bytes),
    limitRecord("outputBytes", others.output_bytes),
  ];
}

/** That the stage's stdin goes on behind the program, and the size of its terminal if it has one. */
function interactionRecords({ terminal, idleMs }: Interaction): Buffer[] {
  const size = Buffer.allocUnsafe(4);
  size.writeUInt16LE(terminal?.columns ?? 0);
  size.writeUInt16LE(terminal?.rows ?? 0, 2);
  return [terminal === undefined ? record("V") : record("V", size), limitRecord("idleUs", idleMs * 1000)];
}

function testRecords({ command, stdin, files, limits }: ProgramTest): Buffer[] {
  return [
    record("T"),
    ...files.map(fileRecord),
    ...(command ?? []).map((argument) => textRecord("A", argument)),
    ...(stdin === undefined ? [] : [record("I", stdin)]),
    ...limitRecords({ wallMs: limits.wall_ms, cpuMs: limits.cpu_ms, memoryBytes: limits.memory_bytes }, limits),
  ];
}

export interface EncodeOptions {
  /**
   * Also bound processes by RLIMIT_NPROC, for want of a pids cgroup. Only where the sandbox's user id is its own:
   * the kernel counts that limit per user (setrlimit(2)).
   */
  processRlimit: boolean;
  /**
   * `ahead` is for a runner to start the program's only stage, which waits for its only file, an empty one; `anew` for one to
   * which such a thing was given, to end that and execute the program from the start (`runner/ahead.c`).
   */
  as?: keyof typeof MAGICS;
}

/** Puts the magic word and the length before records. */
export function frameProgram(records: readonly Buffer[], magic = MAGIC): Buffer {
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32LE(records.reduce((total, part) => total + part.length, 0));
  return Buffer.concat([magic, length, ...records]);
}

/** The records of an encoded program, or of a part of it from `start` on, and where each begins. */
export function* readRecords(
  encoded: Buffer,
  start = PROGRAM_HEADER_BYTES,
): Generator<{ tag: string; value: Buffer; start: number }> {
  for (let at = start; at < encoded.length;) {
    const end = at + RECORD_HEADER_BYTES + encoded.readUInt32LE(at + 1);
    const value = encoded.subarray(at + RECORD_HEADER_BYTES, end);
    yield { tag: encoded.toString("latin1", at, at + 1), value, start: at };
    at = end;
  }
}

/** The program as the runner reads it: a magic word, the payload's length, and tagged records (`runner/program.c`). */
export function encodeProgram(program: Program, options: EncodeOptions): Buffer {
  const { limits } = program;
  const records = [...program.files.map(fileRecord), record("W", u64(limits.work_bytes, limits.work_inodes))];
  if (program.network === true) records.push(record("N"));
  for (const glob of program.artifacts ?? []) records.push(textRecord("G", glob));
  for (const stage of program.stages) {
    records.push(textRecord("S", stage.name === "compile" ? "c" : "r"));
    for (const argument of stage.command) records.push(textRecord("A", argument));
    for (const [name, value] of Object.entries(stage.environment)) {
      records.push(textRecord("E", `${name}=${value}`));
    }
    if (stage.stdin.length > 0) records.push(record("I", stage.stdin));
    records.push(...limitRecords(stage, limits));
    if (options.processRlimit) records.push(limitRecord("processes", limits.processes));
    if (stage.name === "run" && program.interaction !== undefined) {
      records.push(...interactionRecords(program.interaction));
    }
  }
  records.push(...(program.tests ?? []).flatMap(testRecords));
  return frameProgram(records, MAGICS[options.as ?? "program"]);
}
