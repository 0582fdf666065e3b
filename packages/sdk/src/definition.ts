import { z } from "zod";
import { definitionProblems } from "./definition-problems.js";
import { ConnectorError } from "./error.js";
import type { AuthMethod } from "./auth.js";
import type { ErrorKind } from "./error.js";
import type { AlertsFacet } from "./facets/alerts.js";
import type { CalendarFacet } from "./facets/calendar.js";
import type { CatalogFacet } from "./facets/catalog.js";
import type { CheckFacet } from "./facets/check.js";
import type { DowntimeFacet } from "./facets/downtime.js";
import type { NotifyFacet } from "./facets/notify.js";
import type { PushFacet } from "./facets/push.js";
import type { QuotaFacet } from "./facets/quota.js";
import type { ReadFacet } from "./facets/read.js";
import type { ReconcileFacet } from "./facets/reconcile.js";
import type { RotateFacet } from "./facets/rotate.js";
import type { StreamsFacet } from "./facets/streams.js";
import type { TrackerFacet } from "./facets/tracker.js";
import type { WriteFacet } from "./facets/write.js";
import type { HttpAnswer } from "./http-error.js";
import type { Json, JsonObject } from "./json.js";
import type { SettingsSchema } from "./settings.js";

/** The version of the contract between host and connector. Within a version there are only optional additions. */
export const API_VERSION = 1 as const;

/** The brand of a connector: hosts look for this property, never for a class. */
export const CONNECTOR_BRAND: symbol = Symbol.for("quiesce.connector");

/** What a connector can do. The presence of a facet is the capability: there is no second list that could lie. */
export interface Facets<C, S>
  extends
    CheckFacet<C, S>,
    StreamsFacet<C, S>,
    ReadFacet<C, S>,
    WriteFacet<C, S>,
    PushFacet<C, S>,
    AlertsFacet<C, S>,
    TrackerFacet<C, S>,
    CalendarFacet<C, S>,
    DowntimeFacet<C, S>,
    CatalogFacet<C, S>,
    ReconcileFacet<C, S>,
    RotateFacet<C, S>,
    QuotaFacet<C, S>,
    NotifyFacet<C, S> {}

/**
 * All facets of this version of the contract. A `stable` one only gains optional members until the next `apiVersion`; an `experimental` one may change
 * with a minor version of this package, until two connectors for different systems have used it.
 */
export const FACET_STABILITY = {
  check: "stable",
  streams: "stable",
  read: "stable",
  listKeys: "stable",
  write: "stable",
  push: "experimental",
  alerts: "experimental",
  tracker: "experimental",
  calendar: "experimental",
  downtime: "stable",
  catalog: "experimental",
  reconcile: "experimental",
  rotate: "experimental",
  quota: "experimental",
  notify: "experimental",
} as const;

/** The name of a facet. */
export type FacetName = keyof typeof FACET_STABILITY;

/** The names of all facets of this version of the contract. */
export const FACET_NAMES = Object.keys(FACET_STABILITY) as readonly FacetName[];

/** How far a connector can be relied on. */
export type Stability = "experimental" | "beta" | "stable" | "deprecated";

/** What a connector is, beside its facets. `C` and `S` are the parsed configuration and secrets. */
export interface ConnectorInfo<C, S = unknown> {
  /** The contract it was written for: {@link API_VERSION}. */
  readonly apiVersion: typeof API_VERSION;
  /** A short name that never changes: lower-case letters, digits and dashes, 2 to 41 characters, a letter first. */
  readonly id: string;
  /** Semantic version of the connector. */
  readonly version: string;
  /** The name people see. */
  readonly displayName: string;
  /** Where its documentation is. */
  readonly docs?: string;
  readonly stability: Stability;
  /** Raised when the configuration changes its shape; 1 if absent. Needs `migrate` from then on. */
  readonly configVersion?: number;
  /** Turns the configuration of an older `configVersion` into today's, before it is parsed. */
  migrate?(old: Json, from: number): Json;
  /** The origins (`https://erp.example.com:8443`, `postgres://db:5432`) it may reach with this configuration. The host refuses the rest. */
  egress(config: C): readonly string[];
  /** How requests show who asks; undefined for endpoints without credentials. Connectors that add it themselves leave this out. */
  auth?(config: C, secrets: S): AuthMethod | undefined;
  /**
   * What the system can bear: requests of `x.fetch` each second and at one time. The host keeps to it over all integrations of one endpoint, and to what
   * the system asks for by headers (`Retry-After`, `RateLimit-Reset`, `X-RateLimit-Reset` in all their forms).
   */
  readonly limits?: { readonly requestsPerSecond?: number; readonly concurrency?: number };
  /**
   * Finds errors that the HTTP status does not tell (an error in a 200, a 404 for a missing right): the error's kind and message, or undefined for an
   * answer that is none. If it is there, `x.fetch` keeps answers of text and JSON whole, up to the limit of a body, asks it about each, and rejects with
   * what it gives.
   */
  classify?(answer: HttpAnswer): { readonly kind: ErrorKind; readonly message: string; readonly field?: string } | undefined;
  /** Releases what the module holds. Called once before the connector is unloaded; must bear a second call. */
  close?(): Promise<void>;
}

