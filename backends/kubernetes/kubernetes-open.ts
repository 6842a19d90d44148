import { StartError } from "../../core/errors.ts";
import { KubernetesBackend } from "./kubernetes-backend.ts";
import type { KubernetesBackendOptions } from "./kubernetes-backend.ts";
import { checkTemplates, loadTemplates } from "./kubernetes-check.ts";
import { KubernetesClient } from "./kubernetes-client.ts";

export interface OpenOptions extends Omit<KubernetesBackendOptions, "client" | "templates"> {
  kubeconfig: string | undefined;
  templateDir: string;
}

/** Finds the cluster, checks namespace and templates there, and begins to watch. Throws `StartError`. */
export async function openKubernetesBackend({
  kubeconfig,
  templateDir,
  ...rest
}: OpenOptions): Promise<KubernetesBackend> {
  const templates = loadTemplates(templateDir, rest.registry);
  let client: KubernetesClient;
  try {
    client = KubernetesClient.load(kubeconfig);
  } catch (error) {
    const problem = (error instanceof Error ? error.message : String(error)).split("\n")[0];
    throw new StartError(
      `KUBECONFIG=${JSON.stringify(kubeconfig ?? "")} names no cluster that can be used: ${problem}`,
      { cause: error },
    );
  }
  const options = { ...rest, client, templates };
  await checkTemplates(options);
  return await KubernetesBackend.open(options);
}
