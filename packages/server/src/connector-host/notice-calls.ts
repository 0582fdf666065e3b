import { type Connector, ConnectorError, type Context, type WriteItem, type WriteResult } from "@quiesce/sdk";
import { clock } from "../clock.js";
import { limitedSignal } from "./limited-signal.js";
import type { EndpointName, LoadedEndpoint } from "./load-endpoint.js";
import { createSecretMask, type SecretMask } from "./secret-mask.js";
import { type CallGuard, settleCall } from "./settle-call.js";

/** One message takes at most so long; a quarter of the lease of whoever delivers it (notifications/deliver-outbox.ts). */
const CALL_LIMIT_MS = 15_000;

/**
 * Writing what teams are told through an endpoint. It is no run and asks no hold: a message about a window goes out during it, as the windows of
 * monitors are announced. No other records are written this way.
 */
export interface NoticeCalls {
  /** Writes one record into a stream of an endpoint. Throws ConnectorErrors without secrets, and QSC_ENDPOINT_NOT_FOUND. */
  write(endpointId: number, notice: { readonly stream: string; readonly item: WriteItem }, signal: AbortSignal): Promise<WriteResult>;
}

interface Opened extends LoadedEndpoint {
  readonly context: Context;
  readonly guard: CallGuard;
}
type Call = { readonly signal: AbortSignal; readonly mask: SecretMask; readonly deadlineMonotonicMs: number };
type Facet = NonNullable<Connector["write"]>;

/** Binds the facet `write` of every connector to the host's contexts, one record at a time. */
export function noticeCalls(host: {
  readonly contextOf: (endpoint: EndpointName, call: Call) => Promise<Opened>;
  readonly hold: (opened: Opened) => () => void;
}): NoticeCalls {
  return {
    async write(endpointId, { stream, item }, signal) {
      const limit = limitedSignal(signal, { limitMs: CALL_LIMIT_MS, what: "The endpoint did not take the message" });
      let release = (): void => undefined;
      try {
        const call = { signal: limit.signal, mask: createSecretMask(), deadlineMonotonicMs: clock.monotonicMs() + CALL_LIMIT_MS };
        const opened = await host.contextOf({ id: endpointId }, call);
        release = host.hold(opened);
        const { context, guard } = opened;
        const facet = writingOf(opened);
        const results = await limit.race(settleCall(guard, () => facet.apply(context, stream, [item])));
        const result = results.find(({ key }) => key === item.key);
        if (result === undefined)
          throw new ConnectorError("contract", `Endpoint "${opened.key}" did not say what became of the message.`, { ambiguous: true });
        return guard.mask.deep(result);
      } finally {
        release();
        limit.end();
      }
    },
  };
}

function writingOf({ key, connector }: Opened): Facet {
  if (connector.write !== undefined) return connector.write;
  throw new ConnectorError("config", `Endpoint "${key}": the connector "${connector.id}" cannot write, so no mail goes out by it.`);
}
