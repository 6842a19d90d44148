import { z } from "zod";

import type { JobSettings } from "../backends/kubernetes/kubernetes-job.ts";
import { imageVariable } from "../backends/kubernetes/kubernetes-names.ts";
import type { LanguageRegistry } from "../core/languages.ts";
import { given, read, setting } from "./setting.ts";
import type { Environment, Setting } from "./setting.ts";
import {
  absolutePath,
  boolean,
  counts,
  cpuQuantity,
  integer,
  list,
  objectName,
  oneOf,
  optional,
  selector,
  taints,
} from "./setting-values.ts";

const MAX_MILLICORES = 1_000_000;
const IMAGE = z
  .string()
  .regex(/^[\w.:/@-]{1,512}$/)
  .describe("the name of an image, with a tag or digest where one is wanted");
const REGISTRY = z
  .string()
  .regex(/^[a-zA-Z0-9.-]{1,253}(?::\d{1,5})?(?:\/[a-z0-9._-]{1,128}){0,8}$/)
  .describe("a host, with a port and a path where they are wanted");
const TAG = z
  .string()
  .regex(/^\w[\w.-]{0,127}$/)
  .describe("letters, digits, _, . and -");

/** The variables of the Kubernetes backend, but those of the images. */
export function kubernetesSettings() {
  return {
    KUBECONFIG: setting(
      z.string().describe("paths with colons between them"),
      "",
      "Kubernetes: how the cluster is reached",
      "the account of the pod that the server runs in, else ~/.kube/config",
    ),
    KUBERNETES_NAMESPACE: setting(objectName(), "default", "Kubernetes: where the runs' Jobs are made; it must exist"),
    JOB_TEMPLATE_DIR: setting(
      optional(absolutePath()),
      "",
      "Kubernetes: the folder with job.yaml and what languages change of it",
      "k8s/templates of the server",
    ),
    JOB_TTL_SECONDS: setting(
      integer(0, 31_536_000),
      "60",
      "Kubernetes: how long a Job, and with it the result, is kept after its end, in seconds",
    ),
    QUEUE_SECONDS: setting(
      integer(1, 86_400),
      "600",
      "Kubernetes: how long a run may wait for a node before it is lost, in seconds",
    ),
    CPU_REQUEST: setting(
      optional(cpuQuantity(1, MAX_MILLICORES)),
      "",
      "Kubernetes: share of the processors that a run reserves on its node",
      "as much as its limit",
    ),
    WARM_POOL: setting(
      counts(1, 1000),
      "",
      "Kubernetes: how many Jobs of which languages are made before their runs, by each server, and wait with their interpreters started",
      "none",
    ),
    IMAGE_REGISTRY: setting(
      optional(REGISTRY),
      "",
      "Kubernetes: what stands before the names of the languages' images, unless an image is named itself",
      "none",
    ),
    IMAGE_TAG: setting(
      optional(TAG),
      "",
      "Kubernetes: the tag of the languages' images, unless an image is named itself",
      "none, which is latest",
    ),
    IMAGE_PULL_POLICY: setting(
      oneOf(["Always", "IfNotPresent", "Never"]),
      "IfNotPresent",
      "Kubernetes: when nodes pull the languages' images",
    ),
    IMAGE_PULL_SECRETS: setting(list(objectName()), "", "Kubernetes: secrets that images are pulled with", "none"),
    RUNTIME_CLASS: setting(
      optional(objectName()),
      "",
      "Kubernetes: the RuntimeClass of sandboxes, such as one of gVisor or Kata",
      "the cluster's default",
    ),
    HOST_USERS: setting(
      optional(boolean()),
      "",
      "Kubernetes: false gives each sandbox a user namespace of its own",
      "the template's",
    ),
    NODE_SELECTOR: setting(selector(), "", "Kubernetes: labels of the nodes that sandboxes run on", "none"),
    TOLERATIONS: setting(taints(), "", "Kubernetes: taints of nodes that sandboxes run on all the same", "none"),
    PRIORITY_CLASS: setting(optional(objectName()), "", "Kubernetes: the PriorityClass of sandboxes", "none"),
    SERVICE_ACCOUNT: setting(
      optional(objectName()),
      "",
      "Kubernetes: the account of sandboxes, which is given no token and needs no right",
      "the template's, or the namespace's own",
    ),
    QUEUE_NAME: setting(
      optional(objectName()),
      "",
      "Kubernetes: Kueue's local queue that Jobs are put into; not together with MAX_RUNNING",
      "none",
    ),
  };
}

/** A variable for each language's image. */
export function imageSettings({ languages }: LanguageRegistry): [string, Setting<string>][] {
  return languages.map(({ name, image }) => [
    imageVariable(name),
    setting(IMAGE, image, `Kubernetes: the image that programs in ${name} run in`),
  ]);
}

export interface KubernetesSettings {
  kubeconfig: string | undefined;
  namespace: string;
  templateDir: string | undefined;
  jobs: Omit<JobSettings, "images">;
  /** How many Jobs of each language wait for runs. */
  warmPool: ReadonlyMap<string, number>;
}

/** Throws `SettingsError`. */
export function readKubernetesSettings(environment: Environment): KubernetesSettings {
  const table = kubernetesSettings();
  return {
    kubeconfig: given(environment, "KUBECONFIG"),
    namespace: read(environment, "KUBERNETES_NAMESPACE", table.KUBERNETES_NAMESPACE),
    templateDir: read(environment, "JOB_TEMPLATE_DIR", table.JOB_TEMPLATE_DIR),
    warmPool: read(environment, "WARM_POOL", table.WARM_POOL),
    jobs: {
      imagePullPolicy: read(environment, "IMAGE_PULL_POLICY", table.IMAGE_PULL_POLICY),
      imagePullSecrets: read(environment, "IMAGE_PULL_SECRETS", table.IMAGE_PULL_SECRETS),
      ttlSeconds: read(environment, "JOB_TTL_SECONDS", table.JOB_TTL_SECONDS),
      queueSeconds: read(environment, "QUEUE_SECONDS", table.QUEUE_SECONDS),
      cpuRequestMillicores: read(environment, "CPU_REQUEST", table.CPU_REQUEST),
      runtimeClass: read(environment, "RUNTIME_CLASS", table.RUNTIME_CLASS),
      nodeSelector: read(environment, "NODE_SELECTOR", table.NODE_SELECTOR),
      tolerations: read(environment, "TOLERATIONS", table.TOLERATIONS),
      priorityClass: read(environment, "PRIORITY_CLASS", table.PRIORITY_CLASS),
      hostUsers: read(environment, "HOST_USERS", table.HOST_USERS),
      serviceAccount: read(environment, "SERVICE_ACCOUNT", table.SERVICE_ACCOUNT),
      queueName: read(environment, "QUEUE_NAME", table.QUEUE_NAME),
    },
  };
}

/** Each language's image. Throws `SettingsError`. */
export function readImages(environment: Environment, registry: LanguageRegistry): Map<string, string> {
  const { IMAGE_REGISTRY, IMAGE_TAG } = kubernetesSettings();
  const place = read(environment, "IMAGE_REGISTRY", IMAGE_REGISTRY);
  const tag = read(environment, "IMAGE_TAG", IMAGE_TAG);
  const images = imageSettings(registry).map(([variable, image]) => {
    if (given(environment, variable) !== undefined) return read(environment, variable, image);
    return `${place === undefined ? "" : `${place}/`}${image.default}${tag === undefined ? "" : `:${tag}`}`;
  });
  return new Map(registry.languages.map(({ name }, index) => [name, images[index] ?? ""]));
}
