import type { FastifyReply } from "fastify";
import { z } from "zod";

import { ServiceError } from "../../core/errors.ts";
import { isRunId } from "../../core/run.ts";
import type { ApiContext, App } from "../context.ts";
import { errorResponses } from "../openapi.ts";
import { ARTIFACT_PARAMS } from "../schemas.ts";
import { noSuchRun } from "./run.ts";

/** The name under which a browser saves the file: its last segment, in the only form that takes any (RFC 6266, RFC 8187). */
function disposition(name: string): string {
  const file = name.slice(name.lastIndexOf("/") + 1);
  const escaped = encodeURIComponent(file).replaceAll(/['()*]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  });
  return `attachment; filename*=UTF-8''${escaped}`;
}

function sendFile(reply: FastifyReply, name: string, content: Uint8Array): FastifyReply {
  return reply
    .type("application/octet-stream")
    .header("content-disposition", disposition(name))
    .send(Buffer.from(content.buffer, content.byteOffset, content.byteLength));
}

/** `GET /api/result/{id}/artifacts/{name}` */
export function artifactRoute(app: App, { backend }: ApiContext): void {
  app.get(
    "/api/result/:id/artifacts/:name",
    {
      schema: {
        summary: "Download an artifact",
        description: "The bytes of a file that the run's program wrote; always as a download, whatever is in it.",
        tags: ["runs"],
        produces: ["application/octet-stream"],
        params: ARTIFACT_PARAMS,
        response: {
          200: z.string().describe("The file's bytes"),
          ...errorResponses(["unauthorized", "not_found", "shutting_down", "internal"]),
        },
      },
    },
    async (request, reply) => {
      const { id, name } = request.params;
      const state = isRunId(id) ? await backend.get(id, request.tenant) : undefined;
      if (state === undefined) throw noSuchRun();
      const files = state.state === "finished" ? (state.result.artifacts?.files ?? []) : [];
      const content = files.find((file) => file.name === name)?.content ?? null;
      if (content === null) {
        throw new ServiceError("not_found", "the run has no artifact of this name, or none whose content was kept");
      }
      return sendFile(reply, name, content);
    },
  );
}
