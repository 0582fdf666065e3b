import { type Connector, ConnectorError, type Context, type Downtime, type RemoteDowntime } from "@quiesce/sdk";
import { clock } from "../clock.js";
import { limitedSignal } from "./limited-signal.js";
import type { EndpointName, LoadedEndpoint } from "./load-endpoint.js";
import { createSecretMask, type SecretMask } from "./secret-mask.js";
import { type CallGuard, settleCall } from "./settle-call.js";

/** One call to a monitor takes at most so long; well below the lease of a look (windows/announcements/monitor-looks.ts). */
const CALL_LIMIT_MS = 20_000;
/** More downtimes than this are not taken from a monitor. */
const MAX_LISTED = 20_000;

/**
 * What a monitor's endpoint is told about windows. Announcing is no run: it concerns the monitor, never the system that is held, and so it may happen
 * during a window, of the monitor's own system too. All throw ConnectorErrors without secrets.
 */
export interface DowntimeCalls {
  announce(endpointId: number, downtime: Downtime, signal: AbortSignal): Promise<readonly string[]>;
  withdraw(endpointId: number, windowId: string, signal: AbortSignal): Promise<void>;
  list(endpointId: number, signal: AbortSignal): Promise<readonly RemoteDowntime[]>;
}

interface Opened extends LoadedEndpoint {
  readonly context: Context;
  readonly guard: CallGuard;
}
type Call = { readonly signal: AbortSignal; readonly mask: SecretMask; readonly deadlineMonotonicMs: number };
type Facet = NonNullable<Connector["downtime"]>;

/** Binds the facet `downtime` of every connector to the host's contexts. `hold` keeps an opened connector's code until what it answers is called. */
export function downtimeCalls(host: {
  readonly contextOf: (endpoint: EndpointName, call: Call) => Promise<Opened>;
  readonly hold: (opened: Opened) => () => void;
}): DowntimeCalls {
  const within = async <T>(endpointId: number, signal: AbortSignal, work: (facet: Facet, context: Context) => Promise<T>): Promise<T> => {
    const limit = limitedSignal(signal, { limitMs: CALL_LIMIT_MS, what: "The monitor did not answer" });
    let release = (): void => undefined;
    try {
      const call = { signal: limit.signal, mask: createSecretMask(), deadlineMonotonicMs: clock.monotonicMs() + CALL_LIMIT_MS };
      const opened = await host.contextOf({ id: endpointId }, call);
      release = host.hold(opened);
      const { key, connector, context, guard } = opened;
      const { downtime } = connector;
      if (downtime === undefined)
        throw new ConnectorError(
          "config",
          `Endpoint "${key}": the connector "${connector.id}" cannot announce downtimes. Name a monitor's endpoint.`,
        );
      return guard.mask.deep(await limit.race(settleCall(guard, () => work(downtime, context))));
    } finally {
      release();
      limit.end();
    }
  };
  return {
    announce: (endpointId, downtime, signal) =>
      within(endpointId, signal, async (facet, context) => {
        const { ids } = await facet.announce(context, downtime);
        if (!Array.isArray(ids) || ids.some((id) => typeof id !== "string"))
          throw new ConnectorError("contract", "The connector did not answer with the ids of what it announced.");
        return ids;
      }),
    withdraw: (endpointId, windowId, signal) => within(endpointId, signal, (facet, context) => facet.withdraw(context, windowId)),
    list: (endpointId, signal) =>
      within(endpointId, signal, async (facet, context) => {
        const listed = await facet.list(context);
        if (!Array.isArray(listed) || listed.length > MAX_LISTED)
          throw new ConnectorError("contract", `The connector did not answer with a list of at most ${MAX_LISTED} downtimes.`);
        for (const one of listed) requireDowntime(one);
        return listed;
      }),
  };
}

/** What a connector answers is taken for nothing before it was looked at. */
function requireDowntime(one: RemoteDowntime): void {
  const isGood =
    typeof one === "object" &&
    one !== null &&
    [one.id, one.start, one.end, one.title].every((text) => typeof text === "string") &&
    (one.windowId === undefined || typeof one.windowId === "string") &&
    !Number.isNaN(Date.parse(one.start)) &&
    !Number.isNaN(Date.parse(one.end)) &&
    Array.isArray(one.resources) &&
    one.resources.every((name) => typeof name === "string");
  if (!isGood) throw new ConnectorError("contract", "The connector listed a downtime without an id, instants, title or resources.");
}
