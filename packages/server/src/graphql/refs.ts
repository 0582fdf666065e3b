import { alertsByIds, type AlertView } from "../alerts/queries.js";
import { auditByIds, type AuditView } from "../audit/queries.js";
import { principalsByIds, type PrincipalView } from "../access/principal-queries.js";
import { tokensByIds, type TokenView } from "../access/queries.js";
import { reviewsByIds } from "../access/reviews/queries.js";
import type { ReviewView } from "../access/reviews/review-evidence.js";
import { feedsByIds, type FeedView, importsByIds, type ImportView } from "../calendars/queries.js";
import { catalogueByIds, type EndpointRow, type IntegrationRow, type JobRow, type SystemRow } from "../catalog/queries.js";
import { rotationsByIds, type RotationView } from "../credentials/queries.js";
import { incidentsByIds, type IncidentView, problemsByIds, type ProblemView } from "../incidents/queries.js";
import { anomaliesByIds, type AnomalyRow } from "../kpis/baselines/store.js";
import { type ObjectiveRow, objectivesByIds } from "../kpis/objectives/store.js";
import { type ThresholdRow, thresholdsByIds } from "../kpis/thresholds/store.js";
import { deliveriesByIds, type DeliveryView, teamsByIds, type TeamView } from "../notifications/queries.js";
import { reconciliationsByIds, type ReconciliationView } from "../reconciliation/queries.js";
import { syncConflictsByIds, type SyncConflictView } from "../pipeline/sync-conflict-queries.js";
import { deadLettersByIds, type DeadLetterView, runsByIds, type RunView } from "../runs/queries.js";
import { holdsByIds, type HoldView, occurrencesByIds, type OccurrenceView, windowsByIds, type WindowView } from "../windows/queries.js";
import {
  announcementsByIds,
  type AnnouncementView,
  remoteDowntimesByIds,
  type RemoteDowntimeView,
} from "../windows/announcements/queries.js";
import { builder } from "./builder.js";
import type { RequestContext } from "./request-context.js";

/**
 * The objects of the API by name, so that rooms can refer to each other. A resolver may answer a row or only its id as text: ids are loaded
 * together. Nothing is remembered between batches, because a subscription lives long and must not show yesterday's rows.
 */
function node<Row extends { readonly id: string | number }>(
  name: string,
  load: (ids: string[], context: RequestContext) => Promise<readonly Row[]>,
) {
  return builder.loadableNodeRef(name, {
    id: { resolve: (row: Row) => row.id },
    load,
    sort: (row: Row) => String(row.id),
    loaderOptions: { cache: false },
  });
}

export const SystemRef = node<SystemRow>("System", (ids, { database }) => catalogueByIds(database, "system", ids));
export const EndpointRef = node<EndpointRow>("Endpoint", (ids, { database }) => catalogueByIds(database, "endpoint", ids));
export const IntegrationRef = node<IntegrationRow>("Integration", (ids, { database }) => catalogueByIds(database, "integration", ids));
export const JobRef = node<JobRow>("Job", (ids, { database }) => catalogueByIds(database, "job", ids));
export const RunRef = node<RunView>("Run", (ids, { database }) => runsByIds(database, ids));
export const AlertRef = node<AlertView>("Alert", (ids, { database }) => alertsByIds(database, ids));
export const IncidentRef = node<IncidentView>("Incident", (ids, { database }) => incidentsByIds(database, ids));
export const ProblemRef = node<ProblemView>("Problem", (ids, { database }) => problemsByIds(database, ids));
export const DeadLetterRef = node<DeadLetterView>("DeadLetter", (ids, { database }) => deadLettersByIds(database, ids));
export const SyncConflictRef = node<SyncConflictView>("SyncConflict", (ids, { database }) => syncConflictsByIds(database, ids));
export const AnomalyRef = node<AnomalyRow>("Anomaly", (ids, { database }) => anomaliesByIds(database, ids));
export const ObjectiveRef = node<ObjectiveRow>("Objective", (ids, { database }) => objectivesByIds(database, ids));
export const ThresholdRef = node<ThresholdRow>("Threshold", (ids, { database }) => thresholdsByIds(database, ids));
export const ReconciliationRef = node<ReconciliationView>("Reconciliation", (ids, { database }) => reconciliationsByIds(database, ids));
export const WindowRef = node<WindowView>("MaintenanceWindow", (ids, { database }) => windowsByIds(database, ids));
export const OccurrenceRef = node<OccurrenceView>("Occurrence", (ids, { database }) => occurrencesByIds(database, ids));
export const HoldRef = node<HoldView>("Hold", (ids, { database }) => holdsByIds(database, ids));
export const AuditEntryRef = node<AuditView>("AuditEntry", (ids, { database }) => auditByIds(database, ids));
export const ApiTokenRef = node<TokenView>("ApiToken", (ids, { database }) => tokensByIds(database, ids));
export const PrincipalRef = node<PrincipalView>("Principal", (ids, { database }) => principalsByIds(database, ids));
export const AccessReviewRef = node<ReviewView>("AccessReview", (ids, { database }) => reviewsByIds(database, ids));
export const CalendarFeedRef = node<FeedView>("CalendarFeed", (ids, { database }) => feedsByIds(database, ids));
export const CalendarImportRef = node<ImportView>("CalendarImport", (ids, { database }) => importsByIds(database, ids));
export const TeamRef = node<TeamView>("Team", (ids, { database }) => teamsByIds(database, ids));
export const RotationRef = node<RotationView>("CredentialRotation", (ids, { database }) => rotationsByIds(database, ids));
export const DeliveryRef = node<DeliveryView>("Delivery", (ids, { database }) => deliveriesByIds(database, ids));
export const MonitorAnnouncementRef = node<AnnouncementView>("MonitorAnnouncement", (ids, { database }) =>
  announcementsByIds(database, ids),
);
export const RemoteDowntimeRef = node<RemoteDowntimeView>("RemoteDowntime", (ids, { database }) => remoteDowntimesByIds(database, ids));
