import type { Connector, Json, Manifest, Stability } from "@quiesce/sdk";
import type { EndpointFacts, FactsWanted } from "./endpoint-facts.js";

/** Where a connector's code runs. */
export const isolations = ["inline", "worker"] as const;
export type Isolation = (typeof isolations)[number];

/** A connector that endpoints can use, wherever it runs. */
export interface HostedConnector {
  /** What endpoints call it: its alias, or its id. */
  readonly name: string;
  readonly alias: string | undefined;
  /** null: it comes with Quiesce. */
  readonly package: string | null;
  readonly version: string;
  readonly stability: Stability;
  readonly isolation: Isolation;
  /** Its facets; `egress`, `auth` and their like are asked by {@link factsOf}, because they may be in another thread. */
  readonly connector: Connector;
  readonly limits: Connector["limits"];
  readonly factsOf: (wanted: FactsWanted) => Promise<EndpointFacts>;
  /** Asks its `migrate` for a configuration of today's version; answers whatever that gives, to be checked. */
  readonly migrate: (config: Json, from: number) => Promise<unknown>;
  /** Why its code does not run any more; null while it does. */
  readonly failure: () => string | null;
  /** Whether a call is under way in its worker. */
  readonly isBusy: () => boolean;
  /** Its own clean-up gets `limitMs`. */
  readonly close: (limitMs: number) => Promise<void>;
}

/** How far a connector is. `draining`: it was taken off the list, or replaced, and calls that began before still end. */
export const connectorStates = ["loaded", "failed", "draining"] as const;
export type ConnectorState = (typeof connectorStates)[number];

/** A line of the list of connectors. */
export interface ConnectorListing {
  readonly name: string;
  readonly alias: string | null;
  /** null when its code never ran. */
  readonly id: string | null;
  readonly package: string | null;
  readonly version: string | null;
  readonly stability: Stability | null;
  readonly isolation: Isolation;
  readonly state: ConnectorState;
  /** Why it failed. */
  readonly reason: string | null;
  readonly manifest: Manifest | null;
}
