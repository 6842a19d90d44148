import { expect, test } from "vitest";

import { Client } from "../../support/client.ts";
import { receiver } from "../../support/receiver.ts";
import type { Receiver } from "../../support/receiver.ts";
import { startServer, temporaryFolder } from "../../support/server.ts";
import type { Settings } from "../../support/server.ts";

function settings(place: Receiver, dataDir: string): Settings & { DATA_DIR: string } {
  return {
    DATA_DIR: dataDir,
    MAX_RUNNING: "1",
    CALLBACK_HOSTS: place.origin,
    CALLBACK_SECRET: "0123456789abcdef0123456789abcdef",
  };
}

test("what is owed when the server is killed comes after the next start, of every run that was accepted", async () => {
  await using folder = await temporaryFolder();
  let takes = false;
  await using place = await receiver((response) => response.writeHead(takes ? 200 : 500).end());
  const first = await startServer(settings(place, folder.path));
  const api = new Client(first.url);
  const request = (code: string) => ({ language: "bash", code, callback_url: place.origin });
  const done = await api.submit(request("echo done"));
  await place.arrived(1);
  const executing = await api.submit({ ...request("sleep 60"), limits: { wall_ms: 60_000 } });
  await api.started(executing.id);
  const queued = await api.submit(request("echo queued"));
  await first.kill();

  takes = true;
  const before = place.received.length;
  await using second = await startServer(settings(place, folder.path));
  const bodies = (await place.arrived(before + 3)).slice(before).map(({ body }) => JSON.parse(body) as { id: string });
  expect(new Map(bodies.map((body) => [body.id, body]))).toEqual(
    new Map([
      [done.id, expect.objectContaining({ status: "succeeded", stdout: "done\n" })],
      [executing.id, expect.objectContaining({ status: "lost", reason: expect.stringMatching(/killed/) })],
      [queued.id, expect.objectContaining({ status: "succeeded", stdout: "queued\n" })],
    ]),
  );
  expect((await new Client(second.url).metrics()).sum("sandbox_callbacks_total", { result: "delivered" })).toBe(3);
});

test("tries are counted over all starts", async () => {
  await using folder = await temporaryFolder();
  await using place = await receiver((response) => response.writeHead(500).end());
  const twice = { ...settings(place, folder.path), CALLBACK_TRIES: "2" };
  const first = await startServer(twice);
  const { id } = await new Client(first.url).submit({ language: "bash", code: ":", callback_url: place.origin });
  await place.arrived(1);
  await first.kill();
  await using second = await startServer(twice);
  await expect.poll(() => second.output).toContain(`${id}: its callback is given up`);
  expect(place.received.length).toBeLessThanOrEqual(2);
});

test("a stopped server waits for its calls, and a delivered callback does not come again", async () => {
  await using folder = await temporaryFolder();
  const asked = Promise.withResolvers<() => void>();
  await using place = await receiver((response) => asked.resolve(() => response.end()));
  const first = await startServer(settings(place, folder.path));
  const { id } = await new Client(first.url).submit({ language: "bash", code: ":", callback_url: place.origin });
  const answer = await asked.promise;
  first.terminate();
  answer();
  expect(await first.exited).toMatchObject({ code: 0 });
  await using second = await startServer(settings(place, folder.path));
  const api = new Client(second.url);
  await api.submit({ language: "bash", code: "echo next", callback_url: place.origin });
  const [, { body } = { body: "" }] = await place.arrived(2);
  expect(JSON.parse(body)).toMatchObject({ stdout: "next\n" });
  expect(await api.result(id)).toMatchObject({ status: "succeeded" });
  expect(place.received).toHaveLength(2);
});
