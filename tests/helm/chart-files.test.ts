import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";
import { z } from "zod";

import { Metrics } from "../../api/metrics.ts";
import { settingsTable } from "../../api/settings.ts";
import { loadLanguages } from "../../core/languages.ts";

const ROOT = join(import.meta.dirname, "../..");
const CHART = join(ROOT, "helm/sandbox-api");
const REGISTRY = loadLanguages(join(ROOT, "docker"));

/** What the chart sets by itself, from values of other names, or what means nothing on a cluster. */
const OF_THE_CHART = new Set([
  ...[
    "BACKEND",
    "HOST",
    "PORT",
    "API_KEYS",
    "ALLOW_ANONYMOUS",
    "DATA_DIR",
    "WARM_MIN",
    "WARM_MAX",
    "COMPILE_CACHE_BYTES",
    "RESULT_TTL_SECONDS",
    "DRAIN_SECONDS",
    "CALLBACK_SECRET",
    "NETWORK_RANGES",
  ],
  "WARM_POOL",
  ...["KUBECONFIG", "KUBERNETES_NAMESPACE", "JOB_TEMPLATE_DIR", "SERVICE_ACCOUNT", "PRIORITY_CLASS"],
  ...["IMAGE_REGISTRY", "IMAGE_TAG", "IMAGE_PULL_POLICY", "IMAGE_PULL_SECRETS"],
]);

function filesIn(folder: string): Record<string, string> {
  const names = readdirSync(folder).toSorted();
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}

test("the chart's Job templates are those of k8s/templates (cp k8s/templates/* helm/sandbox-api/files/templates/)", () => {
  expect(filesIn(join(CHART, "files/templates"))).toEqual(filesIn(join(ROOT, "k8s/templates")));
});

const NAMES = z.object({ properties: z.record(z.string(), z.unknown()) });
const SCHEMA = z.object({
  properties: z.object({ settings: NAMES, images: z.object({ properties: z.object({ languages: NAMES }) }) }),
});
const { settings, images } = SCHEMA.parse(
  JSON.parse(readFileSync(join(CHART, "values.schema.json"), "utf8")),
).properties;

test("the chart takes every setting of the server but those that it sets by itself", () => {
  const wanted = [...settingsTable({}, REGISTRY).keys()].filter(
    (name) => !OF_THE_CHART.has(name) && !name.startsWith("SANDBOX_IMAGE_"),
  );
  expect(Object.keys(settings.properties)).toEqual(wanted);
});

test("the chart takes an image of its own for each language, and for nothing else", () => {
  expect(Object.keys(images.properties.languages.properties)).toEqual(REGISTRY.names);
});

test("the dashboard shows figures that the server has", async () => {
  const text = await new Metrics(REGISTRY.names).render({ running: 0, queued: 0 });
  const dashboard = readFileSync(join(CHART, "files/dashboard.json"), "utf8");
  const asked = [...dashboard.matchAll(/\b(?:sandbox|process|nodejs)_[a-z0-9_]+/g)].map(([name]) => name);
  expect(asked.length).toBeGreaterThan(5);
  for (const name of asked) expect(text).toContain(`# TYPE ${name.replace(/_bucket$/, "")} `);
});
