import type { Logger } from "pino";
import type { Database } from "../../db/client.js";
import { lookRegularly } from "../../look-regularly.js";
import type { ConnectorHost } from "../connector-host.js";
import { noteCall, readAdmission } from "../traffic/breaker-store.js";
import { probeOf } from "../traffic/probe-outcome.js";
import { takeTurn } from "./check-turns.js";

const LOOK_EVERY_MS = 1_000;
/** Checks beside each other on one server: a system that does not answer takes ten seconds. */
const PARALLEL_CHECKS = 8;

interface Work {
  readonly database: Database;
  readonly host: Pick<ConnectorHost, "checkEndpoint">;
  readonly log: Logger;
}

/**
 * Checks the endpoints that have `checkEvery`, in maintenance windows too: each check is evidence of availability, and failures in a row open the breaker
 * and raise this server's own alert, as those of runs do. Several servers share the work. The answer ends it.
 */
export function followChecks(
  context: Work,
  options: { readonly everyMs?: number; readonly afterWrite?: () => void } = {},
): () => Promise<void> {
  const { database, log } = context;
  const goOn = async (signal: AbortSignal): Promise<void> => {
    for (let turn = await takeTurn(database.db); turn !== undefined && !signal.aborted; turn = await takeTurn(database.db)) {
      if (await checkOnce(context, turn, signal)) options.afterWrite?.();
    }
  };
  return lookRegularly(
    async (signal) => {
      const first = await takeTurn(database.db);
      if (first === undefined) return;
      const others = Array.from({ length: PARALLEL_CHECKS - 1 }, () => goOn(signal));
      const own = checkOnce(context, first, signal).then((changed) => {
        if (changed) options.afterWrite?.();
        return goOn(signal);
      });
      for (const one of await Promise.allSettled([own, ...others])) if (one.status === "rejected") throw one.reason;
    },
    {
      everyMs: options.everyMs ?? LOOK_EVERY_MS,
      onFailure: (error) => log.warn({ err: error }, "Endpoints could not be checked by the clock; trying once more."),
    },
  );
}

/** One check. True when it changed what is known of the endpoint's breaker. One endpoint's trouble does not keep the others. */
async function checkOnce(
  { database, host, log }: Work,
  endpoint: { readonly id: number; readonly key: string },
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const found = await orStopped(
      probeOf(() => host.checkEndpoint(endpoint.key, signal)),
      signal,
    );
    if (found === "stopped" || found.isThere === null) return false;
    const { isThere, reason } = found;
    const { isNoted } = await readAdmission(database.db, endpoint.id);
    if (isThere && !isNoted) return false;
    await noteCall({ database }, endpoint, isThere ? { kind: "answer" } : { kind: "away", reason: reason ?? "The system did not answer." });
    return true;
  } catch (error) {
    log.warn({ err: error, endpoint: endpoint.key }, "An endpoint could not be checked; its next turn tries again.");
    return false;
  }
}

/** A server that stops does not wait for a connector that is deaf to its signal: a check only looks. */
async function orStopped<T>(work: Promise<T>, signal: AbortSignal): Promise<T | "stopped"> {
  const stopped = new Promise<"stopped">((resolve) => {
    if (signal.aborted) resolve("stopped");
    else signal.addEventListener("abort", () => resolve("stopped"), { once: true });
  });
  // Left behind, it may fail unheard.
  work.catch(() => undefined);
  return Promise.race([work, stopped]);
}
