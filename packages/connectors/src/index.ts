import type { Connector } from "@quiesce/sdk";
import { httpConnector } from "./http/http-connector.js";
import { postgresConnector } from "./postgres/postgres-connector.js";

export { httpConnector, postgresConnector };

/** The connectors that come with Quiesce. */
export const firstPartyConnectors: readonly Connector[] = [httpConnector, postgresConnector];
