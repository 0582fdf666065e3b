/** Everything a connector author needs. `z` is re-exported so that one copy of zod makes and converts the schemas. */
export { z } from "zod";
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
export { writeIdempotency, type WriteCapability, type WriteFacet, type WriteIdempotency } from "./facets/write.js";
export { parseSettings, type ParsedSettings, type SettingsIssue, type SettingsSchema } from "./settings.js";
export {
  API_VERSION,
  CONNECTOR_BRAND,
  defineConnector,
  FACET_NAMES,
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
