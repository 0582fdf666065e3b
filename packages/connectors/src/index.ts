import type { Connector } from "@quiesce/sdk";
import { fileConnector } from "./file/file-connector.js";
import { httpConnector } from "./http/http-connector.js";
import { postgresConnector } from "./postgres/postgres-connector.js";
import { trytonConnector } from "./tryton/tryton-connector.js";

export { fileConnector, httpConnector, postgresConnector, trytonConnector };

/** The connectors that come with Quiesce. */
export const firstPartyConnectors: readonly Connector[] = [fileConnector, httpConnector, postgresConnector, trytonConnector];
