import { DomainError, isReady } from "@quiesce/core";
import { isConnectorError } from "@quiesce/sdk";
import type { Logger } from "pino";
import type { ReadinessProbe } from "../windows/check-readiness.js";
import type { ConnectorHost } from "./connector-host.js";

/**
 * Whether the systems behind endpoints are ready, by their connectors' checks, which the host allows during a window and without a run. A
 * connector that cannot check has nothing to say against an end; one that is not installed has: its runs would fail.
 */
export function createReadinessProbe(host: ConnectorHost, log: Logger): ReadinessProbe {
  const cannotCheck = (name: string): boolean => {
    const connector = host.connectors.find(name)?.connector;
    return connector !== undefined && connector.check === undefined;
  };
  return {
    async isReady({ endpoint, connector }) {
      if (cannotCheck(connector)) return { ready: true, why: null };
      try {
        const health = await host.checkEndpoint(endpoint, new AbortController().signal);
        if (isReady(health)) return { ready: true, why: null };
        const state = health.inMaintenance === true ? "in maintenance" : health.status;
        return { ready: false, why: health.message === undefined ? `The system says that it is ${state}.` : `${state}: ${health.message}` };
      } catch (error) {
        // These carry words for people, without secrets.
        if (isConnectorError(error)) return { ready: false, why: `${error.kind}: ${error.message}` };
        if (error instanceof DomainError) return { ready: false, why: error.message };
        log.error({ err: error, endpoint }, "The check of an endpoint failed in the server itself.");
        return { ready: false, why: "The check failed in the server itself; its log says why." };
      }
    },
  };
}
