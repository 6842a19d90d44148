import { setTimeout as delay } from "node:timers/promises";

import { StartError } from "../../core/errors.ts";
import type { Language, LanguageRegistry } from "../../core/languages.ts";
import { versionProgram } from "../../core/probe.ts";
import { runId } from "../../core/run.ts";
import type { KubernetesClient } from "./kubernetes-client.ts";
import { KubernetesError } from "./kubernetes-error.ts";
import { makeJob } from "./kubernetes-job.ts";
import type { JobSettings } from "./kubernetes-job.ts";
import { KubernetesJobs } from "./kubernetes-jobs.ts";
import { packProgram } from "./kubernetes-program.ts";
import { JobTemplate, TemplateError } from "./kubernetes-template.ts";

/** How long the API server may take to be there, in milliseconds. */
const REACH_MS = 20_000;
const PAUSE_MS = 500;

/** The Job templates of all languages. Throws `StartError` that names file, line and field. */
export function loadTemplates(folder: string, { languages }: LanguageRegistry): Map<string, JobTemplate> {
  try {
    return new Map(languages.map(({ name }) => [name, JobTemplate.load(folder, name)]));
  } catch (error) {
    if (error instanceof TemplateError) throw new StartError(error.message, { cause: error });
    throw error;
  }
}

export interface CheckOptions {
  client: KubernetesClient;
  namespace: string;
  registry: LanguageRegistry;
  templates: ReadonlyMap<string, JobTemplate>;
  jobs: JobSettings;
  log: (message: string) => void;
}

/** The fields that a refusal names, in the API server's notation, each with what is wrong. */
function fieldsOf({ message, causes }: KubernetesError): { field: string; message: string }[] {
  const unknown = [...message.matchAll(/(unknown|duplicate) field "([^"]+)"/g)];
  if (unknown.length > 0) {
    return unknown.map(([, kind, field = ""]) => ({
      field,
      message: kind === "unknown" ? "is unknown" : "is there twice",
    }));
  }
  const mistyped = /json: cannot unmarshal (\S+) into Go struct field \w+\.(\S+) of type (\S+)/.exec(message);
  if (mistyped !== null) {
    const [, given = "", field = "", wanted = ""] = mistyped;
    return [{ field, message: `is a ${given}; ${wanted} is wanted` }];
  }
  return causes.length > 0 ? [...causes] : [{ field: "", message }];
}

async function check(options: CheckOptions, language: Language, template: JobTemplate): Promise<void> {
  const { client, namespace, jobs } = options;
  const program = versionProgram(language);
  const run = { id: runId(""), tenant: "", language: language.name, version: null, fingerprint: "", durable: false };
  const packed = await packProgram(program);
  const job = makeJob({ ...run, createdAt: new Date(), program }, language, packed, template, jobs, true);
  try {
    await new KubernetesJobs(client, namespace).check(job);
  } catch (error) {
    if (!(error instanceof KubernetesError)) throw error;
    if (error.status === 404) {
      throw new StartError(
        `KUBERNETES_NAMESPACE=${JSON.stringify(namespace)} is not there: ${error.message}; create it, or name another`,
      );
    }
    if (error.status === 400 || error.status === 422) {
      const [first = { field: "", message: error.message }] = fieldsOf(error);
      throw new StartError(template.error(first.field, first.message).message, { cause: error });
    }
    throw error;
  }
}

/**
 * Has the API server check one Job of each template. Throws `StartError` for a namespace or field that it refuses; what it
 * forbids is left to readiness, which names the verb.
 */
export async function checkTemplates(options: CheckOptions): Promise<void> {
  const { registry, templates, log } = options;
  const special = registry.languages.filter(({ name }) => templates.get(name)?.isSpecial === true);
  const plain = registry.languages.find(({ name }) => templates.get(name)?.isSpecial === false);
  const deadline = performance.now() + REACH_MS;
  for (const language of [...(plain === undefined ? [] : [plain]), ...special]) {
    const template = templates.get(language.name);
    if (template === undefined) continue;
    for (;;) {
      try {
        await check(options, language, template);
        break;
      } catch (error) {
        if (!(error instanceof KubernetesError)) throw error;
        if (error.status !== 0) {
          log(`the Job template can't be checked: ${error.message}`);
          return;
        }
        if (performance.now() > deadline)
          throw new StartError(`BACKEND=kubernetes: ${error.message}`, { cause: error });
        await delay(PAUSE_MS);
      }
    }
  }
}
