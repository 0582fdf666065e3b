import { isConnectorError, parseSettings } from "@quiesce/sdk";
import type { CheckEndpoint } from "../catalog/commands.js";
import type { ConnectorHost } from "./connector-host.js";
import type { ConnectorRegistry } from "./connector-registry.js";

/** Checks an endpoint's configuration against its connector's own schema before it is saved; secrets are checked when they are used. */
export function checkSettings(connectors: Pick<ConnectorRegistry, "find" | "whyNot">): CheckEndpoint {
  return async (endpoint) => {
    const connector = connectors.find(endpoint.connector)?.connector;
    if (connector === undefined) {
      const why = connectors.whyNot(endpoint.connector);
      return [{ path: "connector", message: `${why.charAt(0).toUpperCase()}${why.slice(1)}` }];
    }
    const result = await parseSettings(connector.config, endpoint.config);
    if (result.ok) return [];
    return result.issues.map((issue) => ({ path: issue.path === "" ? "config" : `config.${issue.path}`, message: issue.message }));
  };
}

/** How the system behind an endpoint answers, with an error as an answer too. */
export async function describeHealth(
  host: ConnectorHost,
  endpointKey: string,
): Promise<{ readonly ok: boolean; readonly detail: unknown }> {
  try {
    const health = await host.checkEndpoint(endpointKey, new AbortController().signal);
    return { ok: health.status === "up" || health.status === "degraded", detail: health };
  } catch (error) {
    if (!isConnectorError(error)) throw error;
    return { ok: false, detail: { status: "down", kind: error.kind, message: error.message } };
  }
}

/** The configVersion of each connector that is loaded. */
export function configVersionsOf(connectors: Pick<ConnectorRegistry, "find">): (connector: string) => number | null {
  return (name) => {
    const connector = connectors.find(name)?.connector;
    return connector === undefined ? null : (connector.configVersion ?? 1);
  };
}
