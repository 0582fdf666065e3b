/** Everything a connector author needs. `z` is re-exported so that one copy of zod makes and converts the schemas. */
export { z } from "zod";
export { SEVERITIES, type Resource, type Severity } from "./vocabulary.js";
export type { AuthKind, AuthMethod } from "./auth.js";
export type { Webhook, WebhookHandshake, WebhookRequest, WebhookVerdict } from "./webhook.js";
export { basicAuth, bearer, hmac, standardWebhooks, type HmacScheme, type WebhookVerifier } from "./webhook-verifiers.js";
export type { Alert, AlertPage, AlertsCapability, AlertsFacet } from "./facets/alerts.js";
export type { CalendarCapability, CalendarFacet, Change, ChangePage } from "./facets/calendar.js";
export type { CatalogFacet, CatalogItem, CatalogPage } from "./facets/catalog.js";
export type { Downtime, DowntimeCapability, DowntimeFacet, RemoteDowntime } from "./facets/downtime.js";
export type { NotifyFacet, NotifyMessage } from "./facets/notify.js";
export type { PushedRecords, PushFacet } from "./facets/push.js";
export type { Quota, QuotaFacet } from "./facets/quota.js";
export type { KeyHash, ReconcileBuckets, ReconcileCapability, ReconcileFacet, ReconcileRange } from "./facets/reconcile.js";
export {
  TICKET_STATES,
  type RemoteTicket,
  type Ticket,
  type TicketComment,
  type TicketField,
  type TicketPage,
  type TicketPatch,
  type TicketState,
  type TrackerCapability,
  type TrackerFacet,
} from "./facets/tracker.js";
export { comparableValue } from "./comparable-value.js";
export { bucketOf, compareKeys, digestOf, recordHash } from "./reconcile-hash.js";
export { readPackageManifest, type PackageManifest, type PackageManifestCheck } from "./package-manifest.js";
export type { Json, JsonObject } from "./json.js";
export {
  ConnectorError,
  ERROR_KINDS,
  ERROR_POLICIES,
  isConnectorError,
  toConnectorError,
  type ErrorInfo,
  type ErrorKind,
  type ErrorPolicy,
  type SerializedConnectorError,
} from "./error.js";
export { networkError } from "./network-error.js";
export { readText } from "./read-text.js";
export { httpError, type HttpAnswer } from "./http-error.js";
export { MAX_RETRY_AFTER_MS, retryAfterMs } from "./retry-after.js";
export type {
  CallMeta,
  Clock,
  ClientTls,
  ConnectorFetch,
  Context,
  FetchOptions,
  LogFields,
  Logger,
  ResolveHost,
  StateStore,
  StopReason,
} from "./context.js";
export {
  CURSOR_MAX_BYTES,
  cursorProblem,
  joinKey,
  splitKey,
  type Cursor,
  type KeyPage,
  type Page,
  type SourceRecord,
  type WriteError,
  type WriteItem,
  type WriteResult,
} from "./record.js";
export type { CheckFacet, Health, Kpi } from "./facets/check.js";
export type { Stream, StreamsFacet } from "./facets/streams.js";
export type { ListKeysRequest, ReadFacet, ReadRequest } from "./facets/read.js";
export type { IssuedSecrets, IssueRequest, RotateCapability, RotateFacet } from "./facets/rotate.js";
export { writeIdempotency, type WriteCapability, type WriteFacet, type WriteIdempotency } from "./facets/write.js";
export { parseSettings, type ParsedSettings, type SettingsIssue, type SettingsSchema } from "./settings.js";
export {
  API_VERSION,
  CONNECTOR_BRAND,
  defineConnector,
  FACET_NAMES,
  FACET_STABILITY,
  facetsOf,
  isConnector,
  type Connector,
  type ConnectorInfo,
  type Definition,
  type FacetName,
  type Facets,
  type Manifest,
  type Stability,
} from "./definition.js";
