import { expect, test } from "vitest";
import { z } from "zod";

import { Release, plainPod, runPod } from "../../support/chart.ts";
import { lookAll } from "../../support/cluster.ts";
import { source } from "../../support/source.ts";
import { readPodLog } from "../../support/pod-log.ts";
import { eventually } from "../../support/time.ts";

/** Of each kind. */
const RUNS = 50;
/** For all of them to end where one takes six seconds of the machine: two cores that have nothing else to do need less than one. */
const RUNS_SECONDS = 600;
const ENDED = z.object({
  sync: z.array(z.string()),
  async: z.array(z.string()),
  meanwhile: z.array(z.string()),
});

/**
 * A client in the cluster, by the Service's own address: hands in all runs at once, says "begun", hands in one
 * after the other beside them, each call on a connection of its own, and reads all results. Only what may be asked twice, a result, is asked again.
 */
function client(url: string, key: string): string {
  return source`
    import { request } from "node:http";
    const headers = { "content-type": "application/json", "x-api-key": ${JSON.stringify(key)}, connection: "close" };
    const call = (method, path, body) => new Promise((resolve, reject) => {
      const sent = request(${JSON.stringify(url)} + path, { method, headers, agent: false }, (answer) => {
        let text = "";
        answer.on("data", (chunk) => { text += chunk; });
        answer.on("error", reject);
        answer.on("end", () => resolve({ status: answer.statusCode, text }));
      });
      sent.on("error", reject);
      sent.end(body && JSON.stringify(body));
    });
    const told = (error) => error instanceof Error ? error.message : String(error);
    const program = (n) => ({ language: "bash", code: "sleep 1; echo " + n });
    const result = async (id) => {
      for (let tries = 0; ; ) {
        try {
          const { status, text } = await call("GET", "/api/result/" + id + "?wait_ms=10000");
          if (status !== 200) throw new Error(status + " " + text);
          const found = JSON.parse(text);
          if (found.finished_at) return found.status + " " + found.stdout;
        } catch (error) {
          if ((tries += 1) > 20) return told(error);
          await new Promise((resolve) => setTimeout(resolve, 500));
        }
      }
    };
    const numbers = Array.from({ length: ${RUNS} }, (_, n) => n);
    const begun = [];
    const sync = numbers.map((n) => call("POST", "/api/run/sync", program(n)).then(({ status, text }) => {
      const found = JSON.parse(text);
      return status === 200 ? found.status + " " + found.stdout : status + " " + text;
    }, told));
    for (const n of numbers) begun.push(call("POST", "/api/run", program(n)));
    const ids = (await Promise.all(begun)).map(({ text }) => JSON.parse(text).id);
    console.log("begun");
    let ended = false;
    const meanwhile = [];
    const trickle = (async () => {
      while (!ended) {
        const { status, text } = await call("POST", "/api/run", program("meanwhile")).catch((error) => ({ text: told(error) }));
        meanwhile.push(status === 202 ? await result(JSON.parse(text).id) : status + " " + text);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    })();
    const results = { sync: await Promise.all(sync), async: await Promise.all(ids.map(result)), meanwhile };
    ended = true;
    await trickle;
    console.log(JSON.stringify(results));
  `;
}

test(
  "an upgrade to other settings, while runs are under way, loses none and turns no client away",
  { timeout: 1_200_000 },
  async () => {
    await using release = new Release();
    const values = { replicas: 2, drainSeconds: RUNS_SECONDS };
    await release.install({ ...values, settings: { MAX_RUNNING: 12 } });
    const before = new Set((await release.servers()).map(({ metadata }) => metadata.name));
    const [service] = await lookAll(`/api/v1/namespaces/${release.namespace}/services`);
    const { clusterIP } = z.object({ clusterIP: z.string() }).parse(service?.spec);
    const pod = plainPod("client", client(`http://${clusterIP}`, await release.key()));
    const log = runPod(release.namespace, pod);
    await eventually(120_000, "the client's runs", async () => {
      const text = await readPodLog(`/api/v1/namespaces/${release.namespace}/pods/client`).catch(() => "");
      return text.includes("begun") || undefined;
    });
    await release.install({ ...values, settings: { MAX_RUNNING: 14 } });
    const ended = ENDED.parse(JSON.parse((await log).replace("begun\n", "")));
    const wanted = Array.from({ length: RUNS }, (_, n) => `succeeded ${n}\n`);
    expect(ended.async).toEqual(wanted);
    expect(ended.sync).toEqual(wanted);
    expect(ended.meanwhile.length).toBeGreaterThan(0);
    expect(new Set(ended.meanwhile)).toEqual(new Set(["succeeded meanwhile\n"]));
    await eventually(1000 * RUNS_SECONDS, "the old servers' end", async () => {
      const names = (await release.servers()).map(({ metadata }) => metadata.name);
      return names.every((name) => !before.has(name)) || undefined;
    });
  },
);
