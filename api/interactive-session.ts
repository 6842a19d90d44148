import { ServiceError, invalid } from "../core/errors.ts";
import { isRunId } from "../core/run.ts";
import type { RunId, Tenant } from "../core/run.ts";
import { acceptRun } from "./accept-run.ts";
import type { ApiContext } from "./context.ts";
import { toServiceError } from "./errors.ts";
import { errorMessage, eventMessage, inputOf, parseMessage } from "./interactive-messages.ts";
import type { Opening } from "./interactive-messages.ts";
import type { InteractiveRuns } from "./interactive-runs.ts";
import { CLOSE } from "./interactive-socket.ts";
import type { Incoming, InteractiveSocket } from "./interactive-socket.ts";
import { noSuchRun } from "./routes/run.ts";
import { deadline } from "./waiting.ts";

/** How long a client may take to say what it wants, in milliseconds. */
const OPENING_MS = 10_000;
/** What is said to a program that does not listen, in bytes, from which on the client waits. */
const MAX_UNHEARD_BYTES = 256 * 1024;

export interface SessionParts {
  context: ApiContext;
  runs: InteractiveRuns;
  /** Whose connection it is; undefined where its first message has the key. */
  tenant: Tenant | undefined;
  authenticate: (key: string | undefined) => Tenant;
  log: { error: (details: object, message: string) => void };
}

/** What one client says to one run, and what it gets to see of it. */
export class InteractiveSession {
  readonly #socket: InteractiveSocket;
  readonly #parts: SessionParts;
  #unheardBytes = 0;
  #heard = Promise.withResolvers<void>();

  constructor(socket: InteractiveSocket, parts: SessionParts) {
    this.#socket = socket;
    this.#parts = parts;
  }

  /** Serves the client until either the run or the connection has ended. */
  async serve(): Promise<void> {
    try {
      const opened = await this.#open();
      if (opened === undefined) {
        await this.#refuse(new ServiceError("request_timeout", `the first message did not come in ${OPENING_MS} ms`));
        return;
      }
      const { id, tenant, from } = opened;
      await this.#socket.send({ type: "accepted", id });
      void this.#listen(id, tenant);
      await this.#show(id, tenant, from);
    } catch (error) {
      await this.#refuse(this.#known(error));
    }
  }

  async #open(): Promise<{ id: RunId; tenant: Tenant; from: number } | undefined> {
    let incoming: Incoming | undefined;
    {
      using time = deadline(OPENING_MS, this.#socket.gone);
      incoming = await this.#socket.receive(time.signal);
    }
    if (incoming === undefined) return undefined;
    const message = parseMessage(incoming.bytes, incoming.isBinary);
    if (message.type !== "start" && message.type !== "attach")
      throw invalid("type", "the first message is start or attach", ["start", "attach"]);
    const tenant = this.#parts.tenant ?? this.#parts.authenticate(message.api_key);
    return message.type === "start" ? await this.#start(message, tenant) : await this.#attach(message, tenant);
  }

  async #start(message: Extract<Opening, { type: "start" }>, tenant: Tenant) {
    const { context, runs } = this.#parts;
    const { tty } = message;
    const run = await acceptRun(context, message.request, {
      tenant,
      headers: {},
      later: false,
      interactive: { terminal: tty === undefined ? undefined : { columns: tty.cols, rows: tty.rows } },
    });
    await runs.start(run);
    // Nobody else has its id.
    if (this.#socket.gone.aborted) await context.backend.cancel(run.id, tenant);
    return { id: run.id, tenant, from: 0 };
  }

  async #attach({ id, from = 0 }: Extract<Opening, { type: "attach" }>, tenant: Tenant) {
    const state = isRunId(id) ? await this.#parts.context.backend.get(id, tenant) : undefined;
    if (state === undefined) throw noSuchRun();
    return { id, tenant, from };
  }

  /** Sends what has happened and what happens, to the run's end. */
  async #show(id: RunId, tenant: Tenant, from: number): Promise<void> {
    const { backend } = this.#parts.context;
    const events = await backend.follow(id, tenant, from, this.#socket.gone);
    if (events === undefined) throw noSuchRun();
    for await (const event of events) {
      await this.#socket.send(eventMessage(event));
      if (event.type === "finished") {
        await this.#socket.close(CLOSE.normal, "the run has ended");
        return;
      }
    }
    // One that has all of it already is no error.
    const state = await backend.get(id, tenant);
    if (state?.state === "finished") await this.#socket.close(CLOSE.normal, "the run has ended");
    else if (!this.#socket.gone.aborted) await this.#refuse(this.#leaving());
  }

  #leaving(): ServiceError {
    return this.#parts.context.closing.aborted
      ? new ServiceError("shutting_down", "the server is stopping; attach to the run again")
      : new ServiceError("unavailable", "the run is not there any more");
  }

  /** Passes on what the client says. What is wrong with a message is told, and the session goes on. */
  async #listen(id: RunId, tenant: Tenant): Promise<void> {
    for (;;) {
      const incoming = await this.#socket.receive();
      if (incoming === undefined) return;
      try {
        const message = parseMessage(incoming.bytes, incoming.isBinary);
        if (message.type === "start" || message.type === "attach")
          throw invalid("type", `${message.type} comes once, as the first message`);
        const input = inputOf(message);
        // Signals and sizes go ahead of what waits until the program takes it.
        void this.#say(id, tenant, input, input.type === "stdin" ? input.bytes.length : 0);
        while (this.#unheardBytes > MAX_UNHEARD_BYTES && !this.#socket.gone.aborted) await this.#heard.promise;
      } catch (error) {
        await this.#socket.send(errorMessage(this.#known(error)));
      }
    }
  }

  async #say(id: RunId, tenant: Tenant, input: ReturnType<typeof inputOf>, bytes: number): Promise<void> {
    this.#unheardBytes += bytes;
    try {
      // To a run that has ended nobody needs to say anything; its end is on its way to the client.
      await this.#parts.context.backend.write(id, tenant, input);
    } catch (error) {
      await this.#socket.send(errorMessage(this.#known(error)));
    } finally {
      this.#unheardBytes -= bytes;
      this.#heard.resolve();
      this.#heard = Promise.withResolvers();
    }
  }

  #known(error: unknown): ServiceError {
    const known = toServiceError(error);
    if (known.code === "internal")
      this.#parts.log.error({ err: known.cause ?? known }, "an interactive session failed");
    return known;
  }

  async #refuse(error: ServiceError): Promise<void> {
    await this.#socket.send(errorMessage(error));
    const code =
      error.code === "internal" ? CLOSE.failed : error.code === "shutting_down" ? CLOSE.goingAway : CLOSE.refused;
    await this.#socket.close(code, error.code);
  }
}
