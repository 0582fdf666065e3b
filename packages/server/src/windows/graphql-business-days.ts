import type { BusinessDayRule } from "@quiesce/core";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";

const PeriodEnum = capsEnum("BusinessPeriod", "In what business days are counted.", ["month", "quarter", "year"]);
const CountedDaysEnum = capsEnum("CountedDays", "Which days are counted.", ["business", "calendar"], {
  business: "All but the weekend and the holidays.",
  calendar: "All.",
});
const EndPeriodEnum = capsEnum("EndPeriod", "Of which period.", ["same", "next"], {
  same: "The one in which the occurrence starts.",
  next: "The one after it.",
});
export const HolidayShiftEnum = capsEnum("HolidayShift", "What becomes of a date that is no business day.", ["skip", "next", "previous"], {
  skip: "It does not happen.",
  next: "It happens on the next business day.",
  previous: "It happens on the business day before.",
});

const EndInput = builder.inputType("BusinessDayEndInput", {
  description: "The day on which an occurrence ends; the time of day is that of the series' end.",
  fields: (t) => ({
    days: t.field({ type: CountedDaysEnum, required: true, description: "Which days are counted." }),
    ordinal: t.int({ required: true, description: "1 is the first, -1 the last." }),
    period: t.field({ type: EndPeriodEnum, required: true, description: "Of which period." }),
  }),
});
export const BusinessDaysInput = builder.inputType("BusinessDaysInput", {
  description: "Counted business days of a period, at the time of day of the series' start: the last two of every quarter.",
  fields: (t) => ({
    of: t.field({ type: PeriodEnum, required: true, description: "In what they are counted." }),
    ordinals: t.intList({ required: true, description: "1 is the first business day, -1 the last." }),
    until: t.string({ description: "The last local start, inclusive. Left out: it goes on." }),
    ends: t.field({ type: EndInput, description: "Where the end depends on the calendar, too." }),
  }),
});

/** Core's rule from GraphQL's. */
export function businessDaysOf(input: (typeof BusinessDaysInput)["$inferInput"]): BusinessDayRule {
  const { of, ordinals, until, ends } = input;
  return { of, ordinals, ...(typeof until === "string" ? { until } : {}), ...(ends ? { ends } : {}) };
}

const EndRef = builder.objectRef<NonNullable<BusinessDayRule["ends"]>>("BusinessDayEnd").implement({
  description: "The day on which an occurrence ends.",
  fields: (t) => ({
    days: t.expose("days", { type: CountedDaysEnum, description: "Which days are counted." }),
    ordinal: t.exposeInt("ordinal", { description: "1 is the first, -1 the last." }),
    period: t.expose("period", { type: EndPeriodEnum, description: "Of which period." }),
  }),
});
/** Counted business days of a period. */
export const BusinessDaysRef = builder.objectRef<BusinessDayRule>("BusinessDays").implement({
  description: "Counted business days of a period, at the time of day of the series' start.",
  fields: (t) => ({
    of: t.expose("of", { type: PeriodEnum, description: "In what they are counted." }),
    ordinals: t.intList({ description: "1 is the first business day, -1 the last.", resolve: (row) => row.ordinals }),
    until: t.string({ nullable: true, description: "The last local start, inclusive.", resolve: (row) => row.until ?? null }),
    ends: t.field({
      type: EndRef,
      nullable: true,
      description: "Where the end depends on the calendar, too.",
      resolve: (row) => row.ends ?? null,
    }),
  }),
});
