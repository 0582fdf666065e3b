import type { ActorGate } from "./gated-database.js";
import type { Random } from "./random.js";

/** A statement that takes longer than this waits for a lock that another task holds, so the others go on. */
const blockedAfterMs = 40;

/**
 * Runs tasks at the same time, one statement of one of them after another in a seeded order: every interleaving of two servers is a story that
 * can be told again.
 */
export async function interleave(
  random: Random,
  tasks: readonly { readonly gate: ActorGate; readonly work: () => Promise<void> }[],
): Promise<void> {
  const parked = new Map<number, () => void>();
  const ended = new Set<number>();
  const failures: unknown[] = [];
  let notify: () => void = () => undefined;
  const change = () => {
    notify();
    notify = () => undefined;
  };
  const changed = () => new Promise<void>((resolve) => (notify = resolve));
  const all = tasks.map(async (task, index) => {
    task.gate.takeTurns(
      () =>
        new Promise<void>((resolve) => {
          parked.set(index, resolve);
          change();
        }),
    );
    try {
      await task.work();
    } catch (error) {
      failures.push(error);
    } finally {
      task.gate.takeTurns(null);
      ended.add(index);
      change();
    }
  });
  while (ended.size < tasks.length) {
    if (parked.size === 0) {
      await changed();
      continue;
    }
    const index = random.pick([...parked.keys()].toSorted((a, b) => a - b));
    const go = parked.get(index);
    parked.delete(index);
    go?.();
    await stopsOrBlocks(() => parked.has(index) || ended.has(index), changed);
  }
  await Promise.all(all);
  if (failures.length > 0) throw failures[0];
}

async function stopsOrBlocks(stopped: () => boolean, changed: () => Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const blocked = new Promise<"blocked">((resolve) => {
    timer = setTimeout(() => resolve("blocked"), blockedAfterMs);
  });
  while (!stopped()) if ((await Promise.race([changed(), blocked])) === "blocked") break;
  clearTimeout(timer);
}
