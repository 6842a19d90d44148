import type { Interruption } from "../../core/transcript.ts";
import type { JobRecord, PodRecord, Reason } from "./kubernetes-objects.ts";

/** Waiting reasons that no time mends; ErrImagePull becomes ImagePullBackOff when it stays. */
const IMAGE_PROBLEMS = new Set(["ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError"]);
const START_PROBLEMS = new Set(["CreateContainerConfigError", "CreateContainerError", "RunContainerError"]);

/** The Pod's own reason for its failure. */
const FAILURES: Readonly<Record<string, string>> = {
  Evicted: "the sandbox was evicted",
  NodeLost: "the node was lost",
  DeadlineExceeded: "the run took longer than its deadline",
};

/** Reasons of the condition DisruptionTarget when the node is not there any more, or does not answer. */
const NODE_PROBLEMS = new Set(["DeletionByTaintManager", "DeletionByPodGC"]);

const LOG_GONE = "its pod was deleted, and with it its log";

export function lost(what: string, { reason, message }: Reason = { reason: "", message: "" }): Interruption {
  const words = [reason, message].filter((word) => word !== "").join(": ");
  return { status: "lost", reason: words === "" ? what : `${what} (${words})` };
}

/** Why a Pod will never get to its program's end, as far as it is known before that; undefined while it may. */
function podProblem({ waiting, disruption, failure }: PodRecord): Interruption | undefined {
  if (disruption !== undefined) {
    return NODE_PROBLEMS.has(disruption.reason)
      ? lost("the node was lost", disruption)
      : lost("the sandbox was evicted", disruption);
  }
  if (failure !== undefined) return lost(FAILURES[failure.reason] ?? "the sandbox was ended", failure);
  if (waiting !== undefined && IMAGE_PROBLEMS.has(waiting.reason)) return lost("the image cannot be pulled", waiting);
  if (waiting !== undefined && START_PROBLEMS.has(waiting.reason))
    return lost("the sandbox cannot be started", waiting);
  return undefined;
}

/** Why a run will never have a log that tells its end; undefined while it may, and when its log is to be read. */
export function problemOf(job: JobRecord, pod: PodRecord | undefined): Interruption | undefined {
  // With the Job goes everything, and nobody is to be told any more.
  if (job.deleting) return undefined;
  if (pod === undefined) {
    if (job.ended === undefined) return undefined;
    return deadlineProblem(job, pod) ?? lost("its pod is gone, and with it its log", job.failure);
  }
  if (pod.gone) return deadlineProblem(job, pod) ?? podProblem(pod) ?? { status: "lost", reason: LOG_GONE };
  return pod.terminal ? undefined : podProblem(pod);
}

function deadlineProblem(job: JobRecord, pod: PodRecord | undefined): Interruption | undefined {
  if (job.failure?.reason !== "DeadlineExceeded") return undefined;
  const why = pod?.unscheduled;
  return why === undefined
    ? lost("the run took longer than its deadline", job.failure)
    : lost("unschedulable: the run waited longer than its deadline for a node", why);
}

/**
 * How containers end that never ran: their message is the runtime's. Any other is what lies in the termination log, which
 * a program can write to where the kernel has no Landlock.
 */
const NEVER_RAN = new Set(["StartError", "ContainerCannotRun"]);

function trustedWords(terminated: Reason): Reason {
  return NEVER_RAN.has(terminated.reason) ? terminated : { reason: terminated.reason, message: "" };
}

/** How a run ended whose container has ended without the runner's last frame. */
export function endWithoutFrame(pod: PodRecord): Interruption {
  const { terminated } = pod;
  if (terminated?.reason === "OOMKilled") return { status: "memory_limit" };
  const problem = podProblem(pod);
  if (problem !== undefined) return problem;
  if (terminated === undefined) return lost("the sandbox ended without a word");
  return lost(
    `the runner ended with exit code ${terminated.exitCode} before it had finished`,
    trustedWords(terminated),
  );
}

/** Why a run still has no node, in the cluster's words. */
export function waitingLonger(pod: PodRecord | undefined, seconds: number): Interruption {
  const why = pod?.unscheduled ?? pod?.waiting;
  const what = pod?.unscheduled === undefined ? "the run was not started" : "unschedulable: the run had no node";
  return lost(`${what} within ${seconds} s`, why);
}
