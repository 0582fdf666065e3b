/** A call that was told to stop has ended after so many milliseconds in which this process had its turns. */
export const CANCEL_MS = 250;

const LOOK_MS = 10;
const COUNTED_OF_LOOK_MS = 20;
/** However busy the machine is. */
const GIVEN_UP_MS = 60_000;

/**
 * What counts of the time between two looks, in milliseconds: 20 at most, or what this process used of the processor if that is more. A machine that
 * works for others lets no connector stop; a connector that is busy itself is not excused.
 */
export function countedMs(look: { readonly elapsedMs: number; readonly cpuMs: number }): number {
  return Math.min(look.elapsedMs, Math.max(COUNTED_OF_LOOK_MS, look.cpuMs));
}

/** Says `late` when a call has had its time: counted look by look, since on an overloaded machine a timer alone comes before what it waits for had a turn. */
export function outOfPatience(): { readonly late: Promise<"late">; readonly end: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const began = performance.now();
  const late = new Promise<"late">((resolve) => {
    let counted = 0;
    let last = began;
    let lastCpu = process.cpuUsage();
    timer = setInterval(() => {
      const now = performance.now();
      const { user, system } = process.cpuUsage(lastCpu);
      counted += countedMs({ elapsedMs: now - last, cpuMs: (user + system) / 1_000 });
      last = now;
      lastCpu = process.cpuUsage();
      if (counted < CANCEL_MS && now - began < GIVEN_UP_MS) return;
      clearInterval(timer);
      // What was ready long ago goes first: a turn of the event loop lets it.
      setImmediate(() => setImmediate(() => resolve("late")));
    }, LOOK_MS);
  });
  return { late, end: () => clearInterval(timer) };
}
