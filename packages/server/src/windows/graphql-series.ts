import type { WindowSeries } from "@quiesce/core";
import { builder } from "../graphql/builder.js";
import { BusinessDaysRef, HolidayShiftEnum } from "./graphql-business-days.js";
import { DstPolicyEnum } from "./graphql-vocabulary.js";

/** When a window happens. */
export const SeriesRef = builder.objectRef<WindowSeries>("WindowSeries").implement({
  description: "When a window happens: local times beside their IANA zone.",
  fields: (t) => ({
    start: t.exposeString("start", { description: "Local start of the first occurrence: 2026-11-22T02:00." }),
    end: t.string({ nullable: true, description: "Local end of the first occurrence.", resolve: (row) => row.end ?? null }),
    duration: t.string({ nullable: true, description: "Instead of an end: PT4H, P1D.", resolve: (row) => row.duration ?? null }),
    timeZone: t.exposeString("timeZone", { description: "IANA zone of the local times." }),
    rrule: t.string({ nullable: true, description: "RFC 5545 recurrence; null: once.", resolve: (row) => row.rrule ?? null }),
    exdates: t.stringList({ description: "Local starts that do not happen.", resolve: (row) => row.exdates ?? [] }),
    rdates: t.stringList({ description: "Local starts that happen besides.", resolve: (row) => row.rdates ?? [] }),
    dstPolicy: t.field({
      type: DstPolicyEnum,
      description: "How nights of clock changes are read.",
      resolve: (row) => row.dstPolicy ?? "cover",
    }),
    businessDays: t.field({
      type: BusinessDaysRef,
      nullable: true,
      description: "Counted business days of a period, instead of an rrule.",
      resolve: (row) => row.businessDays ?? null,
    }),
    onHoliday: t.field({
      type: HolidayShiftEnum,
      nullable: true,
      description: "What becomes of the rule's dates that are no business days.",
      resolve: (row) => row.onHoliday ?? null,
    }),
    weekend: t.stringList({ description: "Weekdays that are no business days.", resolve: (row) => row.weekend ?? ["SA", "SU"] }),
    holidays: t.stringList({ description: "Dates that are no business days.", resolve: (row) => row.holidays ?? [] }),
    calendar: t.string({
      nullable: true,
      description: "The holiday calendar whose dates are holidays as well.",
      resolve: (row) => row.calendar ?? null,
    }),
  }),
});
