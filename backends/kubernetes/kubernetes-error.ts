import { z } from "zod";

/** What the API server answers with when it refuses: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ */
const STATUS = z.object({
  kind: z.literal("Status").optional(),
  status: z.string().optional(),
  code: z.number().optional(),
  message: z.string().optional(),
  reason: z.string().optional(),
  details: z
    .object({
      causes: z.array(z.object({ field: z.string().optional(), message: z.string().optional() })).optional(),
    })
    .optional(),
});

export interface Cause {
  /** Path of the field, as in `spec.template.spec.containers[0].image`. */
  field: string;
  message: string;
}

/** A call to the API server that failed, in the cluster's own words. */
export class KubernetesError extends Error {
  override readonly name = "KubernetesError";
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  readonly reason: string;
  readonly causes: readonly Cause[];

  constructor(status: number, reason: string, message: string, causes: readonly Cause[] = [], options?: ErrorOptions) {
    super(message, options);
    this.status = status;
    this.reason = reason;
    this.causes = causes;
  }

  /** The answer `text` to a call, with an HTTP status of 400 or more. */
  static of(status: number, text: string): KubernetesError {
    const parsed = STATUS.safeParse(parseJson(text));
    if (!parsed.success) return new KubernetesError(status, "", text.slice(0, 500) || `HTTP status ${status}`);
    const { message, reason, details } = parsed.data;
    const causes = (details?.causes ?? []).map((cause) => ({ field: cause.field ?? "", message: cause.message ?? "" }));
    return new KubernetesError(status, reason ?? "", message ?? `HTTP status ${status}`, causes);
  }

  /** How a connection ended that told a Status; undefined when it ended well. */
  static ofStatus(text: string): KubernetesError | undefined {
    const { status, code } = STATUS.safeParse(parseJson(text)).data ?? {};
    return status === "Success" ? undefined : KubernetesError.of(code ?? 500, text);
  }

  /** A call that got no answer. */
  static unreachable(cause: unknown): KubernetesError {
    return new KubernetesError(0, "Unreachable", `the API server can't be reached: ${words(cause)}`, [], { cause });
  }
}

/** The error's message, or the first of those that it stands for, as Node's has none for several addresses. */
function words(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") return words(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
