import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { KubeConfig } from "@kubernetes/client-node";
import { parseAllDocuments } from "yaml";

import { KubernetesClient } from "../../backends/kubernetes/kubernetes-client.ts";
import { accountOf } from "./account.ts";
import { CHART } from "./chart.ts";
import { look } from "./cluster.ts";
import { PATH, helm, kubectl } from "./commands.ts";
import { githubTokens } from "./github-tokens.ts";
import { temporaryFolder } from "./server.ts";

const ROOT = join(import.meta.dirname, "../..");
const DEPLOYMENT_MS = 800_000;
const VALUES = {
  replicas: 1,
  settings: { CPU_REQUEST: "25m", CPU_LIMIT: "1" },
  resources: { requests: { cpu: "25m" } },
};

interface Deployment {
  code: number | string | null | undefined;
  stdout: string;
  stderr: string;
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

/** The account of k8s/rbac-ci.yml in namespaces of its own, and what it deploys; `await using` removes it all. */
export class Deployer implements AsyncDisposable {
  readonly namespace: string;
  readonly sandboxes: string;
  readonly folder: string;
  readonly #kubeconfig: string;
  readonly #stack: AsyncDisposableStack;

  private constructor(namespace: string, folder: string, kubeconfig: string, stack: AsyncDisposableStack) {
    this.namespace = namespace;
    this.sandboxes = `${namespace}-sandboxes`;
    this.folder = folder;
    this.#kubeconfig = kubeconfig;
    this.#stack = stack;
  }

  /** `installed`: somebody who may do everything has installed the chart before, with its namespaces. */
  static async make({ installed = false } = {}): Promise<Deployer> {
    await using stack = new AsyncDisposableStack();
    const namespace = `sandbox-test-${randomBytes(5).toString("hex")}`;
    const folder = stack.use(await temporaryFolder()).path;
    await writeFile(join(folder, "values.yaml"), JSON.stringify(VALUES));
    const objects = await objectsIn(namespace);
    stack.defer(async () => void (await kubectl(["delete", "--ignore-not-found", "--wait=false", "-f", "-"], objects)));
    if (installed) {
      const options = ["--create-namespace", "--values", "-", "--wait", "--timeout", "4m"];
      await helm(["install", "sandbox", CHART, "--namespace", namespace, ...options], VALUES);
    }
    await kubectl(["apply", "-f", "-"], objects);
    const { kubeconfig } = stack.use(await accountOf(namespace, "deployer"));
    return new Deployer(namespace, folder, kubeconfig, stack.move());
  }

  /** The cluster with the account's rights. */
  client(): KubernetesClient {
    return KubernetesClient.load(this.#kubeconfig);
  }

  /** Runs scripts/deploy.sh to its end, with the account's rights. */
  async deploy(...words: string[]): Promise<Deployment> {
    return await this.#run("deploy.sh", this.#words(words), { KUBECONFIG: this.#kubeconfig });
  }

  /** The same as a job of GitHub that has no kubeconfig, and is given the account's token in place of GitHub's own. */
  async deployByToken(): Promise<Deployment & { server: string; audiences: (string | null)[] }> {
    const config = new KubeConfig();
    config.loadFromFile(this.#kubeconfig);
    const { server = "", caData = "" } = config.getCurrentCluster() ?? {};
    await using tokens = await githubTokens(JSON.stringify({ value: config.getCurrentUser()?.token }));
    const authority = join(this.folder, "authority.crt");
    await writeFile(authority, Buffer.from(caData, "base64"));
    const kubeconfig = join(this.folder, "kubeconfig");
    const { stdout } = await this.#run("github-oidc.sh", ["kubeconfig", server, authority]);
    await writeFile(kubeconfig, stdout, { mode: 0o600 });
    const environment = { ...tokens.environment, KUBECONFIG: kubeconfig };
    const deployment = await this.#run("deploy.sh", this.#words(), environment);
    return { ...deployment, server, audiences: tokens.audiences };
  }

  #words(more: readonly string[] = []): string[] {
    const values = join(this.folder, "values.yaml");
    return ["--namespace", this.namespace, "--values", values, "--timeout", "4m", ...more];
  }

  async #run(script: string, words: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Deployment> {
    const options = { env: { ...process.env, PATH, ...environment }, timeout: DEPLOYMENT_MS };
    const { promise, resolve } = Promise.withResolvers<Deployment>();
    execFile(join(ROOT, "scripts", script), words, options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code, stdout, stderr });
    });
    return await promise;
  }

  /** The image of the servers, and what became of each revision of the release. */
  async state(): Promise<{ image: string | undefined; revisions: string[] }> {
    const deployment = await look(`/apis/apps/v1/namespaces/${this.namespace}/deployments/sandbox-api`);
    const image = /"image":"([^"]+)"/.exec(JSON.stringify(deployment?.spec))?.[1];
    const history = await helm(["history", "sandbox", "--namespace", this.namespace]);
    const revisions = history.trim().split("\n").slice(1);
    return { image, revisions: revisions.map((line) => line.split("\t")[2]?.trim() ?? "") };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
