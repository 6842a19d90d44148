import { expect, test } from "vitest";

import { ANNOTATIONS } from "../../backends/kubernetes/kubernetes-names.ts";
import { look, serveIn, temporaryNamespace } from "../support/cluster.ts";
import { receiver } from "../support/receiver.ts";
import { eventually } from "../support/time.ts";

function settings(origin: string): Record<string, string> {
  return { CALLBACK_HOSTS: origin, CALLBACK_SECRET: "0123456789abcdef0123456789abcdef", CALLBACK_TRIES: "8" };
}

test.concurrent("one of several replicas makes each callback, and the Job says when it is owed no more", async () => {
  await using namespace = await temporaryNamespace();
  await using place = await receiver();
  await using first = await serveIn(namespace, settings(place.origin));
  await using second = await serveIn(namespace, settings(place.origin));
  const submitted = [first, second, first, second].map(({ api }, n) =>
    api.submit({ language: "bash", code: `echo ${n}`, callback_url: `${place.origin}/${n}` }),
  );
  const ids = (await Promise.all(submitted)).map(({ id }) => id);
  for (const id of ids) {
    await eventually(120_000, "a settled callback", async () => {
      const job = await look(`${namespace.jobs}/${id}`);
      return job?.metadata.annotations?.[ANNOTATIONS.callback] === undefined ? true : undefined;
    });
  }
  const results = place.received.map(({ path, body }) => [path, JSON.parse(body) as unknown] as const);
  expect(results).toHaveLength(4);
  for (const [n, id] of ids.entries()) {
    expect(new Map(results).get(`/${n}`)).toEqual(await first.api.finished(id));
  }
  const delivered = [first, second].map(async ({ api }) =>
    (await api.metrics()).sum("sandbox_callbacks_total", { result: "delivered" }),
  );
  expect((await Promise.all(delivered)).reduce((total, count) => total + count, 0)).toBe(4);
});

test.concurrent("another replica takes over from one that was killed between two tries", async () => {
  await using namespace = await temporaryNamespace();
  let takes = false;
  await using place = await receiver((response) => response.writeHead(takes ? 200 : 500).end());
  await using first = await serveIn(namespace, settings(place.origin));
  const { id } = await first.api.submit({ language: "bash", code: "echo mine", callback_url: place.origin });
  await place.arrived(1);
  await first.server.kill();
  takes = true;
  await using second = await serveIn(namespace, settings(place.origin));
  await eventually(120_000, "the delivery", async () => {
    const delivered = (await second.api.metrics()).sum("sandbox_callbacks_total", { result: "delivered" });
    return delivered === 1 ? true : undefined;
  });
  expect(JSON.parse(String(place.received.at(-1)?.body))).toMatchObject({ id, stdout: "mine\n" });
});
