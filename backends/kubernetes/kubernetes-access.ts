import { z } from "zod";

import type { KubernetesClient } from "./kubernetes-client.ts";
import { KubernetesError } from "./kubernetes-error.ts";

interface Right {
  group: string;
  resource: string;
  subresource?: string;
  verb: string;
  /** What is missing without it, where the rest still works. */
  without?: string;
}

/** What the account needs in the runs' namespace. */
const RIGHTS: readonly Right[] = [
  ...["create", "get", "list", "watch", "patch"].map((verb) => ({ group: "batch", resource: "jobs", verb })),
  ...["list", "watch"].map((verb) => ({ group: "", resource: "pods", verb })),
  { group: "", resource: "pods", subresource: "log", verb: "get" },
  ...["create", "get"].map((verb) => ({
    group: "",
    resource: "pods",
    subresource: "attach",
    verb,
    without: "what is typed while a program runs does not reach it",
  })),
  {
    group: "",
    resource: "events",
    verb: "list",
    without: "a run whose pod is refused does not learn why",
  },
];

const RESIZE: Right = {
  group: "",
  resource: "pods",
  subresource: "resize",
  verb: "patch",
  without:
    "a run whose Job was made ahead of it goes on with the little of the processors that was reserved for waiting",
};

const REVIEW = z.object({ status: z.object({ allowed: z.boolean() }) });

/** How long an answer holds: an operator who adds a right sees it soon. */
const HOLDS_MS = 20_000;

export interface AccessReport {
  /** What is missing, each with its verb. */
  problems: string[];
  /** Whether runs can be executed all the same. */
  sufficient: boolean;
}

/** What the account may do, as the API server itself says (SelfSubjectAccessReview). */
export class KubernetesAccess {
  readonly #client: KubernetesClient;
  readonly #namespace: string;
  readonly #rights: readonly Right[];
  #report: { answer: Promise<AccessReport>; at: number } | undefined;

  /** `makesAhead` says whether Jobs are made before their runs. */
  constructor(client: KubernetesClient, namespace: string, makesAhead: boolean) {
    this.#client = client;
    this.#namespace = namespace;
    this.#rights = makesAhead ? [...RIGHTS, RESIZE] : RIGHTS;
  }

  async report(): Promise<AccessReport> {
    if (this.#report === undefined || performance.now() - this.#report.at > HOLDS_MS) {
      this.#report = { answer: this.#ask(), at: performance.now() };
    }
    return await this.#report.answer;
  }

  async #ask(): Promise<AccessReport> {
    try {
      const allowed = await Promise.all(this.#rights.map((right) => this.#isAllowed(right)));
      const missing = this.#rights.filter((_, index) => allowed[index] === false);
      return {
        problems: this.#problems(missing),
        sufficient: missing.every(({ without }) => without !== undefined),
      };
    } catch (error) {
      this.#report = undefined;
      if (!(error instanceof KubernetesError)) throw error;
      return { problems: [`the account's rights can't be checked: ${error.message}`], sufficient: error.status !== 0 };
    }
  }

  async #isAllowed({ group, resource, subresource, verb }: Right): Promise<boolean> {
    const resourceAttributes = { namespace: this.#namespace, group, resource, subresource, verb };
    const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    const body = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes },
    };
    const { status } = await this.#client.call(REVIEW, "POST", path, { body });
    return status.allowed;
  }

  /** Where every right is missing, no Role lacks a verb: there is none, or no namespace, which only administrators can look up. */
  #problems(missing: readonly Right[]): string[] {
    if (missing.length < this.#rights.length) return missing.map((right) => this.#problem(right));
    const where = `namespace ${this.#namespace}`;
    return [
      `the account may do nothing in ${where}: it is not there, or has no RoleBinding with a Role for the account`,
    ];
  }

  #problem({ group, resource, subresource, verb, without }: Right): string {
    const what = [resource, subresource].filter((part) => part !== undefined).join("/");
    const place = `${group === "" ? "" : `in API group ${group} `}in namespace ${this.#namespace}`;
    const consequence = without === undefined ? "" : `; ${without}`;
    return `the account may not ${verb} ${what} ${place}: its Role lacks that verb${consequence}`;
  }
}
