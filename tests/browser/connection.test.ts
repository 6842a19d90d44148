import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { Socket } from "node:net";

import { expect, test, vi } from "vitest";

import { openPage, startBrowser } from "../support/browser.ts";
import { BACKEND } from "../support/contract.ts";
import { Playground, WIDTHS } from "../support/playground-page.ts";
import { startServer, temporaryFolder } from "../support/server.ts";

const { viewport } = WIDTHS[0];

// Each test starts several servers and a browser.
vi.setConfig({ testTimeout: 240_000 });

/** A way to the server that can be cut and is there again at once. */
async function cuttableWay(target: string): Promise<AsyncDisposable & { url: string; cut: () => void }> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(new URL(target).port), "127.0.0.1");
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the way has no port");
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${address.port}`,
    cut,
    [Symbol.asyncDispose]: async () => {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}

test("a connection that is lost is taken up again, and no output is lost or doubled", async () => {
  await using folder = await temporaryFolder();
  await using server = await startServer({ BACKEND, DATA_DIR: folder.path });
  await using way = await cuttableWay(server.url);
  await using browser = await startBrowser();
  await using opened = await openPage(browser, way.url, { viewport });
  const playground = new Playground(opened.page);
  await playground.open();
  await playground.write(
    "import time\nprint('before', flush=True)\nfor count in range(30):\n    time.sleep(0.1)\n    print(count, flush=True)",
  );
  await playground.run();
  await playground.output("Output").filter({ hasText: "before" }).waitFor();
  way.cut();
  await playground.says("succeeded");
  const numbers = Array.from({ length: 30 }, (_, count) => `${count}\n`).join("");
  await expect.poll(() => playground.output("Output").innerText()).toBe(`before\n${numbers}`);
  expect(opened.faults).toEqual([]);
});

test("the page says that the server is gone, waits for it, and then tells what became of the run", async () => {
  await using folder = await temporaryFolder();
  await using browser = await startBrowser();
  const first = await startServer({ BACKEND, DATA_DIR: folder.path });
  await using opened = await openPage(browser, first.url, { viewport });
  const playground = new Playground(opened.page);
  await playground.open();
  await playground.write("import time\nprint('before', flush=True)\ntime.sleep(50)");
  await playground.run();
  await playground.output("Output").filter({ hasText: "before" }).waitFor();
  await first.kill();
  await playground.says("The connection to the server was lost; trying again.");
  const { port } = new URL(first.url);
  {
    await using second = await startServer({ BACKEND, DATA_DIR: folder.path, PORT: port });
    expect(second.url).toBe(first.url);
    await playground.says(/^lost.*server/);
  }
  await playground.run();
  await playground.says("the server can't be reached");
  await using _ = await startServer({ BACKEND, DATA_DIR: folder.path, PORT: port });
  await playground.runs("print('after')");
  expect(opened.faults).toEqual([]);
});

test("a terminal outlives its connection, and says when the server is gone and what became of the run", async () => {
  await using folder = await temporaryFolder();
  await using browser = await startBrowser();
  await using first = await startServer({ BACKEND, DATA_DIR: folder.path });
  await using way = await cuttableWay(first.url);
  await using opened = await openPage(browser, way.url, { viewport });
  const playground = new Playground(opened.page);
  await playground.open();
  await playground.write("while True:\n    print(input('say? ').upper() + '!')");
  await playground.runInTerminal();
  await playground.prints(/say\?/);
  await playground.type("before");
  await playground.prints("BEFORE!");
  const joined = opened.page.waitForEvent("websocket");
  way.cut();
  await (await joined).waitForEvent("framereceived");
  await playground.type("after");
  await playground.prints(/^say\? before\s*BEFORE!\s*say\? after\s*AFTER!\s*say\?\s*$/);
  await first.kill();
  await playground.says("The connection to the server was lost; trying again.");
  const { port } = new URL(first.url);
  await using _ = await startServer({ BACKEND, DATA_DIR: folder.path, PORT: port });
  await playground.says(/^lost.*server/);
  await playground.prints("AFTER!");
  expect(opened.faults.filter((fault) => !/^WebSocket connection to '\S+' failed/.test(fault))).toEqual([]);
});
