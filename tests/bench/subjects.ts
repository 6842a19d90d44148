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

/** One way to execute a greeting. Executes it once; throws unless it greets. */
export type Subject = () => Promise<void>;

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
    expectGreeting(stdout);
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
  return async () => expectGreeting(await execute(command));
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

/** Executes a run over a connection that stays open, up to the parsed answer; throws unless it succeeds. */
export async function answerOf(connections: Connections, body: Buffer): Promise<Answer> {
  const answer = ANSWER.parse(JSON.parse(await connections.post("/api/run/sync", body)));
  if (answer.status !== "succeeded") throw new Error(`a run ended as ${JSON.stringify(answer)}`);
  return answer;
}

/** A request to the server for the language's greeting. */
export function serverSubject(language: Language, connections: Connections): Subject {
  const body = Buffer.from(JSON.stringify({ language: language.name, code: HELLO.get(language.name) }));
  return async () => expectGreeting((await answerOf(connections, body)).stdout);
}
