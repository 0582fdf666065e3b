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
  const state: { latest: string | null; ended: boolean; failure: unknown } = { latest: options.cursor, ended: false, failure: null };
  let lastAt = -Infinity;
  let wake: () => void = () => {};
  let pumping: Promise<void> | null = null;

  const pump = async (): Promise<void> => {
    try {
      for await (const item of subscription) {
        if (item.type !== "event" || !options.relevant(item.event)) continue;
        state.latest = item.cursor;
        wake();
      }
    } catch (error) {
      state.failure = error;
    }
    state.ended = true;
    wake();
  };
  const rest = (ms?: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
      wake = () => {
        if (ms !== undefined && !state.ended) return;
        clearTimeout(timer);
        resolve();
      };
    });

  const iterator: AsyncIterableIterator<Pulse, undefined> = {
    async next() {
      pumping ??= pump();
      while (!state.ended && state.latest === null) await rest();
      const waitMs = lastAt + options.minIntervalMs - clock.monotonicMs();
      if (!state.ended && waitMs > 0) await rest(waitMs);
      if (state.failure !== null) throw state.failure;
      if (state.ended || state.latest === null) return { done: true, value: undefined };
      const cursor = state.latest;
      state.latest = null;
      lastAt = clock.monotonicMs();
      return { done: false, value: { cursor } };
    },
    async return() {
      state.ended = true;
      wake();
      await subscription.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}
