import { isConnectorError } from "@quiesce/sdk";
import type { Logger } from "pino";
import type { Database } from "../../db/client.js";
import { lookRegularly } from "../../look-regularly.js";
import type { ConnectorHost } from "../connector-host.js";
import { noteCall, takeDueProbe } from "./breaker-store.js";

const LOOK_EVERY_MS = 1_000;
/** Probes one after the other in one look; a system that does not answer takes ten seconds of it. */
const PARALLEL_PROBES = 4;

/** Asks systems whose breaker is open again when it is time; several servers share the work. The answer ends it. */
export function followBreakers(
  context: { readonly database: Database; readonly host: Pick<ConnectorHost, "probeEndpoint">; readonly log: Logger },
  options: { readonly everyMs?: number; readonly afterWrite?: () => void } = {},
): () => Promise<void> {
  const { database, host, log } = context;
  const probe = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      const endpoint = await takeDueProbe(database.db);
      if (endpoint === undefined) return;
      const found = await host.probeEndpoint(endpoint.key, signal).catch((error: unknown) => {
        if (!isConnectorError(error)) throw error;
        return { isThere: false, reason: `${error.kind}: ${error.message}` };
      });
      // Told to stop, not answered: another server asks.
      if (signal.aborted) return;
      await noteCall({ database }, endpoint, { kind: "probed", ...found });
      options.afterWrite?.();
    }
  };
  return lookRegularly(
    async (signal) => {
      const ended = await Promise.allSettled(Array.from({ length: PARALLEL_PROBES }, () => probe(signal)));
      for (const one of ended) if (one.status === "rejected") throw one.reason;
    },
    {
      everyMs: options.everyMs ?? LOOK_EVERY_MS,
      onFailure: (error) => log.warn({ err: error }, "Endpoints that gave no answer could not be asked again; trying once more."),
    },
  );
}
