import { setTimeout as delay } from "node:timers/promises";

import type { Client } from "../support/client.ts";
import { InteractiveClient } from "../support/interactive.ts";
import { quantiles } from "./measure.ts";

const SAMPLES = 60;
const PAUSE_MS = 50;

/** What is written arrives so much later, in milliseconds: by server-sent events, and as the answer to what is typed. */
export interface LiveRow {
  eventsMs: number[];
  echoMs: number[];
}

/** From the program's write to the event's arrival, where both have one clock. */
async function measureEvents(api: Client): Promise<number[]> {
  const code = `import time
for _ in range(${SAMPLES}):
    time.sleep(${PAUSE_MS / 1000})
    print(time.time_ns(), flush=True)`;
  const { id } = await api.submit({ language: "python", code });
  const samples: number[] = [];
  for await (const event of await api.events(id)) {
    const arrivedMs = performance.timeOrigin + performance.now();
    if (event.event !== "output") continue;
    for (const nanoseconds of event.data.data.trim().split("\n")) samples.push(arrivedMs - Number(nanoseconds) / 1e6);
  }
  return samples;
}

/** From a line that is typed to the line that answers it. */
async function measureEcho(api: Client): Promise<number[]> {
  await using client = await InteractiveClient.open(api.url);
  client.send({
    type: "start",
    request: { language: "python", code: "while line := input(): print(line, flush=True)" },
  });
  client.type("warm\n");
  await client.prints("warm");
  const samples: number[] = [];
  for (let index = 0; index < SAMPLES; index += 1) {
    await delay(PAUSE_MS);
    const start = performance.now();
    client.type(`line ${index}.\n`);
    await client.prints(`line ${index}.`);
    samples.push(performance.now() - start);
  }
  return samples;
}

export async function measureLive(api: Client): Promise<LiveRow> {
  return { eventsMs: await measureEvents(api), echoMs: await measureEcho(api) };
}

export function renderLive({ eventsMs, echoMs }: LiveRow): string {
  const row = (name: string, samples: readonly number[]): string => {
    const { p50, p90, p99 } = quantiles(samples);
    return `${name}, ms: ${[p50, p90, p99].map((value) => value.toFixed(1)).join(" / ")} (p50 / p90 / p99)`;
  };
  return [row("from a program's write to its event", eventsMs), row("from a line to its answer", echoMs)].join("\n");
}
