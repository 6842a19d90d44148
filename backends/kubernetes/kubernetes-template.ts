import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { V1Job, V1JobSpec, V1PodSpec } from "@kubernetes/client-node";
import { LineCounter, isMap, isNode, isPair, isScalar, isSeq, parseDocument } from "yaml";
import type { Document } from "yaml";
import { z } from "zod";

import { CONTAINER } from "./kubernetes-names.ts";

const BASE_FILE = "job.yaml";
const VOLUMES = ["work", "tmp", "shm"] as const;
export type SandboxVolume = (typeof VOLUMES)[number];

/** A template can't be used: the message names file, line and field. */
export class TemplateError extends Error {
  override readonly name = "TemplateError";
}

const named = z.looseObject({ name: z.string() });
/** What this program sets fields of; the rest is checked by the API server, which knows it best. */
const TEMPLATE = z.looseObject({
  apiVersion: z.literal("batch/v1"),
  kind: z.literal("Job"),
  spec: z.looseObject({
    template: z.looseObject({
      spec: z.looseObject({
        containers: z
          .array(named)
          .refine((all) => all.some(({ name }) => name === CONTAINER), `a container named ${CONTAINER} is wanted`),
        volumes: z
          .array(named)
          .refine(
            (all) => VOLUMES.every((wanted) => all.some(({ name }) => name === wanted)),
            `the volumes ${VOLUMES.join(", ")} are wanted`,
          ),
      }),
    }),
  }),
});

type Path = readonly (string | number)[];

/** One YAML file of a template, with the places of its fields. */
class TemplateFile {
  readonly path: string;
  readonly value: unknown;
  readonly #document: Document;
  readonly #lines: LineCounter;

  constructor(path: string, text: string) {
    this.path = path;
    this.#lines = new LineCounter();
    this.#document = parseDocument(text, { lineCounter: this.#lines });
    const [error] = this.#document.errors;
    if (error !== undefined)
      throw new TemplateError(`${path}:${error.linePos?.[0].line ?? 1}: ${error.message.split("\n")[0]}`);
    this.value = this.#document.toJS();
  }

  /** The line of the field, or of what it would be in; undefined when the file has neither. */
  line(path: Path): number | undefined {
    for (let length = path.length; length > 0; length -= 1) {
      const offset = this.#offset(path.slice(0, length));
      if (offset !== undefined) return this.#lines.linePos(offset).line;
    }
    return undefined;
  }

  has(path: Path): boolean {
    return this.#offset(path) !== undefined;
  }

  #offset(path: Path): number | undefined {
    const parent = path.length === 1 ? this.#document.contents : this.#document.getIn(path.slice(0, -1), true);
    const key = path.at(-1);
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key);
      if (pair !== undefined && isScalar(pair.key)) return pair.key.range?.[0];
    }
    if (isSeq(parent) && typeof key === "number") {
      const item = parent.items[key];
      if (isNode(item)) return item.range?.[0];
    }
    return undefined;
  }
}

/** A path as the API server writes it, as in `spec.template.spec.containers[0].image`. */
function parsePath(text: string): Path {
  return [...text.matchAll(/([^.[\]]+)|\[(\d+)\]/g)].map(([, name, index]) => name ?? Number(index));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isNamedList(value: unknown): value is { name: unknown }[] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => isRecord(item) && "name" in item);
}

/** `over` on top of `base`: mappings are merged, lists of named things by name, everything else is replaced. */
function merge(base: unknown, over: unknown): unknown {
  if (isRecord(base) && isRecord(over)) {
    const merged = { ...base };
    for (const [key, value] of Object.entries(over)) merged[key] = merge(base[key], value);
    return merged;
  }
  if (isNamedList(base) && isNamedList(over)) {
    const names = new Set(base.map(({ name }) => name));
    return [
      ...base.map((item) => merge(item, over.find(({ name }) => name === item.name) ?? {})),
      ...over.filter(({ name }) => !names.has(name)),
    ];
  }
  return over === undefined ? base : over;
}

/** The fixed part of one language's Jobs, and the files that it comes from. */
export class JobTemplate {
  readonly #files: readonly [TemplateFile, ...TemplateFile[]];
  readonly #job: V1Job;
  /** Whether it has a file of its own. */
  readonly isSpecial: boolean;

  private constructor(files: readonly [TemplateFile, ...TemplateFile[]]) {
    this.#files = files;
    this.isSpecial = files.length > 1;
    const merged = files.map(({ value }) => value).reduce(merge);
    const parsed = TEMPLATE.safeParse(merged);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw this.error((issue?.path ?? []).map(String).join("."), issue?.message ?? "is not a Job");
    }
    this.#job = parsed.data;
  }

  /** Reads `<folder>/job.yaml` and, where there is one, `<folder>/<language>.yaml`. Throws `TemplateError`. */
  static load(folder: string, language: string): JobTemplate {
    const base = readTemplate(join(folder, BASE_FILE));
    if (base === undefined) throw new TemplateError(`${join(folder, BASE_FILE)} is not there`);
    const special = readTemplate(join(folder, `${language}.yaml`));
    return new JobTemplate(special === undefined ? [base] : [base, special]);
  }

  /** A Job of its own to set fields of. */
  job(): { job: V1Job; spec: V1JobSpec; pod: V1PodSpec } {
    const job = structuredClone(this.#job);
    const { spec } = job;
    const pod = spec?.template.spec;
    if (spec === undefined || pod === undefined) throw this.error("spec", "is missing");
    return { job, spec, pod };
  }

  /** That `field`, in the API server's notation, is wrong: with the place where it was written. */
  error(field: string, message: string): TemplateError {
    const path = parsePath(field);
    const file = this.#files.findLast((each) => each.has(path)) ?? this.#files.findLast((each) => each.line(path));
    const line = file?.line(path);
    const place = file === undefined || line === undefined ? this.#files[0].path : `${file.path}:${line}`;
    return new TemplateError(`${place}: ${field === "" ? "the Job" : field}: ${message}`);
  }
}

function readTemplate(path: string): TemplateFile | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new TemplateError(`${path} can't be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  return new TemplateFile(path, text);
}
