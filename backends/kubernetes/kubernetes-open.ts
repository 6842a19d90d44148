import { StartError } from "../../core/errors.ts";
import { KubernetesBackend } from "./kubernetes-backend.ts";
import type { KubernetesBackendOptions } from "./kubernetes-backend.ts";
import { checkTemplates, loadTemplates } from "./kubernetes-check.ts";
import { KubernetesClient } from "./kubernetes-client.ts";

export interface OpenOptions extends Omit<KubernetesBackendOptions, "client" | "templates"> {
  kubeconfig: string | undefined;
  templateDir: string;
}

/** The cluster that `kubeconfig` names. Throws `StartError`. */
export function loadCluster(kubeconfig: string | undefined): KubernetesClient {
  try {
    return KubernetesClient.load(kubeconfig);
  } catch (error) {
    const problem = (error instanceof Error ? error.message : String(error)).split("\n")[0];
    throw new StartError(
      `KUBECONFIG=${JSON.stringify(kubeconfig ?? "")} names no cluster that can be used: ${problem}`,
      { cause: error },
    );
  }
}

/** Finds the cluster, checks namespace and templates there, and begins to watch. Throws `StartError`. */
export async function openKubernetesBackend({
  kubeconfig,
  templateDir,
  ...rest
}: OpenOptions): Promise<KubernetesBackend> {
  const templates = loadTemplates(templateDir, rest.registry);
  const options = { ...rest, client: loadCluster(kubeconfig), templates };
  await checkTemplates(options);
  return await KubernetesBackend.open(options);
}
