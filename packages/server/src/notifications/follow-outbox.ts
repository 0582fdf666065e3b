import { clock } from "../clock.js";
import { createEgress } from "../connector-host/guarded-fetch.js";
import type { Log } from "../log.js";
import { deliverOutbox, type DeliveryContext } from "./deliver-outbox.js";

const lookEveryMs = 1_000;
/** While the database does not answer it is asked less often. */
const restMs = 15_000;

/**
 * Delivers messages until the answered function is called. Several servers may do so at once. It is no pass of the scheduler, because a receiver
 * that does not answer must keep nothing else waiting.
 */
export function followOutbox(
  context: Omit<DeliveryContext, "egress"> & { readonly log: Log; readonly privateHosts?: readonly string[] },
  options: { readonly afterWrite?: () => void } = {},
) {
  const stop = new AbortController();
  const egress = createEgress({ privateHosts: context.privateHosts ?? [] });
  let restsUntilMs = Number.NEGATIVE_INFINITY;
  let busy: Promise<void> | null = null;
  const deliver = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const { taken, delivered, failed } = await deliverOutbox({ ...context, egress }, stop.signal);
      if (failed > 0) context.log.warn({ failed }, "Messages to teams were given up.");
      if (delivered > 0) context.log.info({ delivered }, "Teams were told.");
      if (failed > 0) options.afterWrite?.();
      if (taken === 0) return;
    }
  };
  const look = (): void => {
    if (busy !== null || clock.monotonicMs() < restsUntilMs) return;
    busy = deliver()
      .catch((error: unknown) => {
        restsUntilMs = clock.monotonicMs() + restMs;
        context.log.warn({ err: error }, "The outbox could not be looked at; trying again.");
      })
      .finally(() => {
        busy = null;
      });
  };
  const timer = setInterval(look, lookEveryMs);
  timer.unref();
  look();
  return async (): Promise<void> => {
    clearInterval(timer);
    stop.abort();
    await (busy ?? Promise.resolve());
    await egress.close();
  };
}
