import type { WindowInput, WindowScope, WindowSeries } from "@quiesce/core";
import { builder } from "../graphql/builder.js";
import { BusinessDaysInput, businessDaysOf, HolidayShiftEnum } from "./graphql-business-days.js";
import { DrainInput, drainOf } from "./graphql-drain.js";
import { ResumeInput, resumePolicyOf } from "./graphql-resume.js";
import { DstPolicyEnum, ModeEnum, WindowKindEnum } from "./graphql-vocabulary.js";

export const SeriesInput = builder.inputType("WindowSeriesInput", {
  description: "When a window happens: local times beside their IANA zone, with an end or a duration.",
  fields: (t) => ({
    start: t.string({ required: true, description: "Local start of the first occurrence: 2026-11-22T02:00." }),
    end: t.string({ description: "Local end of the first occurrence." }),
    duration: t.string({ description: "Instead of an end: PT4H, P1D." }),
    timeZone: t.string({ required: true, description: "IANA zone of the local times: Europe/Madrid." }),
    rrule: t.string({ description: "RFC 5545 recurrence: FREQ=MONTHLY;BYDAY=1SU. Left out: once." }),
    exdates: t.stringList({ description: "Local starts that do not happen." }),
    rdates: t.stringList({ description: "Local starts that happen besides." }),
    dstPolicy: t.field({ type: DstPolicyEnum, description: "COVER when left out." }),
    businessDays: t.field({ type: BusinessDaysInput, description: "Instead of an rrule: counted business days of a period." }),
    onHoliday: t.field({ type: HolidayShiftEnum, description: "Beside an rrule: what becomes of its dates that are no business days." }),
    weekend: t.stringList({ description: "Weekdays that are no business days: SA, SU when left out." }),
    holidays: t.stringList({ description: "Dates that are no business days: 2026-12-25." }),
    calendar: t.string({ description: "The key of a holiday calendar, whose dates are holidays as well." }),
  }),
});

export const ScopeInput = builder.inputType("ScopeInput", {
  description: "What is covered: everything, or the union of what is named by key.",
  fields: (t) => ({
    all: t.boolean({ description: "Everything." }),
    integrations: t.stringList({ description: "These integrations." }),
    systems: t.stringList({ description: "Integrations that touch these systems, or systems that depend hard on them." }),
    tags: t.stringList({ description: "Integrations that carry one of these tags." }),
  }),
});

/** GraphQL says null where core's inputs leave a field out. */
type Given<T> = { [Key in keyof T]: Exclude<T[Key], null | undefined> };

/** The same object without the fields that are null or undefined. */
export function given<T extends object>(value: T): Given<T> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null && field !== undefined)) as Given<T>;
}

export function seriesOf(input: (typeof SeriesInput)["$inferInput"]): WindowSeries {
  const { businessDays, ...series } = given(input);
  return { ...series, ...(businessDays === undefined ? {} : { businessDays: businessDaysOf(businessDays) }) };
}
export const scopeOf = (input: (typeof ScopeInput)["$inferInput"]): WindowScope => given(input);

export const PlanInput = builder.inputType("MaintenanceWindowInput", {
  description: "A maintenance window as a person plans it.",
  fields: (t) => ({
    key: t.string({ description: "Its stable name; made from the title when left out." }),
    title: t.string({ required: true, description: "Its name for people." }),
    kind: t.field({ type: WindowKindEnum, description: "MAINTENANCE when left out." }),
    mode: t.field({ type: ModeEnum, description: "ENFORCE when left out." }),
    series: t.field({ type: SeriesInput, required: true, description: "When it happens." }),
    scope: t.field({ type: ScopeInput, required: true, description: "What it covers." }),
    drain: t.field({ type: DrainInput, description: "How it empties what it covers." }),
    resume: t.field({ type: ResumeInput, description: "How it lets go what it held." }),
    owner: t.string({ required: true, description: "The team or person who answers for it." }),
    reason: t.string({ required: true, description: "Why it is needed." }),
    confirmLong: t.boolean({ description: "Yes, it really is longer than 31 days." }),
  }),
});

/** Core's input from GraphQL's. */
export function windowInputOf(input: (typeof PlanInput)["$inferInput"]): WindowInput {
  const { drain, resume, ...rest } = given(input);
  return {
    ...rest,
    series: seriesOf(input.series),
    scope: scopeOf(input.scope),
    ...(drain === undefined ? {} : { drain: drainOf(drain) }),
    ...(resume === undefined ? {} : { resume: resumePolicyOf(resume) }),
  };
}
