import { FrameError, MAX_LINE_BYTES, parseFrame } from "../../core/frames.ts";
import type { Frame } from "../../core/frames.ts";
import type { KubernetesClient } from "./kubernetes-client.ts";
import { readLines } from "./kubernetes-lines.ts";
import { CONTAINER } from "./kubernetes-names.ts";

/** A line of a log: what the runner wrote, and when the node got it. */
export interface LogLine {
  frame: Frame;
  line: string;
  at: Date;
}

/** What the node puts before each line: a time of at most 35 characters, and a space. */
const MAX_STAMP_BYTES = 64;

function parseLine(text: string): LogLine {
  const space = text.indexOf(" ");
  const at = new Date(text.slice(0, space));
  if (space === -1 || Number.isNaN(at.getTime()))
    throw new FrameError(`a line of the log has no time: ${text.slice(0, 80)}`);
  const line = text.slice(space + 1);
  return { frame: parseFrame(line), line, at };
}

/**
 * The log of a run's Pod from frame `from` on: what there is and, with `follow`, what comes until the container has ended.
 * Throws `KubernetesError`, and `FrameError` where the log is not what a runner writes, or has lost its beginning to rotation.
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#get-read-log-of-the-specified-pod
 */
export async function* readLog(
  client: KubernetesClient,
  namespace: string,
  pod: string,
  from: number,
  follow: boolean,
  signal: AbortSignal,
): AsyncGenerator<LogLine> {
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}/log`;
  const body = await client.stream(path, { container: CONTAINER, follow, timestamps: true }, signal, 0);
  let next = from;
  for await (const text of readLines(body, MAX_LINE_BYTES + MAX_STAMP_BYTES)) {
    const entry = parseLine(text);
    const { frame } = entry;
    if (frame.type === "ready") {
      if (from === 0) yield entry;
      continue;
    }
    if (frame.type === "fed") {
      yield entry;
      continue;
    }
    if (frame.seq < next) continue;
    if (frame.seq > next) throw new FrameError(`the log lacks frame ${next}: it was rotated away by the node`);
    next += 1;
    yield entry;
  }
}
