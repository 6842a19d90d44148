import { setTimeout as delay } from "node:timers/promises";

import type { Client } from "../support/client.ts";
import { InteractiveClient } from "../support/interactive.ts";
import type { LiveFigures } from "./figures.ts";
import { quantiles } from "./measure.ts";

const SAMPLES = 60;
const PAUSE_MS = 50;

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

/** How much later what is written arrives by server-sent events, and as the answer to what is typed. */
export async function measureLive(api: Client): Promise<LiveFigures> {
  return { eventsMs: quantiles(await measureEvents(api)), echoMs: quantiles(await measureEcho(api)) };
}
