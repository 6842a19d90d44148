import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";

import { KubeConfig } from "@kubernetes/client-node";
import { parseAllDocuments } from "yaml";
import { z } from "zod";

import { cluster, look } from "./cluster.ts";
import { temporaryFolder } from "./server.ts";

const ROOT = join(import.meta.dirname, "../..");
const ADMIN = process.env["KUBECONFIG"] ?? "";
/** A cluster that runs on this machine keeps helm and kubectl beside its kubeconfig; elsewhere they are in PATH. */
const PATH = [process.env["PATH"], join(dirname(ADMIN), "bin")].join(delimiter);
const COMMAND_MS = 500_000;
const TOKEN = z.object({ status: z.object({ token: z.string() }) });
const VALUES = { replicas: 1, settings: { CPU_REQUEST: "50m" }, resources: { requests: { cpu: "10m" } } };

interface Ended {
  code: number | string | null | undefined;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end with the rights of a kubeconfig. */
async function run(kubeconfig: string, [program = "", ...words]: readonly string[], input = ""): Promise<Ended> {
  const { promise, resolve } = Promise.withResolvers<Ended>();
  const options = { env: { ...process.env, KUBECONFIG: kubeconfig, PATH }, timeout: COMMAND_MS };
  const child = execFile(program, words, options, (error, stdout, stderr) => {
    resolve({ code: error === null ? 0 : error.code, stdout, stderr });
  });
  // One that ends before it has read everything says why by its exit code.
  child.stdin?.on("error", () => {});
  child.stdin?.end(input);
  return await promise;
}

/** What it prints; throws when it fails. */
async function output(kubeconfig: string, command: readonly string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await run(kubeconfig, command, input);
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}: ${stderr}`);
  return stdout;
}

/** What k8s/rbac-ci.yml makes, with other namespaces than its own. */
async function objectsIn(namespace: string): Promise<string> {
  const documents = parseAllDocuments(await readFile(join(ROOT, "k8s/rbac-ci.yml"), "utf8"));
  const items = documents.map((document) => document.toJS() as unknown);
  return JSON.stringify({ apiVersion: "v1", kind: "List", items })
    .replaceAll('"sandbox"', `"${namespace}"`)
    .replaceAll('"sandbox-sandboxes"', `"${namespace}-sandboxes"`)
    .replaceAll('"sandbox-sandbox-api"', `"${namespace}-sandbox-api"`);
}

/** The cluster as it is, with a token of the account in place of the test's credentials. */
async function kubeconfigOf(namespace: string): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/deployer/token`;
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 3600 } };
  const { status } = await cluster().call(TOKEN, "POST", path, { body });
  const admin = new KubeConfig();
  admin.loadFromFile(ADMIN);
  const config = new KubeConfig();
  config.loadFromClusterAndUser(admin.getCurrentCluster()!, { name: "deployer", token: status.token });
  return config.exportConfig();
}

/** The account of k8s/rbac-ci.yml in namespaces of its own, and what it deploys; `await using` removes it all. */
export class Deployer implements AsyncDisposable {
  readonly namespace: string;
  readonly sandboxes: string;
  readonly folder: string;
  readonly #stack: AsyncDisposableStack;

  private constructor(namespace: string, folder: string, stack: AsyncDisposableStack) {
    this.namespace = namespace;
    this.sandboxes = `${namespace}-sandboxes`;
    this.folder = folder;
    this.#stack = stack;
  }

  /** `installed`: somebody who may do everything has installed the chart before, with its namespaces. */
  static async make({ installed = false } = {}): Promise<Deployer> {
    await using stack = new AsyncDisposableStack();
    const namespace = `sandbox-test-${randomBytes(5).toString("hex")}`;
    const folder = stack.use(await temporaryFolder()).path;
    const values = join(folder, "values.yaml");
    await writeFile(values, JSON.stringify(VALUES));
    const objects = await objectsIn(namespace);
    const removal = ["kubectl", "delete", "--ignore-not-found", "--wait=false", "-f", "-"];
    stack.defer(async () => void (await output(ADMIN, removal, objects)));
    if (installed) {
      const words = ["--namespace", namespace, "--create-namespace", "--values", values, "--wait"];
      await output(ADMIN, ["helm", "install", "sandbox", join(ROOT, "helm/sandbox-api"), ...words]);
    }
    await output(ADMIN, ["kubectl", "apply", "-f", "-"], objects);
    await writeFile(join(folder, "kubeconfig"), await kubeconfigOf(namespace), { mode: 0o600 });
    return new Deployer(namespace, folder, stack.move());
  }

  /** Runs a program with the account's rights. */
  async run(command: readonly string[], input?: string): Promise<Ended> {
    return await run(join(this.folder, "kubeconfig"), command, input);
  }

  /** What a program prints that is executed with the account's rights; throws when it fails. */
  async output(command: readonly string[], input?: string): Promise<string> {
    return await output(join(this.folder, "kubeconfig"), command, input);
  }

  async deploy(...words: string[]): Promise<Ended> {
    const options = ["--namespace", this.namespace, "--values", join(this.folder, "values.yaml"), "--timeout", "5m"];
    return await this.run([join(ROOT, "scripts/deploy.sh"), ...options, ...words]);
  }

  /** The image of the servers, and what became of each revision of the release. */
  async state(): Promise<{ image: string | undefined; revisions: string[] }> {
    const deployment = await look(`/apis/apps/v1/namespaces/${this.namespace}/deployments/sandbox-api`);
    const image = /"image":"([^"]+)"/.exec(JSON.stringify(deployment?.spec))?.[1];
    const history = await this.output(["helm", "history", "sandbox", "--namespace", this.namespace]);
    const revisions = history.trim().split("\n").slice(1);
    return { image, revisions: revisions.map((line) => line.split("\t")[2]?.trim() ?? "") };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
