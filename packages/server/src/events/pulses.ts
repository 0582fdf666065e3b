import { clock } from "../clock.js";
import type { LoggedEvent } from "./event-log.js";
import type { LiveSubscription } from "./live-bus.js";

/** Something relevant happened up to this cursor: read the state again. */
export interface Pulse {
  readonly cursor: string;
}

export interface PulseOptions {
  /** Where the first pulse, which comes at once, says it stands. */
  readonly cursor: string;
  readonly relevant: (event: LoggedEvent) => boolean;
  /** Pulses are at least this far apart; events in between share the next one. */
  readonly minIntervalMs: number;
}

/**
 * Turns events into occasions to look again: one at once, then one after relevant events, never more often than asked. It reads the subscription
 * without pause, so that a burst fills no queue.
 */
export function pulses(subscription: LiveSubscription, options: PulseOptions): AsyncIterableIterator<Pulse, undefined> {
  let latest: string | null = options.cursor;
  let lastAt = -Infinity;
  let ended = false;
  let failure: unknown = null;
  let wake: () => void = () => {};
  let pumping: Promise<void> | null = null;

  const pump = async (): Promise<void> => {
    try {
      for await (const item of subscription) {
        if (item.type !== "event" || !options.relevant(item.event)) continue;
        latest = item.cursor;
        wake();
      }
    } catch (error) {
      failure = error;
    }
    ended = true;
    wake();
  };
  const rest = (ms?: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
      wake = () => {
        if (ms !== undefined && !ended) return;
        clearTimeout(timer);
        resolve();
      };
    });

  const iterator: AsyncIterableIterator<Pulse, undefined> = {
    async next() {
      pumping ??= pump();
      while (!ended && latest === null) await rest();
      const waitMs = lastAt + options.minIntervalMs - clock.monotonicMs();
      if (!ended && waitMs > 0) await rest(waitMs);
      if (failure !== null) throw failure;
      if (ended || latest === null) return { done: true, value: undefined };
      const cursor = latest;
      latest = null;
      lastAt = clock.monotonicMs();
      return { done: false, value: { cursor } };
    },
    async return() {
      ended = true;
      wake();
      await subscription.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}
