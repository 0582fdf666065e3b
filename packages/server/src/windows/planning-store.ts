import {
  approvalPolicySchema,
  type ApprovalPolicyEntry,
  holidayCalendarSchema,
  type HolidayCalendarEntry,
  type HolidayCalendars,
  withHolidays,
  type WindowSeries,
} from "@quiesce/core";
import { inArray, sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { approvalPolicy, holidayCalendar } from "./table.js";

/** All holiday calendars, by key. */
export async function loadHolidayCalendars(tx: Tx): Promise<HolidayCalendarEntry[]> {
  const rows = await selectRows(tx, sql`select key, title, dates from holiday_calendar order by key`);
  return rows.map((row) => holidayCalendarSchema.parse(row));
}

/** All approval policies, by key. */
export async function loadApprovalPolicies(tx: Tx): Promise<ApprovalPolicyEntry[]> {
  const rows = await selectRows<{ readonly key: string; readonly policy: object }>(
    tx,
    sql`select key, policy from approval_policy order by key`,
  );
  return rows.map((row) => approvalPolicySchema.parse({ key: row.key, ...row.policy }));
}

export async function saveHolidayCalendars(tx: Tx, entries: readonly HolidayCalendarEntry[]): Promise<void> {
  if (entries.length === 0) return;
  await tx
    .insert(holidayCalendar)
    .values(entries.map((entry) => ({ ...entry })))
    .onConflictDoUpdate({ target: holidayCalendar.key, set: { title: sql`excluded.title`, dates: sql`excluded.dates` } });
}

export async function saveApprovalPolicies(tx: Tx, entries: readonly ApprovalPolicyEntry[]): Promise<void> {
  if (entries.length === 0) return;
  await tx
    .insert(approvalPolicy)
    .values(entries.map(({ key, ...policy }) => ({ key, policy })))
    .onConflictDoUpdate({ target: approvalPolicy.key, set: { policy: sql`excluded.policy` } });
}

/** Removes what nothing refers to any more. */
export async function deletePlanningEntries(
  tx: Tx,
  keys: { readonly calendars: readonly string[]; readonly approvals: readonly string[] },
): Promise<void> {
  if (keys.calendars.length > 0) await tx.delete(holidayCalendar).where(inArray(holidayCalendar.key, [...keys.calendars]));
  if (keys.approvals.length > 0) await tx.delete(approvalPolicy).where(inArray(approvalPolicy.key, [...keys.approvals]));
}

/** A series as it is evaluated: with the holidays of its calendar. Throws QSC_WINDOW_CALENDAR_UNKNOWN. */
export async function evaluatedSeries(tx: Tx, series: WindowSeries): Promise<WindowSeries> {
  if (series.calendar === undefined) return series;
  const calendars: HolidayCalendars = new Map((await loadHolidayCalendars(tx)).map((one) => [one.key, one.dates]));
  return withHolidays(series, calendars);
}
