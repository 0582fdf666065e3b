import type { Log } from "../../log.js";
import { lookRegularly } from "../../look-regularly.js";
import { abandonLook, endLook, type MonitorLook, takeLooks } from "./monitor-looks.js";
import { type MonitorContext, reconcileMonitor } from "./reconcile-monitor.js";
import { wantedDowntimes } from "./wanted-downtimes.js";

const LOOK_EVERY_MS = 1_000;
/** Monitors at the same time, of one server: one that does not answer keeps none of the others waiting. */
const MAX_PARALLEL = 8;

/**
 * Keeps the monitors told of windows until the answered function is called. Any number of servers may do so at once. It is no pass of the scheduler,
 * because a monitor that does not answer must keep nothing else waiting.
 */
export function followMonitors(
  context: MonitorContext & { readonly log: Log },
  options: { readonly everyMs?: number; readonly afterWrite?: () => void } = {},
): () => Promise<void> {
  const busy = new Set<Promise<void>>();
  const stopped = new AbortController();
  const turn = async (look: MonitorLook): Promise<void> => {
    const { told, error } = await reconcileMonitor(context, look, stopped.signal);
    if (stopped.signal.aborted && error !== null) return abandonLook(context.database, look);
    await endLook(context.database, look, { told, error });
    if (error !== null)
      context.log.warn({ endpoint: look.endpoint, problem: error }, "A monitor could not be told of windows; trying again.");
    if (told) context.log.info({ endpoint: look.endpoint }, "A monitor was told of windows.");
    if (told || error !== null) options.afterWrite?.();
  };
  const begin = (look: MonitorLook): void => {
    const running: Promise<void> = turn(look)
      .catch((failure: unknown) => context.log.warn({ err: failure, endpoint: look.endpoint }, "A look at a monitor failed; trying again."))
      .finally(() => busy.delete(running));
    busy.add(running);
  };
  const stopLooking = lookRegularly(
    async () => {
      const wanted = await wantedDowntimes(context.database.db);
      for (const look of await takeLooks(context.database, { wanted, limit: MAX_PARALLEL - busy.size })) begin(look);
    },
    {
      everyMs: options.everyMs ?? LOOK_EVERY_MS,
      onFailure: (error) => context.log.warn({ err: error }, "Monitors could not be looked at; trying again."),
    },
  );
  return async () => {
    stopped.abort({ why: "shutdown" });
    await stopLooking();
    await Promise.all(busy);
  };
}
