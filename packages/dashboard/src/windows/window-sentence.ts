import type { IntlShape } from "react-intl";
import type { Times } from "../app/times.js";
import type { WindowPageQuery, WindowProgressSubscription } from "./window.generated.js";

export type ShownWindow = NonNullable<WindowPageQuery["maintenanceWindow"]>;
export type LiveOccurrence = NonNullable<WindowProgressSubscription["windowProgress"]["occurrence"]>;

/** One sentence about where a window is: "ERP is quiet since 02:04. Nothing in flight: work may begin." */
export function windowSentence(
  window: Pick<ShownWindow, "title" | "owner" | "cancelledAt">,
  occurrence: LiveOccurrence | null,
  input: { readonly intl: Pick<IntlShape, "formatMessage">; readonly times: Times; readonly now: number },
): string {
  const { intl, times, now } = input;
  const { title, owner, cancelledAt } = window;
  if (cancelledAt !== null) return intl.formatMessage({ id: "windows.page.cancelled" }, { title });
  if (occurrence === null) return intl.formatMessage({ id: "windows.page.over" }, { title });
  const { timeZone: zone, startsAt, endsAt } = occurrence;
  const end = times.end(startsAt, endsAt, zone);
  switch (occurrence.state) {
    case "SCHEDULED": {
      const length = times.length(Math.max(0, Date.parse(startsAt) - now));
      return intl.formatMessage({ id: "windows.page.scheduled" }, { title, start: times.instant(startsAt, zone), end, zone, length });
    }
    case "UNAPPROVED":
      return intl.formatMessage({ id: "windows.page.unapproved" }, { title });
    case "OBSERVING":
      return intl.formatMessage({ id: "windows.page.observing" }, { title, end, zone });
    case "DRAINING": {
      const ends = occurrence.runsInFlight.flatMap(({ expectedEndAt }) => (expectedEndAt === null ? [] : [expectedEndAt]));
      const last = ends.length === 0 ? "none" : times.clock(ends.toSorted().at(-1) ?? "", zone);
      return intl.formatMessage({ id: "windows.page.draining" }, { title, count: occurrence.inFlight, last });
    }
    case "QUIESCED":
      return intl.formatMessage({ id: "windows.page.quiesced" }, { title, since: times.instant(occurrence.quiescedAt ?? startsAt, zone) });
    case "VERIFYING":
      return intl.formatMessage({ id: "windows.page.verifying" }, { title });
    case "OVERRUN": {
      const failed = occurrence.resume?.checks.find(({ ok, error }) => !ok && error !== null);
      const error = failed === undefined ? "none" : `${failed.endpoint.system.name}: ${failed.error ?? ""}`;
      return intl.formatMessage({ id: "windows.page.overrun" }, { title, error, owner });
    }
    case "RESUMING": {
      const { released = 0, total = 0, endsAt: doneAt = null } = occurrence.resume ?? {};
      const left = doneAt === null ? "none" : times.length(Math.max(0, Date.parse(doneAt) - now));
      return intl.formatMessage({ id: "windows.page.resuming" }, { title, released, total, left });
    }
    case "CLOSED":
      return intl.formatMessage({ id: "windows.page.closed" }, { title, end: times.instant(occurrence.releasedAt ?? endsAt, zone) });
    case "CANCELLED":
      return intl.formatMessage({ id: "windows.page.cancelled" }, { title });
  }
}
