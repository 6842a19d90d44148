import { join } from "node:path";

import { expect, test } from "vitest";
import { z } from "zod";

import { readImages } from "../../api/kubernetes-settings.ts";
import { loadLanguages } from "../../core/languages.ts";
import { look, make, remove, temporaryNamespace } from "../support/cluster.ts";
import type { Namespace } from "../support/cluster.ts";
import { readPodLog } from "../support/pod-log.ts";
import { eventually } from "../support/time.ts";

/** All are started at once. */
const POD_MS = 300_000;
const IMAGES = readImages(process.env, loadLanguages(join(import.meta.dirname, "../../docker")));
const PHASE = z.object({ phase: z.enum(["Pending", "Running", "Succeeded", "Failed"]) });
/** Whatever gives its caller another user or group; the last line tells that all was looked through. */
const SEARCH = "find / -xdev -perm /6000 2>/dev/null; test -e /opt/sandbox/runner && echo searched";

/** What a shell of the image prints, as the user that runs have. */
async function printedIn(namespace: Namespace, image: string, script: string): Promise<string> {
  const name = image.replaceAll(/[^a-z0-9-]/g, "-");
  await make(namespace.pods, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: {
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: "RuntimeDefault" } },
      containers: [
        {
          name: "search",
          image,
          imagePullPolicy: "IfNotPresent",
          command: ["/bin/sh", "-c", script],
          resources: { requests: { cpu: "50m" } },
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"] },
          },
        },
      ],
    },
  });
  const path = `${namespace.pods}/${name}`;
  await eventually(POD_MS, `the end of the Pod of ${image}`, async () => {
    const { phase } = PHASE.parse((await look(path))?.status);
    return phase === "Succeeded" || phase === "Failed" ? phase : undefined;
  });
  const printed = await readPodLog(path);
  await remove(path);
  return printed;
}

test("no language's image has a file with a setuid or setgid bit", { timeout: 2 * POD_MS }, async () => {
  await using namespace = await temporaryNamespace();
  expect(IMAGES.size).toBeGreaterThan(0);
  const printed = [...IMAGES].map(async ([name, image]) => [name, await printedIn(namespace, image, SEARCH)]);
  const expected = [...IMAGES.keys()].map((name) => [name, "searched\n"]);
  expect(await Promise.all(printed)).toEqual(expected);
});
