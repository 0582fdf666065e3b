import type { ActorGate } from "./gated-database.js";
import type { Random } from "./random.js";

/** A statement that takes longer than this may wait for a lock that another task holds: the database knows, and then the others go on. */
const lookAfterMs = 5;
/** So often without a statement under way, a task waits for time to pass. */
const looksAsleep = 8;

/** What a task's connection does at this moment, by the database's own account. A slow machine is no lock: the same seed tells the same story there. */
export type Doing = "works" | "waits-for-lock" | "nothing";

interface Task {
  readonly gate: ActorGate;
  readonly work: () => Promise<void>;
  readonly doing: () => Promise<Doing>;
}

/**
 * Runs tasks at the same time, one statement of one of them after another in a seeded order: every interleaving of two servers is a story that
 * can be told again.
 */
export async function interleave(random: Random, tasks: readonly Task[]): Promise<void> {
  // A task may have several statements under way, as a pass that asks several systems at once: each waits for its own turn.
  const parked = new Map<number, (() => void)[]>();
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
          parked.set(index, [...(parked.get(index) ?? []), resolve]);
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
    const [go, ...others] = parked.get(index) ?? [];
    const task = tasks[index];
    if (others.length > 0) parked.set(index, others);
    else parked.delete(index);
    go?.();
    if (task !== undefined) await stopsOrBlocks(() => parked.has(index) || ended.has(index), { changed, doing: task.doing });
  }
  await Promise.all(all);
  // What a crashed task had sent beside the statement that crashed: it is on its way.
  for (const go of [...parked.values()].flat()) go();
  if (failures.length > 0) throw failures[0];
}

async function stopsOrBlocks(
  stopped: () => boolean,
  task: { readonly changed: () => Promise<void>; readonly doing: Task["doing"] },
): Promise<void> {
  for (let asleep = 0; !stopped() && asleep < looksAsleep;) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const looks = new Promise<"look">((resolve) => {
      timer = setTimeout(() => resolve("look"), lookAfterMs);
    });
    const first = await Promise.race([task.changed(), looks]);
    clearTimeout(timer);
    if (first !== "look") continue;
    const doing = await task.doing();
    if (doing === "waits-for-lock") return;
    asleep = doing === "nothing" ? asleep + 1 : 0;
  }
}
