import { deflateSync } from "node:zlib";

/** Encodes programs as the runner reads them, and, for the tests of its refusals, things that are almost programs. */

export const LIMIT_KEYS = {
  wallUs: 1,
  cpuUs: 2,
  memoryBytes: 3,
  processes: 4,
  openFiles: 5,
  fileBytes: 6,
  outputBytes: 7,
  idleUs: 8,
} as const;

export type LimitName = keyof typeof LIMIT_KEYS;

export interface StageSpec {
  kind?: "c" | "r";
  command: readonly string[];
  environment?: Readonly<Record<string, string>>;
  stdin?: Uint8Array | string;
  /** Spoken to while it runs; with a size, by a terminal. */
  live?: true | { columns: number; rows: number };
  limits?: Partial<Record<LimitName, number>>;
}

/** What a test has of its own; the rest is the run stage's. */
export interface TestSpec {
  command?: readonly string[];
  stdin?: Uint8Array | string;
  files?: Readonly<Record<string, string | Uint8Array>>;
  limits?: Partial<Record<LimitName, number>>;
}

export interface ProgramSpec {
  files?: Readonly<Record<string, string | Uint8Array>>;
  workBytes?: number;
  workInodes?: number;
  stages: readonly StageSpec[];
  tests?: readonly TestSpec[];
  globs?: readonly string[];
  keepBytes?: number;
  network?: boolean;
}

const DEFAULT_LIMITS: Partial<Record<LimitName, number>> = {
  wallUs: 20_000_000,
  cpuUs: 20_000_000,
  memoryBytes: 512 << 20,
  openFiles: 256,
  fileBytes: 64 << 20,
  outputBytes: 1 << 20,
};

export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function u64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

export function record(tag: string, ...values: (Uint8Array | string)[]): Buffer {
  const value = Buffer.concat(values.map((part) => Buffer.from(part)));
  return Buffer.concat([Buffer.from(tag), u32(value.length), value]);
}

export function file(name: string | Uint8Array, content: Uint8Array | string = ""): Buffer {
  const bytes = Buffer.from(name);
  return record("F", u16(bytes.length), bytes, content);
}

/** A file as an earlier compile stage has left it. */
export function kept(name: string, content: Uint8Array | string = "", mode = 0o644): Buffer {
  return record("K", u16(mode), u16(Buffer.byteLength(name)), name, content);
}

/** Asks for at most so many bytes of what the compile stage leaves. */
export function keeping(bytes: number | bigint): Buffer {
  return record("C", u64(bytes));
}

export function work(bytes: number | bigint = 64 << 20, inodes: number | bigint = 10_000): Buffer {
  return record("W", u64(bytes), u64(inodes));
}

export function limit(name: LimitName, value: number | bigint): Buffer {
  return record("L", Buffer.of(LIMIT_KEYS[name]), u64(value));
}

export function limits(changed: StageSpec["limits"] = {}): Buffer[] {
  return Object.keys(LIMIT_KEYS).flatMap((name) => {
    const key = name as LimitName;
    const value = changed[key] ?? DEFAULT_LIMITS[key];
    return value === undefined ? [] : [limit(key, value)];
  });
}

/** Makes the stage before it one that is spoken to. */
export function live(terminal: true | { columns: number; rows: number }): Buffer {
  return terminal === true ? record("V") : record("V", u16(terminal.columns), u16(terminal.rows));
}

export function stage(spec: StageSpec): Buffer[] {
  const environment = { PATH: "/usr/bin:/bin", HOME: "/work", ...spec.environment };
  return [
    record("S", spec.kind ?? "r"),
    ...spec.command.map((argument) => record("A", argument)),
    ...Object.entries(environment).map(([name, value]) => record("E", `${name}=${value}`)),
    ...(spec.stdin === undefined ? [] : [record("I", spec.stdin)]),
    ...(spec.live === undefined ? [] : [live(spec.live)]),
    ...limits(spec.limits),
  ];
}

export function testRecords(spec: TestSpec): Buffer[] {
  return [
    record("T"),
    ...Object.entries(spec.files ?? {}).map(([name, content]) => file(name, content)),
    ...(spec.command ?? []).map((argument) => record("A", argument)),
    ...(spec.stdin === undefined ? [] : [record("I", spec.stdin)]),
    ...Object.entries(spec.limits ?? {}).map(([name, value]) => limit(name as LimitName, value)),
  ];
}

export function recordsOf(program: ProgramSpec): Buffer[] {
  return [
    ...Object.entries(program.files ?? {}).map(([name, content]) => file(name, content)),
    work(program.workBytes, program.workInodes),
    ...(program.network === true ? [record("N")] : []),
    ...(program.globs ?? []).map((glob) => record("G", glob)),
    ...(program.keepBytes === undefined ? [] : [keeping(program.keepBytes)]),
    ...program.stages.flatMap(stage),
    ...(program.tests ?? []).flatMap(testRecords),
  ];
}

/** Puts the magic word and the length before records. */
export function frame(records: readonly Uint8Array[], magic = "SBXRUN01"): Buffer {
  const payload = Buffer.concat(records);
  return Buffer.concat([Buffer.from(magic), u32(payload.length), payload]);
}

/** What is started before its program is there. */
export function encodeAhead(program: ProgramSpec): Buffer {
  return frame(recordsOf(program), "SBXWAIT1");
}

/** A program that takes the place of what was started ahead. */
export function encodeAnew(program: ProgramSpec): Buffer {
  return frame(recordsOf(program), "SBXANEW1");
}

export function encode(program: ProgramSpec): Buffer {
  return frame(recordsOf(program));
}

/** Cuts a text, `SANDBOX_PROGRAM_0` and so on, for an environment. */
export function variablesOf(text: string, partLength = 100 << 10): Record<string, string> {
  const parts = text.match(new RegExp(`[^]{1,${partLength}}`, "g")) ?? [];
  return Object.fromEntries(parts.map((part, index) => [`SANDBOX_PROGRAM_${index}`, part]));
}

/** A header, by default the right one for `payload`, and behind it `payload` packed. */
export function pack(payload: Uint8Array, length = payload.length, magic = "SBXRUN01"): Buffer {
  return Buffer.concat([Buffer.from(magic), u32(length), deflateSync(payload)]);
}

/** What is started before its program is there, as the environment carries it. */
export function environmentOfAhead(program: ProgramSpec): Record<string, string> {
  const payload = Buffer.concat(recordsOf(program));
  return variablesOf(pack(payload, payload.length, "SBXWAIT1").toString("base64"));
}

/** The program as the environment carries it. */
export function environmentOf(program: ProgramSpec, partLength?: number): Record<string, string> {
  return variablesOf(pack(Buffer.concat(recordsOf(program))).toString("base64"), partLength);
}
