import type { Client } from "../support/client.ts";
import { source } from "../support/source.ts";
import { eventually } from "../support/time.ts";

/** Longer than the whole corpus takes. */
const VICTIM_MS = 1_800_000;

/** Everything in it is what another tenant's program must not find: files, shared memory, a socket, its environment. */
function program(canary: string, socket: string): string {
  return source`
    import ctypes, os, socket
    for folder in ("/work", "/tmp", "/dev/shm"):
        with open(f"{folder}/secret", "w") as file: file.write("${canary}")
    libc = ctypes.CDLL(None)
    libc.shmat.restype = ctypes.c_void_p
    segment = libc.shmget(0x5ec12e7, 4096, 0o1666)
    address = libc.shmat(segment, None, 0)
    if segment != -1: ctypes.memmove(address, b"${canary}", ${canary.length})
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("\\0${socket}")
    listener.listen()
    print("ready", flush=True)
    while True:
        connection, _ = listener.accept()
        print("reached", flush=True)
  `;
}

/** The most time that a run may have on a server with a victim. */
export const VICTIM_SETTINGS = { MAX_WALL_MS: `${VICTIM_MS}` };

export interface Victim extends AsyncDisposable {
  id: string;
  /** Throws when its run has ended, or somebody was with it. */
  isWell(): Promise<void>;
}

/** Another tenant's run, which lasts as long as it is wanted. */
export async function startVictim(api: Client, canary: string, socket: string): Promise<Victim> {
  const { id } = await api.submit({
    language: "python",
    files: [{ name: "main.py", content: program(canary, socket) }],
    env: { SECRET: canary },
    args: [canary],
    stdin: canary,
    limits: { wall_ms: VICTIM_MS },
  });
  const stop = new AbortController();
  let printed = "";
  let ended = false;
  const read = async (): Promise<void> => {
    for await (const event of await api.events(id, { signal: stop.signal })) {
      if (event.event === "output") printed += event.data.data;
      if (event.event === "finished") ended = true;
    }
  };
  const reading = read().catch(() => {});
  await eventually(120_000, "the victim's start", () => (printed !== "" || ended ? true : undefined));
  return {
    id,
    isWell: async () => {
      if (ended || printed !== "ready\n") throw new Error(`the other tenant's run has come to harm: ${printed}`);
      if ("finished_at" in (await api.result(id))) throw new Error("the other tenant's run has ended");
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await reading;
      await api.cancel(id);
    },
  };
}
