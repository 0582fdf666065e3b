import type { Connector, ErrorKind, JsonObject, TicketPatch, WebhookRequest } from "../index.js";
import type { FakeAnswer } from "./fault-server.js";
import type { SystemUnderTest } from "./system-under-test.js";

/** A record that the kit wants to be in the system. */
export interface SeedRow {
  /** Digits; never changes. */
  readonly id: string;
  /** When it changed there, to the millisecond. Several rows share one. */
  readonly at: Date;
  /** Something to store: it differs whenever the record changed. */
  readonly n: number;
}

/** What the kit needs to know to test `streams`, `read` and `listKeys`. */
export interface ReadOptions<T> {
  readonly stream: string;
  /** Puts rows into the system, or replaces those that are there, by id. */
  readonly seed: (system: T, rows: readonly SeedRow[]) => void | Promise<void>;
  /** Deletes a row there; for connectors that find deletions. */
  readonly remove?: (system: T, id: string) => void | Promise<void>;
  /** The key that the connector gives to a row; its id if absent. */
  readonly keyOf?: (row: SeedRow) => string;
  /** `real`: the connector goes by the system's own clock, which does not stand still. The virtual one if absent. */
  readonly clock?: "real" | "virtual";
  /** The configuration makes it read some records again on purpose (an overlap): then records may come twice, but none is lost. */
  readonly repeats?: boolean;
}

/** What the kit needs to know to test `write`. */
export interface WriteOptions<T> {
  readonly stream: string;
  /** A record to write; another for each number. */
  readonly item: (n: number) => { readonly key: string; readonly data: JsonObject };
  /** The keys of what is in the system, one for each record, so that doubles show. */
  readonly stored: (system: T) => readonly string[] | Promise<readonly string[]>;
  /** A record whose content the system refuses. */
  readonly bad?: (n: number) => { readonly key: string; readonly data: JsonObject };
  /** A version that no record has: writing `ifVersion` it is a conflict. */
  readonly staleVersion?: string;
  /** Whether records can be deleted. */
  readonly deletes?: boolean;
}

/** What the kit needs to know to test `alerts.pull`. @experimental */
export interface AlertsOptions<T> {
  /** Makes something fire at the monitor. */
  readonly raise: (system: T, name: string) => void | Promise<void>;
  /** Ends it. */
  readonly resolve: (system: T, name: string) => void | Promise<void>;
  /** Puts it into a downtime there. */
  readonly silence?: (system: T, name: string) => void | Promise<void>;
}

/** What the kit needs to know to test a webhook. @experimental */
export interface WebhookOptions {
  /** A body as the system writes it, with more than one member if it is JSON. */
  readonly body: string;
  /** The request as the system sends it, signed with these secrets at that time. */
  readonly request: (sent: {
    readonly body: string;
    readonly secrets: JsonObject;
    readonly at: Date;
    readonly deliveryId: string;
  }) => WebhookRequest;
  /** The system signs nothing, it only shows a secret: then an altered or old request cannot be told. */
  readonly unsigned?: boolean;
  /** The signature does not cover a time. */
  readonly untimed?: boolean;
  /** Deliveries have no id of their own. */
  readonly unnumbered?: boolean;
}

/** What the kit needs to know to test `downtime`. */
export interface DowntimeOptions<T> {
  /** Names of things that the monitor has; two if it can. */
  readonly resources: readonly string[];
  /** A name that it has not. */
  readonly unknownResource?: string;
  /** Puts them there. */
  readonly seed?: (system: T) => void | Promise<void>;
}

/** What the kit needs to know to test `tracker`. @experimental */
export interface TrackerOptions<T> {
  /** A change that the tracker does not allow to an open ticket, and the field to blame. */
  readonly illegal?: { readonly patch: TicketPatch; readonly field: string };
  /** Somebody else edits a ticket there. */
  readonly edit?: (system: T, id: string) => void | Promise<void>;
}

/** A change that the kit wants to be planned at the system. @experimental */
export interface PlannedChange {
  /** Letters, digits and dashes; never changes. */
  readonly id: string;
  readonly start: Date;
  /** After `start`. */
  readonly end: Date;
}

/** What the kit needs to know to test `calendar`. @experimental */
export interface CalendarOptions<T> {
  /** Plans a change there, or moves the one of that id; it is approved, or needs no approval. */
  readonly plan: (system: T, change: PlannedChange) => void | Promise<void>;
  /** The id that the connector gives to a change; its id if absent. */
  readonly idOf?: (change: PlannedChange) => string;
  /** Calls a change off there. */
  readonly cancel?: (system: T, id: string) => void | Promise<void>;
  /** Makes a change wait for approval there; for connectors that approve. */
  readonly awaitApproval?: (system: T, id: string) => void | Promise<void>;
}

