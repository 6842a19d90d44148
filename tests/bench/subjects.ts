import { spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { z } from "zod";

import type { Language } from "../../core/languages.ts";
import type { Program } from "../../core/program.ts";
import type { Connections } from "./connections.ts";
import { HELLO, helloProgram, machineCommand, machineEnvironment } from "./programs.ts";

/** Longer than any greeting takes, on a machine that is busy with others. */
const TIMEOUT_MS = 30_000;

/** Looks at what an execution has given, which does not belong to it; throws unless that is right. */
export type Check = () => void;

/** One way to execute a program. Executes it once. */
export type Subject = () => Promise<Check>;

export interface Command {
  file: string;
  words: readonly string[];
  cwd: string;
  env: Record<string, string>;
}

export function execute({ file, words, cwd, env }: Command): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(file, words, { cwd, env, stdio: "pipe", timeout: TIMEOUT_MS, killSignal: "SIGKILL" });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  child.once("error", reject);
  child.once("close", (code) =>
    code === 0 ? resolve(stdout) : reject(new Error(`${file} ended with ${code}: ${stderr}`)),
  );
  child.stdin.end();
  return promise;
}

export function expectGreeting(stdout: string): void {
  if (stdout !== "hello\n") throw new Error(`a greeting was expected, ${JSON.stringify(stdout)} came`);
}

async function writeProgram({ files }: Program, folder: string): Promise<void> {
  for (const { name, content } of files) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
}

/** The language's own commands on a file in `folder` that holds its greeting, or `code`. */
export async function bareCommands(language: Language, folder: string, code?: string): Promise<Command[]> {
  const program = helloProgram(language, code);
  await writeProgram(program, folder);
  return program.stages.map((stage): Command => {
    const [file, words] = machineCommand(stage.command);
    return { file, words, cwd: folder, env: machineEnvironment(stage.environment, folder) };
  });
}

/** The toolchain alone: the commands from the first's start to the last's end. */
export function bareSubject(commands: readonly Command[]): Subject {
  return async () => {
    let stdout = "";
    for (const command of commands) stdout = await execute(command);
    return () => expectGreeting(stdout);
  };
}

/** The toolchain in a plain bubblewrap that is started for it: namespaces and mounts, but no limits and no filter. */
export async function bubblewrapSubject(language: Language, folder: string): Promise<Subject> {
  const program = helloProgram(language);
  await writeProgram(program, folder);
  const [stage] = program.stages;
  if (stage === undefined) throw new Error("a program has no stage");
  const [file, words] = machineCommand(stage.command);
  const links = ["bin", "lib", "lib64"].flatMap((name) => ["--symlink", `usr/${name}`, `/${name}`]);
  const mounts = ["--ro-bind", "/usr", "/usr", ...links, "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"];
  const node = file === process.execPath ? ["--ro-bind", file, "/opt/node"] : [];
  const command: Command = {
    file: "bwrap",
    words: [
      ...["--unshare-all", "--die-with-parent", ...mounts, ...node, "--bind", folder, "/work", "--chdir", "/work"],
      ...[node.length > 0 ? "/opt/node" : file, ...words],
    ],
    cwd: folder,
    env: machineEnvironment(stage.environment, "/work"),
  };
  return async () => {
    const stdout = await execute(command);
    return () => expectGreeting(stdout);
  };
}

const ANSWER = z.object({
  status: z.string(),
  verdict: z.string().optional(),
  stdout: z.string(),
  stderr: z.string(),
  reason: z.string().nullable(),
  compile: z.object({ cached: z.boolean().default(false) }).nullable(),
});
export type Answer = z.infer<typeof ANSWER>;

/** Executes a run over a connection that stays open, up to the whole answer, which `look` then gets; it throws unless the run succeeds. */
export async function execution(
  connections: Connections,
  body: Buffer,
  look: (answer: Answer) => void,
): Promise<Check> {
  const text = await connections.post("/api/run/sync", body);
  return () => {
    const answer = ANSWER.parse(JSON.parse(text));
    if (answer.status !== "succeeded") throw new Error(`a run ended as ${text}`);
    look(answer);
  };
}

/** A request to the server for the language's greeting. */
export function serverSubject(language: Language, connections: Connections): Subject {
  const body = Buffer.from(JSON.stringify({ language: language.name, code: HELLO.get(language.name) }));
  return async () => await execution(connections, body, ({ stdout }) => expectGreeting(stdout));
}
