import { type Episode, foldAlert, type IncomingAlert } from "@quiesce/core";
import type { Alert } from "@quiesce/sdk";
import type { Tx } from "../db/client.js";
import { appendEvents, type NewEvent, payloadInstant } from "../events/append-events.js";
import { type AlertOrigin, changeEpisodes, endEpisodes, firingExcept, insertEpisodes, lockAlertsOf, newestEpisodes } from "./store.js";

/** What became of alerts. */
export interface AlertsTaken {
  readonly began: number;
  readonly changed: number;
  readonly ended: number;
  /** Known already, or late. */
  readonly ignored: number;
}

/** What one fingerprint has come to while the alerts are folded in one after the other. */
interface Course {
  newest: Episode | null;
  /** Its row, once it has one. */
  id: number | null;
}

type Deed =
  | { readonly kind: "began"; alert: Alert; readonly startedAt: number; endedAt: number | null; id: number | null }
  | { readonly kind: "changed"; readonly alert: Alert; readonly id: number; readonly fields: readonly string[] }
  | {
      readonly kind: "ended";
      readonly alert: Alert | null;
      readonly id: number;
      readonly endedAt: number;
      readonly by: AlertOrigin | "snapshot";
    };

/**
 * Folds what a monitor said into the alerts that are known, with their events, in the caller's transaction. `completeAsOf`: these are all
 * that fired at that instant; what was known before it and is absent has ended now. Null: who is absent says nothing. The same again changes nothing.
 */
export async function takeAlerts(
  tx: Tx,
  given: {
    readonly endpoint: { readonly id: number; readonly key: string };
    readonly alerts: readonly Alert[];
    readonly completeAsOf: number | null;
    readonly now: number;
    /** `monitor` when left out. */
    readonly origin?: AlertOrigin;
  },
): Promise<AlertsTaken> {
  const { endpoint, alerts, completeAsOf, now, origin = "monitor" } = given;
  await lockAlertsOf(tx, endpoint.id);
  const known = await newestEpisodes(tx, endpoint.id, [...new Set(alerts.map(({ fingerprint }) => fingerprint))]);
  const courses = new Map<string, Course & { open: (Deed & { kind: "began" }) | null }>();
  const deeds: Deed[] = [];
  let ignored = 0;
  for (const alert of alerts) {
    const stored = known.get(alert.fingerprint);
    const course = courses.get(alert.fingerprint) ?? { newest: stored ?? null, id: stored?.id ?? null, open: null };
    courses.set(alert.fingerprint, course);
    const verdict = foldAlert(course.newest, incoming(alert), now);
    switch (verdict.kind) {
      case "ignore":
        ignored += 1;
        break;
      case "begin":
      case "begin-ended": {
        const endedAt = verdict.kind === "begin" ? null : verdict.endedAt;
        const deed = { kind: "began" as const, alert, startedAt: verdict.startedAt, endedAt, id: null };
        deeds.push(deed);
        course.open = deed;
        course.id = null;
        course.newest = episodeOf(alert, verdict.startedAt, endedAt);
        break;
      }
      case "change":
        if (course.id !== null) deeds.push({ kind: "changed", alert, id: course.id, fields: verdict.changed });
        // It is not written yet: it begins as it is said last.
        else if (course.open !== null) course.open.alert = alert;
        course.newest =
          course.newest === null
            ? null
            : { ...episodeOf(alert, course.newest.startedAt, null), saidStartedAt: course.newest.saidStartedAt };
        break;
      case "end":
        if (course.id !== null) deeds.push({ kind: "ended", alert, id: course.id, endedAt: verdict.endedAt, by: origin });
        else if (course.open !== null) course.open.endedAt = verdict.endedAt;
        course.newest = course.newest === null ? null : { ...course.newest, status: "resolved", endedAt: verdict.endedAt };
        break;
    }
  }
  if (completeAsOf !== null) {
    const firing = alerts.flatMap((alert) => (alert.status === "firing" ? [alert.fingerprint] : []));
    const ending = new Set(deeds.flatMap((deed) => (deed.kind === "ended" ? [deed.id] : [])));
    for (const gone of await firingExcept(tx, endpoint.id, { fingerprints: firing, heardAfter: completeAsOf }))
      if (!ending.has(gone.id))
        deeds.push({ kind: "ended", alert: null, id: gone.id, endedAt: Math.max(now, gone.startedAt), by: "snapshot" });
  }
  await write(tx, { endpoint, deeds, now, origin });
  const count = (kind: Deed["kind"]): number => deeds.filter((deed) => deed.kind === kind).length;
  return { began: count("began"), changed: count("changed"), ended: count("ended"), ignored };
}

