import { nearestName } from "@quiesce/core";
import { type Connector, isConnectorError, parseSettings } from "@quiesce/sdk";
import type { CheckEndpoint } from "../catalog/commands.js";
import type { ConnectorHost } from "./connector-host.js";

/** Checks an endpoint's configuration against its connector's own schema before it is saved; secrets are checked when they are used. */
export function checkSettings(connectors: readonly Connector[]): CheckEndpoint {
  const byId = new Map(connectors.map((connector) => [connector.id, connector]));
  return async (endpoint) => {
    const connector = byId.get(endpoint.connector);
    if (connector === undefined) {
      const near = nearestName(endpoint.connector, [...byId.keys()]);
      const hint = near === undefined ? "" : ` Did you mean "${near}"?`;
      return [
        { path: "connector", message: `There is no connector "${endpoint.connector}". Loaded are ${[...byId.keys()].join(", ")}.${hint}` },
      ];
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
