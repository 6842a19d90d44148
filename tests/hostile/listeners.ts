import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { chmod } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo, ListenOptions } from "node:net";
import { join } from "node:path";

import type { Targets } from "./program.ts";

/** What waits on the machine for programs that get out: on the loopback by TCP and UDP, on unix sockets of both kinds. */
export interface Listeners extends AsyncDisposable {
  targets: Targets;
  /** Who was reached; empty unless a sandbox has failed. */
  reached: string[];
}

async function listenTcp(
  stack: AsyncDisposableStack,
  reached: string[],
  name: string,
  where: ListenOptions,
): Promise<number> {
  const server = createServer((socket) => {
    reached.push(name);
    socket.on("error", () => {}).end();
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(where, resolve));
  stack.defer(() => server[Symbol.asyncDispose]());
  return (server.address() as AddressInfo).port;
}

async function listenUdp(stack: AsyncDisposableStack, reached: string[]): Promise<number> {
  const socket = createSocket("udp4", () => reached.push("udp"));
  await new Promise<void>((resolve, reject) => socket.once("error", reject).bind(0, "127.0.0.1", resolve));
  stack.defer(() => socket[Symbol.asyncDispose]());
  return socket.address().port;
}

/** Opens them; those with a path are below `folder`, for everyone. */
export async function openListeners(folder: string): Promise<Listeners> {
  await using stack = new AsyncDisposableStack();
  const reached: string[] = [];
  const unix = join(folder, "socket");
  const abstract = `hostile-${randomBytes(6).toString("hex")}`;
  const tcp = await listenTcp(stack, reached, "tcp", { host: "127.0.0.1", port: 0 });
  const udp = await listenUdp(stack, reached);
  await listenTcp(stack, reached, "unix", { path: unix });
  await chmod(unix, 0o777);
  await listenTcp(stack, reached, "abstract", { path: `\0${abstract}` });
  const owned = stack.move();
  return {
    targets: { tcp: `${tcp}`, udp: `${udp}`, unix, abstract },
    reached,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
