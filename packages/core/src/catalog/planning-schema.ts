import { z } from "zod";
import { parseLocalDate } from "../time/local-time.js";
import { WEEKDAYS } from "../time/recurrence-rule.js";
import { HOLIDAY_SHIFTS, MAX_HOLIDAYS } from "../windows/business-days.js";
import { windowKinds } from "../windows/window-kinds.js";
import { businessDaysSchema } from "../windows/window-series.js";
import { CRITICALITIES } from "./criticality.js";
import { slugSchema, tagSchema } from "./slug.js";
import { strictObject } from "./strict-object.js";

const MAX_NAMES = 100;

/** A list whose order and repeats mean nothing. */
const setOf = <T extends string>(item: z.ZodType<T, T>, max: number) =>
  z
    .array(item)
    .max(max)
    .default([])
    .transform((values) => [...new Set(values)].toSorted());

const localDate = z.string().refine((text) => parseLocalDate(text) !== null, { message: "Expected a date such as 2026-12-25." });

/** A named list of holidays that windows count their business days by. */
export const holidayCalendarSchema = strictObject({
  key: slugSchema,
  title: z.string().trim().min(1).max(200).optional(),
  dates: setOf(localDate, MAX_HOLIDAYS),
}).transform((calendar) => ({ ...calendar, title: calendar.title ?? calendar.key }));
export type HolidayCalendarEntry = z.output<typeof holidayCalendarSchema>;

/** Which windows need whose approval; see ApprovalPolicy. */
export const approvalPolicySchema = strictObject({
  key: slugSchema,
  kinds: setOf(z.enum(windowKinds), windowKinds.length),
  tags: setOf(tagSchema, MAX_NAMES),
  systems: setOf(slugSchema, MAX_NAMES),
  minimumCriticality: z.enum(CRITICALITIES).nullable().default(null),
  by: setOf(z.string().trim().min(1).max(200), MAX_NAMES),
  ownAllowed: z.boolean().default(false),
});
export type ApprovalPolicyEntry = z.output<typeof approvalPolicySchema>;

/** What of a window's series is about business days; as in WindowSeries, with defaults. */
export const businessDayFields = {
  businessDays: businessDaysSchema.nullable().default(null),
  onHoliday: z.enum(HOLIDAY_SHIFTS).nullable().default(null),
  weekend: z
    .array(z.enum(WEEKDAYS))
    .max(WEEKDAYS.length)
    .default(["SA", "SU"])
    .transform((days) => WEEKDAYS.filter((day) => days.includes(day))),
  holidays: setOf(localDate, MAX_HOLIDAYS),
  calendar: slugSchema.nullable().default(null),
};
