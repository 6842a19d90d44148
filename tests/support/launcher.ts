import { join } from "node:path";

import { LocalLauncher } from "../../backends/local/local-launcher.ts";
import { makeRootfs } from "../../backends/local/local-rootfs.ts";
import { temporaryFolder } from "./server.ts";

const BUILD = join(import.meta.dirname, "../../build");

/** The launcher that was built, or the one at `path`, with a root for its sandboxes; both end with what is returned. */
export async function openLauncher(
  path = join(BUILD, "launcher"),
): Promise<{ launcher: LocalLauncher } & AsyncDisposable> {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(await temporaryFolder());
  const sources = {
    runner: join(BUILD, "runner"),
    node: process.execPath,
    prepared: join(BUILD, "languages"),
  };
  const rootfs = await makeRootfs(join(folder.path, "rootfs"), sources, undefined);
  const launcher = opened.use(await LocalLauncher.open(path, join(folder.path, "socket"), rootfs));
  const all = opened.move();
  return { launcher, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
