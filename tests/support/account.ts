import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { parse, parseAllDocuments } from "yaml";
import { z } from "zod";

import { CHART } from "./chart.ts";
import { cluster, make } from "./cluster.ts";
import type { Namespace } from "./cluster.ts";
import { helm } from "./commands.ts";

const KUBECONFIG = z.looseObject({ users: z.array(z.looseObject({})) });
const TOKEN = z.object({ status: z.object({ token: z.string() }) });
const OBJECT = z.looseObject({ kind: z.enum(["ServiceAccount", "Role", "RoleBinding"]) });
const PATHS = {
  ServiceAccount: (namespace: string) => `/api/v1/namespaces/${namespace}/serviceaccounts`,
  Role: (namespace: string) => `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/roles`,
  RoleBinding: (namespace: string) => `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`,
};

/** A kubeconfig of an account, gone with `await using`. */
export interface Account extends AsyncDisposable {
  kubeconfig: string;
}

/** The kubeconfig of an account that is there: the cluster's as it is, with a token in place of its credentials. */
export async function accountOf(namespace: string, name: string): Promise<Account> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 7200 } };
  const { status } = await cluster().call(TOKEN, "POST", path, { body });
  const config = KUBECONFIG.parse(parse(await readFile(process.env["KUBECONFIG"] ?? "", "utf8")));
  config.users = config.users.map((user) => ({ ...user, user: { token: status.token } }));
  const folder = await mkdtemp(join(tmpdir(), "sandbox-account-"));
  const kubeconfig = join(folder, randomBytes(4).toString("hex"));
  await writeFile(kubeconfig, JSON.stringify(config), { mode: 0o600 });
  return { kubeconfig, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

let rendered: Promise<string> | undefined;

/** The account that the chart gives to the servers, with its Role, in a namespace of a test; neither has anything else. */
export async function chartAccount({ name: namespace }: Namespace): Promise<Account> {
  const place = "namespace-of-test";
  const values = { sandbox: { namespace: place, createNamespace: false } };
  const words = ["template", "sandbox", CHART, "--namespace", place, "--show-only", "templates/access.yaml"];
  rendered ??= helm([...words, "--values", "-"], values);
  for (const document of parseAllDocuments((await rendered).replaceAll(place, namespace))) {
    const object = OBJECT.parse(document.toJS());
    await make(PATHS[object.kind](namespace), object);
  }
  return await accountOf(namespace, "sandbox-api");
}
