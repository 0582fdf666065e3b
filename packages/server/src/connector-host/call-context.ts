import type { CallMeta, Context, LogFields, Logger as ConnectorLogger } from "@quiesce/sdk";
import { ConnectorError } from "@quiesce/sdk";
import type { Logger } from "pino";
import { clock } from "../clock.js";
import type { KeyRing } from "../credentials/master-key.js";
import type { Database } from "../db/client.js";
import { createStateStore } from "./connector-state.js";
import type { Egress } from "./guarded-fetch.js";
import type { LoadedEndpoint } from "./load-endpoint.js";
import type { SecretMask } from "./secret-mask.js";

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
}): Context {
  const { endpoint, signal, mask } = options;
  const reach = { origins: originsOf(endpoint), privateHosts: endpoint.privateHosts };
  const log = connectorLog(options.log, mask);
  return {
    config: endpoint.config,
    secrets: endpoint.secrets,
    signal,
    deadline: new Date(clock.wallMs() + options.deadlineMonotonicMs - clock.monotonicMs()),
    fetch: options.egress.fetchFor({ ...reach, signal, mask }),
    resolveHost: (host) => options.egress.resolveHost(reach, host),
    log,
    metric: (name, value, labels) => log.debug("A figure of the connector.", { metric: name, value, labels: labels ?? {} }),
    state: createStateStore({ database: options.database, keyRing: options.keyRing, endpoint, connectorId: endpoint.connector.id, mask }),
    clock: { now: () => new Date(clock.wallMs()) },
    meta: options.meta,
  };
}

function originsOf(endpoint: LoadedEndpoint): readonly string[] {
  try {
    return endpoint.connector.egress(endpoint.config);
  } catch (cause) {
    throw new ConnectorError(
      "config",
      `The connector cannot tell from the configuration of endpoint "${endpoint.key}" which origins it reaches.`,
      { cause },
    );
  }
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
