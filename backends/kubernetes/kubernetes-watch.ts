import { z } from "zod";

import { backoff } from "./kubernetes-backoff.ts";
import type { KubernetesClient } from "./kubernetes-client.ts";
import { KubernetesError } from "./kubernetes-error.ts";
import { readLines } from "./kubernetes-lines.ts";

/** Objects of one page of a list: each may carry a program of a megabyte. */
const PAGE = 50;
/** How long the API server keeps one watch open, in seconds; it then ends and goes on from where it was. */
const WATCH_SECONDS = 300;
/** A watch that has been silent for longer is broken: the API server sends a bookmark about every minute. */
const SILENCE_MS = 150_000;
const MAX_BACKOFF_MS = 15_000;
/** A watch that was open for less did not serve, in milliseconds. */
const SHORT_MS = 1000;
/** The longest line of a watch: an object of the store's greatest size, in JSON. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

const METADATA = z.looseObject({ resourceVersion: z.string().optional(), continue: z.string().optional() });
const LIST = z.object({ metadata: METADATA, items: z.array(z.unknown()).nullish() });
const EVENT = z.object({ type: z.string(), object: z.looseObject({ metadata: METADATA.optional() }) });
const STATUS = z.object({ code: z.number().optional(), message: z.string().optional(), reason: z.string().optional() });

/** Is told of a collection of objects. */
export interface WatchListener<T> {
  /** All that there is at `version`; what was there before and isn't among them is gone. */
  replace(items: T[], version: string): void;
  put(item: T): void;
  remove(item: T): void;
}

export interface WatchOptions<T> {
  client: KubernetesClient;
  /** As in `/api/v1/namespaces/default/pods`. */
  path: string;
  labelSelector: string;
  /** Keeps what is needed of an object; its whole may be large. */
  project: (object: unknown) => T;
  listener: WatchListener<T>;
}

/**
 * A collection of the cluster as it is: listed once, then watched from the list's resourceVersion; listed again only when
 * that is too old. https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
export class KubernetesWatch<T> {
  readonly #options: WatchOptions<T>;
  readonly #closing = new AbortController();
  readonly #synced = Promise.withResolvers<void>();
  readonly #ended: Promise<void>;
  #version: string | undefined;
  #failures = 0;
  /** Whether the first list has come. */
  isSynced = false;
  /** Why the collection may be out of date; undefined when it is not. */
  problem: string | undefined = "the first list has not come yet";

  constructor(options: WatchOptions<T>) {
    this.#options = options;
    this.#synced.promise.catch(() => {});
    this.#ended = this.#keepUp();
  }

  /** Resolves when the first list has come; rejects with `KubernetesError` when the first attempt fails. */
  async synced(): Promise<void> {
    await this.#synced.promise;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#ended;
  }

  async #keepUp(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        this.#version ??= await this.#list();
        this.#synced.resolve();
        await this.#watch(this.#version);
      } catch (error) {
        if (signal.aborted) return;
        this.#synced.reject(error);
        await this.#recover(error);
      }
    }
  }

  async #recover(error: unknown): Promise<void> {
    this.problem = error instanceof Error ? error.message : String(error);
    // 410: the version is too old to go on from. Any other refusal may be of the version too.
    if (error instanceof KubernetesError && error.status !== 0) this.#version = undefined;
    this.#failures += 1;
    await backoff(this.#failures, MAX_BACKOFF_MS, this.#closing.signal);
  }

  async #list(): Promise<string> {
    const { client, path, labelSelector, project, listener } = this.#options;
    const { signal } = this.#closing;
    const items: T[] = [];
    for (let next: string | undefined; ;) {
      const query = { labelSelector, limit: PAGE, continue: next };
      const page = await client.call(LIST, "GET", path, { query, signal });
      items.push(...(page.items ?? []).map(project));
      next = page.metadata.continue || undefined;
      if (next !== undefined) continue;
      const version = page.metadata.resourceVersion ?? "0";
      listener.replace(items, version);
      this.isSynced = true;
      return version;
    }
  }

  async #watch(from: string): Promise<void> {
    const { client, path, labelSelector } = this.#options;
    const query = {
      labelSelector,
      watch: true,
      allowWatchBookmarks: true,
      resourceVersion: from,
      timeoutSeconds: WATCH_SECONDS + Math.floor(Math.random() * 60),
    };
    const body = await client.stream(path, query, this.#closing.signal, SILENCE_MS);
    this.problem = undefined;
    const begun = performance.now();
    for await (const line of readLines(body, MAX_LINE_BYTES)) this.#take(EVENT.parse(JSON.parse(line)));
    // It ends when its time is over, or with the API server. One that ends at once would be opened again without end.
    if (performance.now() - begun < SHORT_MS)
      throw KubernetesError.unreachable(new Error("it ends every watch at once"));
  }

  #take({ type, object }: z.infer<typeof EVENT>): void {
    const { project, listener } = this.#options;
    if (type === "ERROR") {
      const { code = 500, message = "the watch failed", reason = "" } = STATUS.parse(object);
      throw new KubernetesError(code, reason, message);
    }
    this.#version = object.metadata?.resourceVersion ?? this.#version;
    this.#failures = 0;
    if (type === "ADDED" || type === "MODIFIED") listener.put(project(object));
    if (type === "DELETED") listener.remove(project(object));
  }
}
