import type { FastifyReply } from "fastify";

import type { RunResult } from "../core/run.ts";
import { jsonStream } from "./json-pieces.ts";
import { renderResult } from "./render.ts";

/**
 * Output above which a result is written in pieces, in bytes: as one text it may take 24 times as much, since a stream
 * is there twice, has an escape of six characters where the program wrote a control character, and is copied to be sent.
 */
const LARGE_OUTPUT_BYTES = 256 * 1024;

/** All output of a run and its artifacts, in bytes. */
function outputBytes({ compile, run, tests, artifacts }: RunResult): number {
  const content = (artifacts?.files ?? []).reduce((total, file) => total + (file.content?.length ?? 0), 0);
  return [compile, run, ...(tests?.results ?? [])].reduce(
    (total, stage) => total + (stage === null ? 0 : stage.stdout.length + stage.stderr.length),
    content,
  );
}

/** Answers with a run's result. */
export function sendResult(reply: FastifyReply, result: RunResult): FastifyReply {
  const rendered = renderResult(result);
  if (outputBytes(result) <= LARGE_OUTPUT_BYTES) return reply.send(rendered);
  return reply.type("application/json; charset=utf-8").send(jsonStream(rendered));
}
