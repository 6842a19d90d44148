import type { z } from "zod";

import { ERROR, LANGUAGES, RESULT, STATE } from "./answers.ts";
import type { ErrorBody, Result, State } from "./answers.ts";
import { readEvents } from "./events.ts";
import type { ServerEvent } from "./events.ts";
import { readMetrics } from "./metrics.ts";
import type { Metrics } from "./metrics.ts";

/** Longer than any run of the suite takes on a busy machine, with all that are before it in the queue. */
const ANSWER_MS = process.env["CONTRACT_BACKEND"] === "kubernetes" ? 600_000 : 120_000;

/** What is sent: any JSON, since the suite also sends what no client should. */
export type RequestBody = Readonly<Record<string, unknown>>;

export interface CallOptions {
  headers?: Readonly<Record<string, string>>;
  /** The caller goes away when it is aborted. */
  signal?: AbortSignal;
}

export interface Refusal {
  status: number;
  headers: Headers;
  error: ErrorBody["error"];
}

async function parsed<T>(schema: z.ZodType<T>, response: Response, status: number): Promise<T> {
  const text = await response.text();
  if (response.status !== status) throw new Error(`${status} was expected, ${response.status} came: ${text}`);
  return schema.parse(JSON.parse(text));
}

/** A client of the API that holds each answer against the shape that is promised. */
export class Client {
  readonly url: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.url = url;
    this.#headers = headers;
  }

  /** The same server with other headers, such as another key. */
  with(headers: Readonly<Record<string, string>>): Client {
    return new Client(this.url, headers);
  }

  async fetch(
    method: string,
    path: string,
    options: CallOptions & { body?: string | Uint8Array<ArrayBuffer> } = {},
  ): Promise<Response> {
    const { headers, body, signal } = options;
    const timeout = AbortSignal.timeout(ANSWER_MS);
    return await fetch(new URL(path, this.url), {
      method,
      headers: { ...this.#headers, ...headers },
      ...(body === undefined ? {} : { body }),
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      redirect: "manual",
    });
  }

  async post(path: string, body: RequestBody, options: CallOptions = {}): Promise<Response> {
    const headers = { "content-type": "application/json", ...options.headers };
    return await this.fetch("POST", path, { ...options, headers, body: JSON.stringify(body) });
  }

  /** Runs a program and waits for its result. */
  async run(body: RequestBody, options: CallOptions = {}): Promise<Result> {
    return await parsed(RESULT, await this.post("/api/run/sync", body, options), 200);
  }

  /** Hands in a program; its result is asked for later. */
  async submit(body: RequestBody, options: CallOptions = {}): Promise<State | Result> {
    const response = await this.post("/api/run", body, options);
    const state = await parsed(STATE.or(RESULT), response, 202);
    const location = response.headers.get("location");
    if (location !== `/api/result/${state.id}`) throw new Error(`Location is ${location} for run ${state.id}`);
    return state;
  }

  async result(id: string, waitMs?: number, options: CallOptions = {}): Promise<State | Result> {
    const query = waitMs === undefined ? "" : `?wait_ms=${waitMs}`;
    return await parsed(STATE.or(RESULT), await this.fetch("GET", `/api/result/${id}${query}`, options), 200);
  }

  /** The run's result, as soon as there is one. */
  async finished(id: string): Promise<Result> {
    const deadline = performance.now() + ANSWER_MS;
    while (performance.now() < deadline) {
      const state = await this.result(id, 20_000);
      if ("finished_at" in state) return state;
    }
    throw new Error(`run ${id} did not end within ${ANSWER_MS} ms`);
  }

  /** Waits until the run executes, as its first event tells. */
  async started(id: string): Promise<void> {
    const stop = new AbortController();
    for await (const event of await this.events(id, { signal: stop.signal })) {
      if (event.event === "stage_started") break;
    }
    stop.abort();
  }

  async cancel(id: string): Promise<State | Result> {
    return await parsed(STATE.or(RESULT), await this.fetch("DELETE", `/api/run/${id}`), 200);
  }

  /** The run's events; `Last-Event-ID` goes into the headers. */
  async events(id: string, options: CallOptions = {}): Promise<AsyncGenerator<ServerEvent>> {
    const response = await this.fetch("GET", `/api/result/${id}/events`, options);
    if (response.status !== 200 || response.body === null) {
      throw new Error(`events were expected, ${response.status} came: ${await response.text()}`);
    }
    const type = response.headers.get("content-type") ?? "";
    if (!type.startsWith("text/event-stream")) throw new Error(`events came as ${type}`);
    return readEvents(response.body);
  }

  /** The error of a call that must be refused. */
  async refused(call: Promise<Response>): Promise<Refusal> {
    const response = await call;
    const text = await response.text();
    if (response.status < 400) throw new Error(`a refusal was expected, ${response.status} came: ${text}`);
    const { error } = ERROR.parse(JSON.parse(text));
    return { status: response.status, headers: response.headers, error };
  }

  async languages(): Promise<z.infer<typeof LANGUAGES>> {
    return await parsed(LANGUAGES, await this.fetch("GET", "/api/languages"), 200);
  }

  async metrics(): Promise<Metrics> {
    const response = await this.fetch("GET", "/metrics");
    if (response.status !== 200) throw new Error(`metrics were expected, ${response.status} came`);
    return readMetrics(await response.text());
  }
}
