import type { CallMeta, ConnectorFetch, Context, LogFields, Logger as ConnectorLogger } from "@quiesce/sdk";
import type { Logger } from "pino";
import { clock } from "../clock.js";
import type { KeyRing } from "../credentials/master-key.js";
import type { Database } from "../db/client.js";
import { authorisedFetch } from "./auth/authorised-fetch.js";
import type { TokenKeeper } from "./auth/token-keeper.js";
import { classifyingFetch } from "./classifying-fetch.js";
import { createStateStore } from "./connector-state.js";
import type { Egress } from "./guarded-fetch.js";
import type { LoadedEndpoint } from "./load-endpoint.js";
import type { SecretMask } from "./secret-mask.js";
import type { RequestDelays } from "./traffic/request-delays.js";
import type { RequestPace } from "./traffic/request-pace.js";

/** The context of the calls of one endpoint within one run, or one check. */
export function callContext(options: {
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly egress: Egress;
  readonly endpoint: LoadedEndpoint;
  readonly signal: AbortSignal;
  readonly deadlineMonotonicMs: number;
  readonly mask: SecretMask;
  readonly log: Logger;
  readonly meta: CallMeta;
  readonly pace: RequestPace;
  readonly delays: RequestDelays;
  readonly tokens: TokenKeeper;
  /** Sees every request as it goes out, with what shows who asks. */
  readonly watch?: ((fetch: ConnectorFetch) => ConnectorFetch) | undefined;
}): Context {
  const { endpoint, signal, mask } = options;
  const reach = { origins: endpoint.facts.origins, privateHosts: endpoint.privateHosts };
  const log = connectorLog(options.log, mask);
  return {
    config: endpoint.config,
    secrets: endpoint.secrets,
    signal,
    deadline: new Date(clock.wallMs() + options.deadlineMonotonicMs - clock.monotonicMs()),
    fetch: fetchOf(options, reach),
    resolveHost: (host) => options.egress.resolveHost(reach, host),
    log,
    metric: (name, value, labels) => log.debug("A figure of the connector.", { metric: name, value, labels: labels ?? {} }),
    state: createStateStore({ database: options.database, keyRing: options.keyRing, endpoint, connectorId: endpoint.connector.id, mask }),
    clock: { now: () => new Date(clock.wallMs()) },
    meta: options.meta,
  };
}

/** From the network outwards: the guard, a watch, what answers have asked for, the endpoint's pace, who asks, what the connector says of answers. */
function fetchOf(
  options: Parameters<typeof callContext>[0],
  reach: { readonly origins: readonly string[]; readonly privateHosts: readonly string[] },
): ConnectorFetch {
  const { endpoint, signal, mask, pace, delays, tokens, watch } = options;
  const guarded = options.egress.fetchFor({ ...reach, signal, mask });
  const watched = watch?.(guarded) ?? guarded;
  const heeding = delays.heeding(watched, endpoint, signal);
  const paced = pace.paced(heeding, endpoint, endpoint.hosted.limits ?? {}, signal);
  const authorised = authorisedFetch(paced, {
    auth: endpoint.facts.auth,
    origins: reach.origins,
    mask,
    tokens: (method) => tokens.sourceFor({ endpoint, method, fetch: guarded, mask, signal }),
  });
  // A connector in a worker looks at answers there.
  return endpoint.hosted.isolation === "worker" ? authorised : classifyingFetch(authorised, endpoint.connector);
}

function connectorLog(log: Logger, mask: SecretMask): ConnectorLogger {
  const write =
    (level: "debug" | "info" | "warn" | "error") =>
    (message: string, fields: LogFields = {}) => {
      // Under one name, so that a connector's fields cannot pose as the host's own.
      log[level]({ fields: mask.deep(fields) }, mask.text(message));
    };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}
