import { chmod, mkdir, stat } from "node:fs/promises";

import { StartError } from "../../core/errors.ts";

/** For the user ids of sandboxes to reach their root in the folder; to list or read it they need more. */
const PASSABLE = 0o111;

/** Makes the folder that holds the runs and the sandboxes' root, or takes one that is there. */
export async function makeDataFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o711 });
  const { mode } = await stat(path);
  if ((mode & PASSABLE) !== PASSABLE) await chmod(path, (mode & 0o7777) | PASSABLE);
}

/**
 * Runs `open`, which makes something in the data folder `path`. What the kernel or SQLite refuses there, its owner can
 * mend: it is thrown as a `StartError`.
 */
export async function inDataFolder<T>(path: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    if (error instanceof Error && "code" in error) {
      throw new StartError(`DATA_DIR=${JSON.stringify(path)} can't be used: ${error.message}`, { cause: error });
    }
    throw error;
  }
}
