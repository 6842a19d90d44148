import type { ProgramFile } from "../../core/program.ts";

const LIMIT_OF_KEY = new Map([
  [1, "wallUs"],
  [2, "cpuUs"],
  [3, "memoryBytes"],
  [4, "processes"],
  [5, "openFiles"],
  [6, "fileBytes"],
  [7, "outputBytes"],
]);

interface ReadStage {
  kind: string;
  command: string[];
  environment: string[];
  stdin: Buffer;
  limits: Record<string, number>;
}

interface ReadTest extends Omit<ReadStage, "kind" | "environment" | "stdin"> {
  stdin: Buffer | undefined;
  files: ProgramFile[];
}

export interface ReadProgram {
  files: ProgramFile[];
  workBytes: number;
  workInodes: number;
  network: boolean;
  stages: ReadStage[];
  tests: ReadTest[];
}

function utf8(bytes: Buffer): string {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
}

function u64(bytes: Buffer, offset: number): number {
  const value = bytes.readBigUInt64LE(offset);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new Error(`${value} is not exact as a number`);
  return Number(value);
}

function readFile(value: Buffer): ProgramFile {
  const nameEnd = 2 + value.readUInt16LE(0);
  return { name: utf8(value.subarray(2, nameEnd)), content: value.subarray(nameEnd) };
}

function readStageRecord(stage: ReadStage | ReadTest | undefined, tag: string, value: Buffer): void {
  if (stage === undefined) throw new Error(`record ${tag} comes before any stage`);
  if (tag === "A") stage.command.push(utf8(value));
  else if (tag === "E" && "environment" in stage) stage.environment.push(utf8(value));
  else if (tag === "I") stage.stdin = value;
  else if (tag === "L") {
    const name = LIMIT_OF_KEY.get(value.readUInt8(0));
    if (name === undefined || value.length !== 9) throw new Error("not a limit");
    stage.limits[name] = u64(value, 1);
  } else throw new Error(`unknown record ${tag}`);
}

/** Reads the runner's input format, of which it knows nothing but the format's description. Throws when a byte is out of place. */
export function readProgram(encoded: Buffer): ReadProgram {
  if (encoded.toString("latin1", 0, 8) !== "SBXRUN01") throw new Error("wrong magic word");
  const payload = encoded.subarray(12);
  if (encoded.readUInt32LE(8) !== payload.length) throw new Error("wrong length");
  const program: ReadProgram = { files: [], workBytes: 0, workInodes: 0, network: false, stages: [], tests: [] };
  for (let offset = 0; offset < payload.length;) {
    const tag = payload.toString("latin1", offset, offset + 1);
    const end = offset + 5 + payload.readUInt32LE(offset + 1);
    if (end > payload.length) throw new Error(`record ${tag} is cut`);
    const value = payload.subarray(offset + 5, end);
    if (tag === "F") (program.tests.at(-1) ?? program).files.push(readFile(value));
    else if (tag === "T") program.tests.push({ files: [], command: [], stdin: undefined, limits: {} });
    else if (tag === "W") {
      program.workBytes = u64(value, 0);
      program.workInodes = u64(value, 8);
    } else if (tag === "N" && value.length === 0) {
      program.network = true;
    } else if (tag === "S") {
      program.stages.push({
        kind: value.toString("latin1"),
        command: [],
        environment: [],
        stdin: Buffer.alloc(0),
        limits: {},
      });
    } else readStageRecord(program.tests.at(-1) ?? program.stages.at(-1), tag, value);
    offset = end;
  }
  return program;
}
