import type { AheadProgram } from "../../core/ahead.ts";
import { StartError } from "../../core/errors.ts";
import type { Language } from "../../core/languages.ts";
import { KubernetesBackend } from "./kubernetes-backend.ts";
import type { KubernetesBackendOptions } from "./kubernetes-backend.ts";
import { checkTemplates, loadTemplates } from "./kubernetes-check.ts";
import { KubernetesClient } from "./kubernetes-client.ts";
import type { WarmSettings } from "./kubernetes-warm-job.ts";

export interface OpenOptions extends Omit<KubernetesBackendOptions, "client" | "templates" | "warm"> {
  kubeconfig: string | undefined;
  templateDir: string;
  warm: {
    /** How many Jobs of each language wait. */
    sizes: ReadonlyMap<string, number>;
    maxAgeMs: number;
    /** What waits in them. */
    ahead: (language: Language) => AheadProgram;
  };
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

/** What is made before its runs. Throws `StartError` for a language in which nothing can wait for a program. */
function warmOf({ warm: { sizes, maxAgeMs, ahead }, registry }: OpenOptions): WarmSettings {
  const able = registry.languages.filter(
    ({ ahead: waits, compile }) => waits !== false && waits !== "used" && compile === undefined,
  );
  const languages = [...sizes].map(([name, size]) => {
    const language = able.find((each) => each.name === name);
    if (language === undefined) {
      const allowed = able.map((each) => each.name).join(", ");
      throw new StartError(
        `WARM_POOL: ${JSON.stringify(name)} is no language whose programs can be waited for; one of ${allowed} is wanted`,
      );
    }
    return { language, ahead: ahead(language), size };
  });
  return { languages, maxAgeMs };
}

/** Finds the cluster, checks namespace and templates there, and begins to watch. Throws `StartError`. */
export async function openKubernetesBackend(options: OpenOptions): Promise<KubernetesBackend> {
  const warm = warmOf(options);
  const { kubeconfig, templateDir, ...rest } = options;
  const templates = loadTemplates(templateDir, rest.registry);
  const opened = { ...rest, client: loadCluster(kubeconfig), templates, warm };
  await checkTemplates(opened);
  return await KubernetesBackend.open(opened);
}
