import { BACKEND } from "../support/contract.ts";

/** What isolates programs where the corpus runs. */
export type Place = "local" | "runc" | "gvisor" | "user-namespaces";

function place(): Place {
  if (BACKEND === "local") return "local";
  if (process.env["RUNTIME_CLASS"] === "gvisor") return "gvisor";
  return process.env["HOST_USERS"] === "false" ? "user-namespaces" : "runc";
}

export const PLACE = place();
