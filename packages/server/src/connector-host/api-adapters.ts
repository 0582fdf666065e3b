import { API_VERSION, type Connector, isConnector } from "@quiesce/sdk";

/** Turns what a package of one version of the contract exports into a connector of today's; undefined for what is none. */
export type ApiAdapter = (exported: unknown) => Connector | undefined;

/** By `apiVersion`: the contract of today and, from the second version on, the one before it. */
export type ApiAdapters = { readonly [apiVersion: number]: ApiAdapter };

/**
 * Versions of the contract that this server works with. There has been one so far. The next one adds an entry that wraps the facets of a connector
 * of version 1, so that these see the context they were written for.
 */
export const apiAdapters: ApiAdapters = { [API_VERSION]: (exported) => (isConnector(exported) ? exported : undefined) };
