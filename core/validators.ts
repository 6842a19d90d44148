import { Buffer } from "node:buffer";

import { ServiceError, invalid } from "./errors.ts";
import { LIMITS, LIMIT_NAMES, limitsFrom } from "./limits.ts";
import type { LimitBounds, Limits } from "./limits.ts";
import type { Comparison } from "./comparison.ts";
import type { ProgramFile, TestLimits } from "./program.ts";

/** What a client asks for, with its types checked and nothing else. */
export interface RunRequest {
  language: string;
  code?: string | undefined;
  files?: { name: string; content: string; encoding?: "utf8" | "base64" | undefined }[] | undefined;
  stdin?: string | undefined;
  args?: string[] | undefined;
  env?: Record<string, string> | undefined;
  limits?: Partial<Record<keyof Limits, number | undefined>> | undefined;
  tests?: TestRequest[] | undefined;
  comparison?: ComparisonRequest | undefined;
  stop_on_failure?: boolean | undefined;
  artifacts?: string[] | undefined;
  callback_url?: string | undefined;
  network?: boolean | undefined;
}

export interface TestRequest {
  stdin?: string | undefined;
  expected_stdout?: string | undefined;
  args?: string[] | undefined;
  limits?: Partial<Record<keyof TestLimits, number | undefined>> | undefined;
}

export interface ComparisonRequest {
  mode: Comparison["mode"];
  tolerance?: number | undefined;
  language?: string | undefined;
  code?: string | undefined;
}

/** Bounds on what a request may carry; not limits of the program. */
export interface RequestBounds {
  /** All files together, after decoding, in bytes. */
  maxProgramBytes: number;
  maxStdinBytes: number;
}

export const MAX_FILES = 256;
export const MAX_FILE_NAME_BYTES = 255;
export const MAX_ARGUMENTS = 256;
export const MAX_VARIABLES = 256;
/** Together they stay far below the kernel's quarter of the stack limit, and each below its 128 KiB (execve(2)). */
const MAX_ARGUMENT_BYTES = 64 * 1024;
const MAX_ARGUMENTS_BYTES = 512 * 1024;

/** RFC 4648, section 4. */
export const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export function wellFormed(text: string, field: string): void {
  if (!text.isWellFormed()) throw invalid(field, "contains half of a surrogate pair, which no UTF-8 can carry");
}

function noControl(text: string, field: string): void {
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(text)) throw invalid(field, "contains a control character such as NUL or a newline");
}

/** Throws unless `name` is a plain relative path that means one file under the work folder. */
export function checkFileName(name: string, field: string): void {
  wellFormed(name, field);
  if (name === "") throw invalid(field, "is empty; a relative path such as main.py is wanted");
  if (Buffer.byteLength(name) > MAX_FILE_NAME_BYTES) {
    throw invalid(field, `is longer than ${MAX_FILE_NAME_BYTES} bytes`, MAX_FILE_NAME_BYTES);
  }
  noControl(name, field);
  if (name.startsWith("/")) throw invalid(field, "is absolute; a path relative to the work folder is wanted");
  if (/^[-@]/.test(name)) throw invalid(field, `begins with ${name[0]}, which a compiler would read as an option`);
  for (const segment of name.split("/")) {
    if (segment === "" || segment === "." || segment === "..") {
      throw invalid(field, 'has an empty, "." or ".." segment; a plain relative path is wanted');
    }
  }
}

export const MAX_GLOBS = 20;

/** Globs of artifacts: relative to the work folder, and leading nowhere else. */
export function checkArtifacts(globs: readonly string[] | undefined): readonly string[] | undefined {
  if (globs === undefined) return undefined;
  if (globs.length === 0) throw invalid("artifacts", "is empty; leave it out for no files to come back");
  if (globs.length > MAX_GLOBS) throw invalid("artifacts", `are more than ${MAX_GLOBS}`, MAX_GLOBS);
  for (const [index, glob] of globs.entries()) {
    const field = `artifacts[${index}]`;
    wellFormed(glob, field);
    if (glob === "") throw invalid(field, "is empty; a glob such as *.png is wanted");
    if (Buffer.byteLength(glob) > MAX_FILE_NAME_BYTES)
      throw invalid(field, `is longer than ${MAX_FILE_NAME_BYTES} bytes`, MAX_FILE_NAME_BYTES);
    noControl(glob, field);
    if (glob.startsWith("/")) throw invalid(field, "is absolute; a glob relative to the work folder is wanted");
    for (const segment of glob.split("/")) {
      if (segment === "" || segment === "." || segment === "..")
        throw invalid(field, 'has an empty, "." or ".." segment; a glob below the work folder is wanted');
      if (segment.includes("**") && segment !== "**")
        throw invalid(field, "has ** beside something else; as a whole segment it stands for any folders");
    }
  }
  return globs;
}

