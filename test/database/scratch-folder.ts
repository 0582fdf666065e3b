import { readdirSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { isProcessAlive } from "../../packages/server/src/db/embedded/postmaster-file.js";

const IN_MEMORY = "/dev/shm";
const GIB = 2 ** 30;
/** A whole run's databases and WAL take less than two. */
const ROOM = 4 * GIB;
const MEMORY = 8 * GIB;

const hasRoomInMemory = (): boolean => {
  try {
    const { bavail, bsize } = statfsSync(IN_MEMORY);
    return bavail * bsize >= ROOM && process.availableMemory() >= MEMORY;
  } catch {
    return false;
  }
};

/**
 * Where the data of throw-away servers lies: in memory where a machine has plenty, else among the temporary files. A test's database is a copy of some nine
 * hundred files, which takes 20 to 40 ms in memory and, on a busy disk, a second and more.
 */
export const scratchFolder = (): string => (hasRoomInMemory() ? IN_MEMORY : tmpdir());

/** Removes folders named `<start><process id>-...` whose process has ended without removing them. */
export function removeAbandoned(start: string): void {
  const owned = new RegExp(`^${start}(\\d+)-`);
  for (const root of new Set([tmpdir(), scratchFolder()])) {
    for (const name of readdirSync(root)) {
      const owner = owned.exec(name)?.[1];
      if (owner === undefined || isProcessAlive(Number(owner))) continue;
      try {
        rmSync(`${root}/${name}`, { recursive: true, force: true });
      } catch {
        // Somebody else's.
      }
    }
  }
}