/** A thing that is in a catalogue. @experimental */
export interface CatalogThing {
  /** As the connector gives it. */
  readonly id: string;
  readonly dependsOn: readonly string[];
}

/** What the kit needs to know to test `catalog`. @experimental */
export interface CatalogOptions<T> {
  /** Everything that the system knows: two things at least, one of which needs another. */
  readonly things: readonly CatalogThing[];
  /** Puts them there; absent for systems that have them from their start. */
  readonly seed?: (system: T, things: readonly CatalogThing[]) => void | Promise<void>;
  /** Takes one away. */
  readonly remove?: (system: T, id: string) => void | Promise<void>;
}

/** What the kit needs to know to test `quota`. @experimental */
export interface QuotaOptions<T> {
  /** Somebody else uses so many requests of the same allowance. */
  readonly use?: (system: T, requests: number) => void | Promise<void>;
  /** `real`: `resetsAt` goes by the system's own clock, which does not stand still. The virtual one if absent. */
  readonly clock?: "real" | "virtual";
}

/** A message as people see it there. @experimental */
export interface ShownMessage {
  /** What it says, title and body. */
  readonly text: string;
  /** What the system calls its conversation, where it has such a thing. */
  readonly thread?: string;
}

/** What the kit needs to know to test `notify`. @experimental */
export interface NotifyOptions<T> {
  /** All messages there, the oldest first. */
  readonly shown: (system: T) => readonly ShownMessage[] | Promise<readonly ShownMessage[]>;
  /** To whom; the endpoint's default if absent. */
  readonly to?: string;
  /** A recipient that the system has not. */
  readonly unknownRecipient?: string;
}

/** What the kit needs to know to test `reconcile`. @experimental */
export interface ReconcileOptions<T> {
  /** Names of fields to compare; at least one that differs from row to row, and none that is the time of the change. */
  readonly fields: readonly string[];
  /** What the record of a row holds in these fields, as `read` would give it. */
  readonly data: (row: SeedRow) => JsonObject;
  /** Where it is not what `options.read` names: the stream, and how to fill it. */
  readonly source?: Pick<ReadOptions<T>, "stream" | "seed" | "remove" | "keyOf">;
}

/** Secrets that the system knows. Each is an object as the connector's schema takes it. */
export interface SecretsUnderTest {
  readonly valid: JsonObject;
  /** Refused by the system. Absent: it takes everybody. */
  readonly wrong?: JsonObject;
  /** May read but not write. */
  readonly readOnly?: JsonObject;
  /** Other good ones, as after a rotation. Needed for webhooks. */
  readonly rotated?: JsonObject;
}

/** What {@link conformance} needs to know about a connector and its system. Facets that the connector has need their options. */
export interface ConformanceOptions<T> {
  readonly server: SystemUnderTest<T>;
  readonly config: {
    /** A configuration that fits the running system. */
    valid(running: { readonly url: string; readonly system: T }): JsonObject;
    /** Configurations that the schema must refuse; at least one. */
    readonly invalid: readonly unknown[];
    /** Configurations of older versions, as they were stored. Needed if `configVersion` is above 1. */
    readonly older?: readonly { readonly version: number; readonly config: JsonObject }[];
  };
  readonly secrets: SecretsUnderTest;
  /** The package's folder: its manifest is compared, and its built entry imported in a process of its own. */
  readonly package?: string | URL;
  /** Answers by which the system says an error without saying so in the status, and what they mean. */
  readonly bodyErrors?: readonly { readonly answer: FakeAnswer; readonly kind: ErrorKind }[];
  readonly read?: ReadOptions<T>;
  readonly write?: WriteOptions<T>;
  readonly alerts?: AlertsOptions<T>;
  readonly webhooks?: { readonly [facet in "push" | "alerts" | "tracker" | "calendar"]?: WebhookOptions };
  readonly downtime?: DowntimeOptions<T>;
  readonly tracker?: TrackerOptions<T>;
  readonly calendar?: CalendarOptions<T>;
  readonly catalog?: CatalogOptions<T>;
  readonly quota?: QuotaOptions<T>;
  readonly notify?: NotifyOptions<T>;
  readonly reconcile?: ReconcileOptions<T>;
  /** Cases that do not fit this system, by their full name (`check: ...`) with the reason. They are listed as skipped; an unknown name fails. */
  readonly except?: { readonly [name: string]: string };
}

/** Any connector with the options for its system. */
export interface Subject<T> {
  readonly connector: Connector;
  readonly options: ConformanceOptions<T>;
}
