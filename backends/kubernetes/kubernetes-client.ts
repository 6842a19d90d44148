import { existsSync } from "node:fs";
import type { AgentOptions, RequestOptions } from "node:https";
import { delimiter } from "node:path";
import type { Readable } from "node:stream";

import { KubeConfig } from "@kubernetes/client-node";
import type { Cluster } from "@kubernetes/client-node";
import { request } from "undici";
import type { Dispatcher } from "undici";
import type { z } from "zod";

import { KubernetesError } from "./kubernetes-error.ts";

/** What a call that is no stream may take, in milliseconds. */
const CALL_MS = 30_000;
/** How long credentials are used before they are asked for again, in milliseconds: much less than any of them lasts. */
const CREDENTIALS_MS = 10_000;
/** Where a pod finds the credentials of its account. */
const ACCOUNT_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token";

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;
type Method = "GET" | "POST" | "PATCH" | "DELETE";

export interface CallOptions {
  query?: Query;
  /** Sent as JSON; a PATCH is a merge patch (RFC 7386), or a strategic one, which merges lists by name. */
  body?: unknown;
  strategic?: boolean;
  signal?: AbortSignal;
}

/** What the cluster's credentials put on a request. */
interface Credentials {
  headers: Record<string, string>;
  dispatcher: Dispatcher | undefined;
}

/** Where a WebSocket is to be opened, and with which headers and TLS options. */
export interface Upgrade {
  url: URL;
  options: RequestOptions;
}

/** Tells what the library makes a dispatcher of, which it does for each call anew. */
class Config extends KubeConfig {
  #dispatcherKey = "";

  /** Differs when the cluster is to be reached in another way, such as with a new certificate. */
  get dispatcherKey(): string {
    return this.#dispatcherKey;
  }

  /** The first file, and what the others have beside it, as kubectl reads them. */
  loadFromPaths(paths: string): void {
    const [first = "", ...others] = paths.split(delimiter).filter((path) => path !== "");
    this.loadFromFile(first);
    for (const path of others) {
      const other = new KubeConfig();
      other.loadFromFile(path);
      this.mergeConfig(other, true);
    }
  }

  override createDispatcherOptions(
    cluster: Cluster | null,
    options: AgentOptions,
  ): ReturnType<KubeConfig["createDispatcherOptions"]> {
    const made = super.createDispatcherOptions(cluster, options);
    this.#dispatcherKey = JSON.stringify(made);
    return made;
  }
}

/** Calls to the API server of one cluster, with the credentials of a kubeconfig or of the pod that this process runs in. */
export class KubernetesClient {
  readonly #config: Config;
  readonly #server: string;
  #credentials: { value: Promise<Credentials>; at: number } | undefined;
  /** Has the connections that are open. */
  #dispatcher: { key: string; value: Dispatcher } | undefined;

  private constructor(config: Config, server: string) {
    this.#config = config;
    this.#server = server.replace(/\/+$/, "");
  }

  /**
   * The cluster that `kubeconfig` (a path, or several with colons between) names; without one that of the pod, or of
   * ~/.kube/config. Throws when there is none or it can't be read.
   */
  static load(kubeconfig: string | undefined): KubernetesClient {
    const config = new Config();
    if (kubeconfig !== undefined) config.loadFromPaths(kubeconfig);
    else if (existsSync(ACCOUNT_TOKEN)) config.loadFromCluster();
    else config.loadFromDefault();
    const server = config.getCurrentCluster()?.server;
    if (server === undefined) throw new Error("it names no cluster");
    return new KubernetesClient(config, server);
  }

  /** The answer to a call as `schema` reads it. Throws `KubernetesError`. */
  async call<T>(schema: z.ZodType<T>, method: Method, path: string, options: CallOptions = {}): Promise<T> {
    const { statusCode, body } = await this.#send(method, path, options, CALL_MS);
    const text = await readText(body);
    if (statusCode >= 400) throw KubernetesError.of(statusCode, text);
    return schema.parse(JSON.parse(text));
  }

