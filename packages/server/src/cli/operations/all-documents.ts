import * as accessReviews from "./access-review-operations.js";
import * as accounts from "./account-operations.js";
import * as alerts from "./alert-operations.js";
import * as announcements from "./announcement-operations.js";
import * as audits from "./audit-operations.js";
import * as calendars from "./calendar-operations.js";
import * as correlationRules from "./correlation-rule-operations.js";
import * as connectors from "./connector-operations.js";
import * as credentials from "./credential-operations.js";
import * as holds from "./hold-operations.js";
import * as incidents from "./incident-operations.js";
import * as integrations from "./integration-operations.js";
import * as kpis from "./kpi-operations.js";
import * as objectives from "./objective-operations.js";
import * as letters from "./dead-letter-operations.js";
import * as drains from "./drain-operations.js";
import * as mappings from "./mapping-operations.js";
import * as planning from "./planning-operations.js";
import * as previews from "./preview-operations.js";
import * as reconciliations from "./reconciliation-operations.js";
import * as resumes from "./resume-operations.js";
import * as runs from "./run-operations.js";
import * as samples from "./sample-operations.js";
import * as server from "./server-operations.js";
import * as slots from "./slot-operations.js";
import * as status from "./status-operations.js";
import * as syncConflicts from "./sync-conflict-operations.js";
import * as teams from "./team-operations.js";
import * as traces from "./trace-operations.js";
import * as tunings from "./tuning-operations.js";
import * as waits from "./wait-operations.js";
import * as windows from "./window-operations.js";
import * as zones from "./zone-operations.js";

/** Every document that the command line may send, for a server that takes no others than it knows. */
export function allDocuments(): readonly string[] {
  return [
    accessReviews,
    accounts,
    alerts,
    incidents,
    announcements,
    audits,
    reconciliations,
    resumes,
    planning,
    previews,
    slots,
    tunings,
    drains,
    kpis,
    objectives,
    letters,
    integrations,
    mappings,
    traces,
    calendars,
    connectors,
    correlationRules,
    credentials,
    holds,
    runs,
    samples,
    server,
    status,
    syncConflicts,
    teams,
    waits,
    windows,
    zones,
  ].flatMap((operations) =>
    Object.values(operations).flatMap((value: unknown) =>
      typeof value === "object" && value !== null && "document" in value && typeof value.document === "string" ? [value.document] : [],
    ),
  );
}
