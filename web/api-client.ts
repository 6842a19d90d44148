import type { Language, Opening, Pending, Result, RunRequest } from "./answers.ts";
import { ApiError } from "./api-error.ts";
import { INTERACTIVE_PATH, InteractiveConnection } from "./run/interactive-connection.ts";

const KEY_NAME = "sandbox-api-key";
/** For calls that answer at once, in milliseconds. */
const ANSWER_MS = 60_000;

interface Call {
  method?: "GET" | "POST" | "DELETE";
  body?: RunRequest;
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal;
}

async function refusalOf(response: Response): Promise<ApiError> {
  const text = await response.text();
  try {
    const { error } = JSON.parse(text) as { error: { code: string; message: string } };
    return new ApiError(error.code, response.status, error.message);
  } catch {
    return new ApiError("unexpected", response.status, `the server answered with status ${response.status}`);
  }
}

/** The API at this page's own address. A call that is refused for its key asks for one, and is then made again. */
export class ApiClient {
  readonly #askKey: (why: string) => Promise<string>;
  #asking: Promise<string> | undefined;

  /** `askKey` resolves with the key, and rejects when none is given. */
  constructor(askKey: (why: string) => Promise<string>) {
    this.#askKey = askKey;
  }

  get hasKey(): boolean {
    return sessionStorage.getItem(KEY_NAME) !== null;
  }

  async languages(): Promise<Language[]> {
    return (await (await this.call("/api/languages", { signal: AbortSignal.timeout(ANSWER_MS) })).json()) as Language[];
  }

  async submit(body: RunRequest, signal: AbortSignal): Promise<Pending | Result> {
    return (await (await this.call("/api/run", { method: "POST", body, signal })).json()) as Pending | Result;
  }

  async result(id: string, signal: AbortSignal): Promise<Pending | Result> {
    return (await (await this.call(`/api/result/${id}`, { signal })).json()) as Pending | Result;
  }

  async cancel(id: string): Promise<void> {
    await this.call(`/api/run/${id}`, { method: "DELETE", signal: AbortSignal.timeout(ANSWER_MS) });
  }

  /** The run's events after the one with the id `after`; undefined when there are none. */
  async events(
    id: string,
    after: string | undefined,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array<ArrayBuffer>> | undefined> {
    const headers: Record<string, string> = after === undefined ? {} : { "last-event-id": after };
    const response = await this.call(`/api/result/${id}/events`, { headers, signal });
    return response.status === 204 ? undefined : (response.body ?? undefined);
  }

  /** A connection that starts an interactive run or comes back to one, and the run's id. Throws `ApiError`. */
  async converse(opening: Opening, signal: AbortSignal): Promise<{ id: string; connection: InteractiveConnection }> {
    for (;;) {
      const key = sessionStorage.getItem(KEY_NAME);
      try {
        const opened = await InteractiveConnection.open(opening, key, signal);
        if (opened !== undefined) return opened;
        // Asked without a WebSocket, it can say why there is none.
        await this.call(INTERACTIVE_PATH, { signal });
        throw new ApiError("unexpected", 0, "the server did not answer as it should");
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.code === "upgrade_required")
          throw new ApiError("unreachable", 0, "the connection for the terminal was not made or broke");
        if (error.status !== 401) throw error;
        if (sessionStorage.getItem(KEY_NAME) === key) await this.#newKey(error.message);
      }
    }
  }

  /** Throws `ApiError`, also when the server can't be reached. */
  async call(path: string, call: Call): Promise<Response> {
    for (;;) {
      const key = sessionStorage.getItem(KEY_NAME);
      const response = await this.#send(path, call, key);
      if (response.ok) return response;
      const refusal = await refusalOf(response);
      if (refusal.status !== 401) throw refusal;
      if (sessionStorage.getItem(KEY_NAME) === key) await this.#newKey(refusal.message);
    }
  }

  async #send(path: string, { method = "GET", body, headers = {}, signal }: Call, key: string | null) {
    try {
      return await fetch(path, {
        method,
        headers: {
          ...headers,
          ...(key === null ? {} : { authorization: `Bearer ${key}` }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
        cache: "no-store",
        credentials: "omit",
        redirect: "error",
      });
    } catch (error) {
      if (signal?.aborted === true) throw error;
      throw new ApiError("unreachable", 0, "the server can't be reached", { cause: error });
    }
  }

  async #newKey(why: string): Promise<void> {
    this.#asking ??= this.#askKey(why);
    try {
      sessionStorage.setItem(KEY_NAME, await this.#asking);
    } finally {
      this.#asking = undefined;
    }
  }
}