  /** The body of an answer that comes bit by bit, silent for at most `silenceMs` (0: any time). Throws `KubernetesError`. */
  async stream(path: string, query: Query, signal: AbortSignal, silenceMs: number): Promise<Readable> {
    const { statusCode, body } = await this.#send("GET", path, { query, signal }, silenceMs);
    // An abort makes it fail whether or not somebody reads it at that time.
    body.on("error", () => {});
    if (statusCode < 400) return body;
    throw KubernetesError.of(statusCode, await readText(body));
  }

  /** What a WebSocket to the API server is opened with. Throws `KubernetesError`. */
  async upgrade(path: string, query: Query): Promise<Upgrade> {
    const url = this.#url(path, query);
    url.protocol = url.protocol === "http:" ? "ws:" : "wss:";
    const options: RequestOptions = {};
    try {
      await this.#config.applyToHTTPSOptions(options);
    } catch (error) {
      throw KubernetesError.unreachable(error);
    }
    // The library keeps its agent with the certificate that it was made with; only a proxy needs one.
    if (!this.#config.getCurrentCluster()?.proxyUrl) delete options.agent;
    return { url, options };
  }

  #url(path: string, query: Query): URL {
    const url = new URL(this.#server + path);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    return url;
  }

  async #send(
    method: Method,
    path: string,
    { query = {}, body, strategic = false, signal }: CallOptions,
    bodyTimeout: number,
  ): Promise<Dispatcher.ResponseData> {
    const url = this.#url(path, query);
    try {
      const { headers: credentials, dispatcher } = await this.#current();
      const headers: Record<string, string> = { ...credentials };
      if (body !== undefined) {
        headers["content-type"] = contentType(method, strategic);
      }
      const answer = await request(url, {
        method,
        headers,
        bodyTimeout,
        headersTimeout: CALL_MS,
        ...(dispatcher === undefined ? {} : { dispatcher }),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      });
      if (answer.statusCode === 401) this.#credentials = undefined;
      return answer;
    } catch (error) {
      this.#credentials = undefined;
      throw KubernetesError.unreachable(error);
    }
  }

  /** They may change while the process runs: tokens expire, and their files are written anew. */
  async #current(): Promise<Credentials> {
    if (this.#credentials === undefined || performance.now() - this.#credentials.at > CREDENTIALS_MS) {
      this.#credentials = { value: this.#ask(), at: performance.now() };
    }
    return await this.#credentials.value;
  }

  async #ask(): Promise<Credentials> {
    const credentials: Credentials = { headers: { accept: "application/json" }, dispatcher: undefined };
    const context = {
      setHeaderParam: (name: string, value: string) => void (credentials.headers[name.toLowerCase()] = value),
      setDispatcher: (dispatcher: Dispatcher) => void (credentials.dispatcher = this.#reuse(dispatcher)),
    };
    await this.#config.applySecurityAuthentication(context as Parameters<KubeConfig["applySecurityAuthentication"]>[0]);
    return credentials;
  }

  /** The dispatcher of earlier calls as long as it is made of the same: a TLS handshake for each call takes as long as the call. */
  #reuse(made: Dispatcher): Dispatcher {
    const key = this.#config.dispatcherKey;
    if (this.#dispatcher?.key !== key) this.#dispatcher = { key, value: made };
    return this.#dispatcher.value;
  }
}

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-apply */
function contentType(method: Method, strategic: boolean): string {
  if (method !== "PATCH") return "application/json";
  return strategic ? "application/strategic-merge-patch+json" : "application/merge-patch+json";
}

async function readText(body: Dispatcher.ResponseData["body"]): Promise<string> {
  try {
    return await body.text();
  } catch (error) {
    throw KubernetesError.unreachable(error);
  }
}
