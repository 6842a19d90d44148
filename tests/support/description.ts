import { z } from "zod";

import type { Client } from "./client.ts";

const PARAMETER = z.looseObject({
  in: z.enum(["path", "query", "header"]),
  name: z.string(),
  schema: z.looseObject({ maximum: z.number().optional() }),
});
const OPERATION = z.looseObject({ parameters: z.array(PARAMETER).default([]), requestBody: z.unknown().optional() });
const DESCRIPTION = z.looseObject({ paths: z.record(z.string(), z.record(z.string(), OPERATION)) });

/** One method of one path of the API. */
export interface Operation {
  method: string;
  /** With its parameters in braces, as in `/api/result/{id}`. */
  path: string;
  parameters: z.infer<typeof PARAMETER>[];
  hasBody: boolean;
}

/** What the server says in `/openapi.json` that it has. */
export async function operations(api: Client): Promise<Operation[]> {
  const response = await api.fetch("GET", "/openapi.json");
  const { paths } = DESCRIPTION.parse(await response.json());
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters, requestBody }]) => ({
      method: method.toUpperCase(),
      path,
      parameters,
      hasBody: requestBody !== undefined,
    })),
  );
}
