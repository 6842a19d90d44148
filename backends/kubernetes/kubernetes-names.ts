import { createHash } from "node:crypto";

/** Who made an object, by the label that Kubernetes recommends for it. */
export const MANAGED_BY = { "app.kubernetes.io/managed-by": "sandbox-api" } as const;
/** What the product's objects are found by. */
export const SELECTOR = "app.kubernetes.io/managed-by=sandbox-api";
/** The container that a program runs in. */
export const CONTAINER = "sandbox";

/** Labels of a Job and its Pod. */
export const LABELS = {
  language: "sandbox-api/language",
  tenant: "sandbox-api/tenant",
  /** `allowed` where the program may reach other machines, for a NetworkPolicy to say which. */
  network: "sandbox-api/network",
  /** Of a Job that waits for a run: the replica that made it. */
  warm: "sandbox-api/warm",
  /** Of a Job that was made before its run: the run. */
  run: "sandbox-api/run",
} as const;

/** Annotations of a Job: what a label can't hold. */
export const ANNOTATIONS = {
  tenant: "sandbox-api/tenant",
  fingerprint: "sandbox-api/fingerprint",
  createdAt: "sandbox-api/created-at",
  /** What is expected of the run's tests: see `kubernetes-grading.ts`. */
  grading: "sandbox-api/grading",
  /** That the run is spoken to while it runs: `terminal` or `pipes`. */
  interaction: "sandbox-api/interaction",
  /** How the run ended, where its log does not tell: see `kubernetes-outcome.ts`. */
  outcome: "sandbox-api/outcome",
  /** Who is to be told the result; not there any more when that is done with. */
  callback: "sandbox-api/callback",
  /** Which replica is at that: see `kubernetes-callbacks.ts`. */
  callbackClaim: "sandbox-api/callback-claim",
} as const;

/** The label by which Kueue takes a Job over: https://kueue.sigs.k8s.io/docs/tasks/run/jobs/ */
export const QUEUE_LABEL = "kueue.x-k8s.io/queue-name";

/** The label that the Job controller gives to the Pods that it makes. */
export const JOB_NAME_LABEL = "batch.kubernetes.io/job-name";

/** The text as a label's value: itself where that is one, else a hash. */
export function labelValue(text: string): string {
  if (/^(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)$/.test(text)) return text;
  return `h${createHash("sha256").update(text).digest("hex").slice(0, 40)}`;
}

/** The variable that names the language's image. */
export function imageVariable(language: string): string {
  return `SANDBOX_IMAGE_${language.toUpperCase().replaceAll("-", "_")}`;
}
