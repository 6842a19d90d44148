import { setTimeout as delay } from "node:timers/promises";

import { z } from "zod";

import { FRESH_LINE } from "../../core/interaction.ts";
import { attach } from "./kubernetes-attach.ts";
import type { Attachment } from "./kubernetes-attach.ts";
import { readAttached } from "./kubernetes-attached.ts";
import type { KubernetesClient } from "./kubernetes-client.ts";
import { KubernetesError } from "./kubernetes-error.ts";
import { readLog } from "./kubernetes-log.ts";
import type { LogLine } from "./kubernetes-log.ts";
import { CONTAINER } from "./kubernetes-names.ts";

/** How often a log is asked for its first line, and the pause between, in milliseconds. */
const READY_TRIES = 20;
const READY_PAUSE_MS = 50;
/** How often a Pod is told that it is still to wait, in milliseconds: it ends when it hears nothing for 20 s (`runner/input.c`). */
const KEEP_MS = 5000;
/** How long a run takes that is worth a change of what its Pod reserves, in milliseconds. */
const RAISE_AFTER_MS = 250;

/** A Pod that waits for its program, and the connection by which it gets it and tells what becomes of it. */
export class WarmPod {
  readonly name: string;
  readonly sinceMs = performance.now();
  readonly #client: KubernetesClient;
  readonly #path: string;
  readonly #attachment: Attachment;
  /** What the runner said before. */
  readonly #ready: LogLine;
  readonly #keeping: NodeJS.Timeout;
  #isRead = false;

  private constructor(client: KubernetesClient, path: string, name: string, attachment: Attachment, ready: LogLine) {
    this.#client = client;
    this.#path = path;
    this.name = name;
    this.#attachment = attachment;
    this.#ready = ready;
    // One that can't be told is at its connection's end.
    this.#keeping = setInterval(() => void attachment.write(FRESH_LINE).catch(() => undefined), KEEP_MS).unref();
    this.onEnd(() => clearInterval(this.#keeping));
  }

  /** Connects to a Pod whose container has begun. Throws `KubernetesError`. */
  static async open(client: KubernetesClient, namespace: string, name: string, signal: AbortSignal): Promise<WarmPod> {
    const attachment = await attach(client, namespace, name, { stdout: true }, signal);
    try {
      const ready = await firstLine(client, namespace, name, signal);
      return new WarmPod(client, `/api/v1/namespaces/${namespace}/pods/${name}`, name, attachment, ready);
    } catch (error) {
      attachment.close();
      throw error;
    }
  }

  /** Calls back when the connection is over, and with it what waits. */
  onEnd(end: () => void): void {
    this.#attachment.closed.then(end, end);
  }

  /** Sends the program, and has the Pod reserve so many thousandths of a processor if it goes on. Throws `KubernetesError`. */
  async send(program: Uint8Array, millicores: number): Promise<void> {
    clearInterval(this.#keeping);
    const raising = setTimeout(() => void this.#reserve(millicores), RAISE_AFTER_MS);
    this.onEnd(() => clearTimeout(raising));
    await this.#attachment.write(program);
  }

  /** What the runner tells, once; undefined after that. */
  frames(signal: AbortSignal): AsyncIterable<LogLine> | undefined {
    if (this.#isRead) return undefined;
    this.#isRead = true;
    return readAttached(this.#attachment, this.#ready, signal);
  }

  /** The connection to the program's stdin, once the runner has the program. */
  get input(): Attachment {
    return this.#attachment;
  }

  close(): void {
    this.#attachment.close();
  }

  /** https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/ (Kubernetes 1.33) */
  async #reserve(millicores: number): Promise<void> {
    const containers = [{ name: CONTAINER, resources: { requests: { cpu: `${millicores}m` } } }];
    try {
      await this.#client.call(z.unknown(), "PATCH", `${this.#path}/resize`, {
        body: { spec: { containers } },
        strategic: true,
      });
    } catch (error) {
      // The run goes on with what was reserved before; of a right that is missing readiness tells.
      if (!(error instanceof KubernetesError)) throw error;
    }
  }
}

/** What the runner says when it has begun. */
async function firstLine(
  client: KubernetesClient,
  namespace: string,
  pod: string,
  signal: AbortSignal,
): Promise<LogLine> {
  for (let tries = 0; tries < READY_TRIES; tries += 1) {
    for await (const line of readLog(client, namespace, pod, 0, false, signal)) return line;
    await delay(READY_PAUSE_MS, undefined, { ref: false });
  }
  throw new KubernetesError(0, "", "its runner says nothing");
}
