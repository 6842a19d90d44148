import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { delimiter, dirname, join } from "node:path";

const COMMAND_MS = 300_000;
/** A cluster that runs on this machine keeps helm and kubectl beside its kubeconfig; elsewhere they are in PATH. */
export const PATH = [process.env["PATH"], join(dirname(process.env["KUBECONFIG"] ?? "/nowhere/x"), "bin")].join(
  delimiter,
);

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

function start(program: "helm" | "kubectl", words: readonly string[]): ChildProcess {
  return spawn(program, words, { env: { ...process.env, PATH }, stdio: "pipe", timeout: COMMAND_MS });
}

async function ended(program: "helm" | "kubectl", words: readonly string[], input: string): Promise<Ended> {
  const child = start(program, words);
  const output = { stdout: "", stderr: "" };
  child.stdout?.on("data", (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (output.stderr += chunk.toString()));
  // One that ends before it has read everything says why by its exit code.
  child.stdin?.on("error", () => {});
  child.stdin?.end(input);
  const { promise, resolve, reject } = Promise.withResolvers<Ended>();
  child.once("error", (error) =>
    reject(new Error(`${program} is needed in PATH, or in bin beside KUBECONFIG: ${error.message}`)),
  );
  child.once("close", (code) => resolve({ code, ...output }));
  return await promise;
}

async function succeed(program: "helm" | "kubectl", words: readonly string[], input: string): Promise<string> {
  const { code, stdout, stderr } = await ended(program, words, input);
  if (code !== 0) throw new Error(`${program} ${words.join(" ")} ended with ${code}: ${stderr}${stdout}`);
  return stdout;
}

/** What helm prints, given values as its standard input where the words ask for it with `--values -`. */
export async function helm(words: readonly string[], values: unknown = {}): Promise<string> {
  return await succeed("helm", words, JSON.stringify(values));
}

/** What helm says when it must refuse. */
export async function helmRefusal(words: readonly string[], values: unknown = {}): Promise<string> {
  const { code, stdout, stderr } = await ended("helm", words, JSON.stringify(values));
  if (code === 0) throw new Error(`helm ${words.join(" ")} was expected to refuse: ${stdout}`);
  return stderr;
}

export async function kubectl(words: readonly string[], input = ""): Promise<string> {
  return await succeed("kubectl", words, input);
}

/** A local address that leads to `target`, such as service/name, until it is disposed of. */
export async function portForward(
  namespace: string,
  target: string,
  port: number,
): Promise<AsyncDisposable & { url: string }> {
  const child = start("kubectl", ["-n", namespace, "port-forward", "--address=127.0.0.1", target, `:${port}`]);
  const closed = new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("close", () => resolve());
  });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      const found = /Forwarding from (127\.0\.0\.1:\d+)/.exec(output)?.[1];
      if (found !== undefined) resolve(`http://${found}`);
    });
  }
  void closed.then(() => reject(new Error(`kubectl port-forward ended: ${output}`)));
  const url = await promise;
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await closed;
    },
  };
}