async function write(
  tx: Tx,
  {
    endpoint,
    deeds,
    now,
    origin,
  }: {
    readonly endpoint: { readonly id: number; readonly key: string };
    readonly deeds: readonly Deed[];
    readonly now: number;
    readonly origin: AlertOrigin;
  },
): Promise<void> {
  const began = deeds.filter((deed) => deed.kind === "began");
  const changed = deeds.filter((deed) => deed.kind === "changed");
  const ended = deeds.filter((deed) => deed.kind === "ended");
  // Ends first: an episode that begins after the end of the last would be a second open one.
  await changeEpisodes(tx, now, lastOf(changed));
  for (const by of [origin, "snapshot"] as const)
    await endEpisodes(
      tx,
      { now, by },
      ended.filter((one) => one.by === by),
    );
  const ids = await insertEpisodes(tx, { endpointId: endpoint.id, origin, now }, began);
  for (const [index, deed] of began.entries()) deed.id = ids[index] ?? null;
  await appendEvents(
    tx,
    deeds.flatMap((deed) => eventsOf(deed, endpoint.key, origin)),
  );
}

/** Of several changes of one row the last holds. */
function lastOf(changes: readonly (Deed & { kind: "changed" })[]): readonly { readonly id: number; readonly alert: Alert }[] {
  return [...new Map(changes.map((change) => [change.id, change])).values()];
}

function eventsOf(deed: Deed, endpointKey: string, origin: AlertOrigin): readonly NewEvent[] {
  const on = { subjectKind: "endpoint", subjectKey: endpointKey } as const;
  const alertId = String(deed.id);
  switch (deed.kind) {
    case "began": {
      const { fingerprint, severity, title, resource } = deed.alert;
      const facts = { alert: alertId, fingerprint, severity, title, resource: resource.name };
      const fired: NewEvent = { kind: "alert.fired", ...on, payload: { ...facts, startedAt: payloadInstant(deed.startedAt) } };
      if (deed.endedAt === null) return [fired];
      return [fired, { kind: "alert.resolved", ...on, payload: { alert: alertId, by: origin, endedAt: payloadInstant(deed.endedAt) } }];
    }
    case "changed":
      return [{ kind: "alert.changed", ...on, payload: { alert: alertId, fields: deed.fields, severity: deed.alert.severity } }];
    case "ended":
      return [{ kind: "alert.resolved", ...on, payload: { alert: alertId, by: deed.by, endedAt: payloadInstant(deed.endedAt) } }];
  }
}

function incoming(alert: Alert): IncomingAlert {
  return {
    status: alert.status,
    severity: alert.severity,
    title: alert.title,
    startsAt: Date.parse(alert.startsAt),
    endsAt: alert.endsAt === undefined ? null : Date.parse(alert.endsAt),
    remoteId: alert.id,
    suppressedBy: alert.suppressedBy ?? [],
    acknowledgedBy: alert.acknowledgedBy ?? null,
  };
}

function episodeOf(alert: Alert, startedAt: number, endedAt: number | null): Episode {
  const { severity, title, startsAt, remoteId, suppressedBy, acknowledgedBy } = incoming(alert);
  const saidStartedAt = Math.min(startsAt, startedAt);
  return {
    status: endedAt === null ? "firing" : "resolved",
    severity,
    title,
    startedAt,
    saidStartedAt,
    endedAt,
    remoteId,
    suppressedBy,
    acknowledgedBy,
  };
}