/** What an author writes: see {@link defineConnector}. */
export interface Definition<C extends z.ZodType, S extends z.ZodType>
  extends ConnectorInfo<z.output<C>, z.output<S>>, Facets<z.output<C>, z.output<S>> {
  /** The schema of the endpoint's configuration: an object. Never a secret in it: it is shown, exported and compared. */
  readonly config: C;
  /** The schema of the endpoint's secrets: an object, `z.object({})` if there are none. Sealed at rest, never shown. */
  readonly secrets: S;
}

/** What the world may know of a connector without running it: plain JSON. */
export interface Manifest {
  readonly apiVersion: typeof API_VERSION;
  readonly id: string;
  readonly version: string;
  readonly displayName: string;
  readonly docs?: string;
  readonly stability: Stability;
  readonly facets: readonly FacetName[];
  readonly configVersion: number;
  /** JSON Schema (draft 2020-12) of the configuration as it is entered. */
  readonly config: JsonObject;
  /** JSON Schema (draft 2020-12) of the secrets as they are entered. */
  readonly secrets: JsonObject;
}

/** A defined connector, as the host sees it. `Connector` without arguments stands for any. */
export interface Connector<C = unknown, S = unknown> extends ConnectorInfo<C, S>, Facets<C, S> {
  readonly config: SettingsSchema<C>;
  readonly secrets: SettingsSchema<S>;
  /** Made inside the connector's own copy of zod, so that the host needs no zod of the same version. */
  toManifest(): Manifest;
}

/**
 * Defines a connector. Throws a ConnectorError of kind `bug` that lists everything wrong with the definition.
 *
 * @example
 * export const httpPing = defineConnector({
 *   apiVersion: 1, id: "http-ping", version: "1.0.0", displayName: "HTTP ping", stability: "stable",
 *   config: z.object({ url: z.url() }), secrets: z.object({}),
 *   egress: (config) => [new URL(config.url).origin],
 *   check: async (x) => ({ status: (await x.fetch(x.config.url)).ok ? "up" : "degraded" }),
 * });
 */
export function defineConnector<C extends z.ZodType, S extends z.ZodType>(
  definition: Definition<C, S>,
): Connector<z.output<C>, z.output<S>> {
  const problems = definitionProblems(definition, API_VERSION, FACET_NAMES);
  if (problems.length > 0) {
    const name = typeof definition?.id === "string" ? ` "${definition.id}"` : "";
    throw new ConnectorError("bug", `The connector${name} is not well defined:\n- ${problems.join("\n- ")}`);
  }
  const connector = {
    ...definition,
    toManifest: () => manifestOf(definition),
    [CONNECTOR_BRAND]: API_VERSION,
  };
  return Object.freeze(connector);
}

/** True for what {@link defineConnector} of any copy of this package returned. */
export function isConnector(value: unknown): value is Connector {
  return typeof value === "object" && value !== null && Reflect.get(value, CONNECTOR_BRAND) === API_VERSION;
}

/** The facets a connector has. */
export function facetsOf(facets: Facets<never, never>): readonly FacetName[] {
  return FACET_NAMES.filter((name) => facets[name] !== undefined);
}

function manifestOf<C extends z.ZodType, S extends z.ZodType>(definition: Definition<C, S>): Manifest {
  return {
    apiVersion: definition.apiVersion,
    id: definition.id,
    version: definition.version,
    displayName: definition.displayName,
    ...(definition.docs === undefined ? {} : { docs: definition.docs }),
    stability: definition.stability,
    facets: facetsOf(definition),
    configVersion: definition.configVersion ?? 1,
    config: jsonSchemaOf(definition.config),
    secrets: jsonSchemaOf(definition.secrets),
  };
}

function jsonSchemaOf(schema: z.ZodType): JsonObject {
  // Through JSON, because the schema may share parts and hold undefined members.
  return JSON.parse(JSON.stringify(z.toJSONSchema(schema, { io: "input" }))) as JsonObject;
}