function checkCollisions(names: readonly string[]): void {
  const files = new Set<string>();
  const folders = new Map<string, string>();
  for (const [index, name] of names.entries()) {
    const field = `files[${index}].name`;
    if (files.has(name)) throw invalid(field, `${JSON.stringify(name)} is there twice`);
    const user = folders.get(name);
    if (user !== undefined)
      throw invalid(field, `${JSON.stringify(name)} is also the folder of ${JSON.stringify(user)}`);
    files.add(name);
    for (let slash = name.indexOf("/"); slash !== -1; slash = name.indexOf("/", slash + 1)) {
      const folder = name.slice(0, slash);
      if (files.has(folder)) throw invalid(field, `its folder ${JSON.stringify(folder)} is also a file`);
      folders.set(folder, name);
    }
  }
}

function decode(file: NonNullable<RunRequest["files"]>[number], field: string): Buffer {
  if (file.encoding !== "base64") {
    wellFormed(file.content, `${field}.content`);
    return Buffer.from(file.content);
  }
  if (!BASE64.test(file.content)) {
    throw invalid(`${field}.content`, "is not base64 (RFC 4648, section 4, with padding and no line breaks)");
  }
  return Buffer.from(file.content, "base64");
}

/** The program's files, the first being its entry: `code` under `defaultName`, or `files` as they are. */
export function checkFiles(request: RunRequest, defaultName: string, bounds: RequestBounds): ProgramFile[] {
  const { code, files } = request;
  if (code !== undefined && files !== undefined)
    throw invalid("files", "code and files exclude each other; send one of them");
  let result: ProgramFile[];
  if (code !== undefined) {
    if (code === "") throw invalid("code", "is empty");
    wellFormed(code, "code");
    result = [{ name: defaultName, content: Buffer.from(code) }];
  } else {
    if (files === undefined) throw invalid("code", "is missing; send code, or files");
    if (files.length === 0) throw invalid("files", "is empty; the first file is the one that runs");
    if (files.length > MAX_FILES) throw invalid("files", `are more than ${MAX_FILES}`, MAX_FILES);
    files.forEach((file, index) => checkFileName(file.name, `files[${index}].name`));
    checkCollisions(files.map((file) => file.name));
    result = files.map((file, index) => ({ name: file.name, content: decode(file, `files[${index}]`) }));
  }
  const field = code === undefined ? "files" : "code";
  const bytes = result.reduce((total, file) => total + file.content.length, 0);
  if (bytes > bounds.maxProgramBytes) {
    throw new ServiceError("program_too_large", `${field}: has ${bytes} bytes; ${bounds.maxProgramBytes} are allowed`, {
      field,
      allowed: bounds.maxProgramBytes,
    });
  }
  return result;
}

export function checkStdin(stdin: string | undefined, bounds: RequestBounds, field = "stdin"): Buffer {
  const text = stdin ?? "";
  wellFormed(text, field);
  const bytes = Buffer.from(text);
  if (bytes.length > bounds.maxStdinBytes) {
    throw new ServiceError(
      "program_too_large",
      `${field}: has ${bytes.length} bytes; ${bounds.maxStdinBytes} are allowed`,
      {
        field,
        allowed: bounds.maxStdinBytes,
      },
    );
  }
  return bytes;
}

function checkArgument(value: string, field: string): void {
  wellFormed(value, field);
  if (value.includes("\0")) throw invalid(field, "contains a NUL, which no argument or variable can carry");
  if (Buffer.byteLength(value) > MAX_ARGUMENT_BYTES) {
    throw invalid(field, `is longer than ${MAX_ARGUMENT_BYTES} bytes`, MAX_ARGUMENT_BYTES);
  }
}

