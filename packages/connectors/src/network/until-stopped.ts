import { ConnectorError } from "@quiesce/sdk";

/** What ends the waiting of {@link untilStopped}. */
export interface Stops {
  readonly signal: AbortSignal;
  /** The system, for messages. */
  readonly where: string;
  /** The longest to wait; only the signal ends it if absent. */
  readonly limitMs?: number;
  /** Ends what the work waits for: called when nobody waits any more. */
  readonly release?: () => void;
}

/**
 * Waits for `work`, or throws `cancelled` as soon as the signal is aborted, and `timeout` at the limit. Clients of brokers and databases know no signal:
 * `release` cuts what they wait for, and what comes of it is nobody's business.
 */
export async function untilStopped<T>(stops: Stops, work: Promise<T>): Promise<T> {
  const { signal, where, limitMs, release } = stops;
  const limit = limitMs === undefined ? undefined : AbortSignal.timeout(limitMs);
  let stop = (): void => undefined;
  const stopped = new Promise<never>((_resolve, reject) => {
    stop = () => {
      release?.();
      const error = signal.aborted
        ? new ConnectorError("cancelled", `The call to ${where} was stopped.`, { ambiguous: true })
        : new ConnectorError("timeout", `No answer from ${where} within ${String(limitMs)} ms.`, { ambiguous: true });
      reject(error);
    };
  });
  signal.addEventListener("abort", stop, { once: true });
  limit?.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  work.catch(() => undefined);
  try {
    return await Promise.race([work, stopped]);
  } finally {
    signal.removeEventListener("abort", stop);
    limit?.removeEventListener("abort", stop);
  }
}