function checkTotal(values: readonly string[], field: string): void {
  const bytes = values.reduce((total, value) => total + Buffer.byteLength(value), 0);
  if (bytes > MAX_ARGUMENTS_BYTES) {
    throw invalid(field, `has ${bytes} bytes in all; ${MAX_ARGUMENTS_BYTES} are allowed`, MAX_ARGUMENTS_BYTES);
  }
}

export function checkArguments(args: readonly string[] = [], field = "args"): readonly string[] {
  if (args.length > MAX_ARGUMENTS) throw invalid(field, `are more than ${MAX_ARGUMENTS}`, MAX_ARGUMENTS);
  args.forEach((argument, index) => checkArgument(argument, `${field}[${index}]`));
  checkTotal(args, field);
  return args;
}

/** Variables that make the loader, the C library or an interpreter run or read something else before the program starts. */
export const RESERVED_VARIABLES = [
  /^LD_/,
  /^GLIBC_TUNABLES$/,
  /^GCONV_PATH$/,
  /^(?:_JAVA_OPTIONS|JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS|CLASSPATH)$/,
  /^NODE_/,
  /^PYTHON(?:HOME|PATH|STARTUP|INSPECT|BREAKPOINT)$/,
  /^(?:BASH_ENV|ENV|SHELLOPTS|BASHOPTS|BASH_FUNC_.*)$/,
  /^PATH$/,
];

export const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

export function checkEnvironment(env: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const entries = Object.entries(env);
  if (entries.length > MAX_VARIABLES) throw invalid("env", `has more than ${MAX_VARIABLES} variables`, MAX_VARIABLES);
  for (const [name, value] of entries) {
    const field = `env.${name.slice(0, 64)}`;
    if (!VARIABLE_NAME.test(name)) {
      throw invalid(field, "is not a variable's name: letters, digits and _, at most 128, not beginning with a digit");
    }
    if (RESERVED_VARIABLES.some((pattern) => pattern.test(name))) {
      throw invalid(field, "is reserved: it changes what is loaded before the program starts");
    }
    checkArgument(value, field);
  }
  checkTotal(entries.flat(), "env");
  return env;
}

/** The run's limits: what was asked for, within the language's bounds on this server, and its defaults for the rest. */
export function checkLimits(
  asked: NonNullable<RunRequest["limits"]> = {},
  bounds: LimitBounds,
  field = "limits",
): Limits {
  for (const name of LIMIT_NAMES) {
    const value = asked[name];
    if (value === undefined) continue;
    const [minimum, maximum] = [Math.min(LIMITS[name].minimum, bounds.maximum[name]), bounds.maximum[name]];
    if (!Number.isInteger(value) || value < minimum || value > maximum) {
      throw invalid(
        `${field}.${name}`,
        `is ${value}; an integer from ${minimum} to ${maximum} is allowed`,
        `${minimum}..${maximum}`,
      );
    }
  }
  return limitsFrom((name) => asked[name] ?? bounds.default[name]);
}

const PAGE_BYTES = 4096;

/** Throws unless the program's own files fit into the work folder that its limits allow (a tmpfs counts whole pages). */
export function checkFit(files: readonly ProgramFile[], limits: Limits): void {
  const bytes = files.reduce((total, file) => total + Math.ceil(file.content.length / PAGE_BYTES) * PAGE_BYTES, 0);
  if (bytes > limits.work_bytes) {
    throw invalid(
      "limits.work_bytes",
      `is ${limits.work_bytes}; the program's files alone take ${bytes}`,
      `${bytes}..`,
    );
  }
  const folders = new Set(
    files
      .filter(({ name }) => name.includes("/"))
      .flatMap(({ name }) =>
        name
          .split("/")
          .slice(0, -1)
          .map((_, depth, all) => all.slice(0, depth + 1).join("/")),
      ),
  );
  // The root of the file system is an inode too.
  const inodes = files.length + folders.size + 1;
  if (inodes > limits.work_inodes) {
    throw invalid(
      "limits.work_inodes",
      `is ${limits.work_inodes}; the program's files and folders alone are ${inodes}`,
      `${inodes}..`,
    );
  }
}
