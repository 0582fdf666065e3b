import type { SeriesChanges, WindowInput, WindowScope, WindowSeries } from "@quiesce/core";
import { builder } from "../graphql/builder.js";
import type { WindowChanges } from "./window-changes.js";
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

export const SeriesChangesInput = builder.inputType("WindowSeriesChanges", {
  description: "What to change about when a window happens: what is left out stays, null takes away. Not beside `series`.",
  fields: (t) => ({
    start: t.string({ description: "Local start of the first occurrence; without a new end it lasts as long as before." }),
    end: t.string({ description: "Local end of the first occurrence, instead of a duration." }),
    duration: t.string({ description: "PT4H, P1D, instead of an end." }),
    timeZone: t.string({ description: "IANA zone of the local times." }),
    rrule: t.string({ description: "RFC 5545 recurrence, instead of business days; null: once." }),
    exdates: t.stringList({ description: "All local starts that do not happen." }),
    rdates: t.stringList({ description: "All local starts that happen besides." }),
    dstPolicy: t.field({ type: DstPolicyEnum, description: "How the night of a clock change is read." }),
    businessDays: t.field({ type: BusinessDaysInput, description: "Counted business days, instead of an rrule." }),
    onHoliday: t.field({ type: HolidayShiftEnum, description: "What becomes of the rule's dates that are no business days." }),
    weekend: t.stringList({ description: "Weekdays that are no business days." }),
    holidays: t.stringList({ description: "All dates that are no business days." }),
    calendar: t.string({ description: "The key of a holiday calendar." }),
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

/** The words of the override, in every input that plans a change. */
export const overrideFreezeField = {
  description: "Only of a change that falls into a freeze: why it is planned there all the same. Wants a role that may override freezes.",
} as const;

/** GraphQL says null where core's inputs leave a field out. */
type Given<T> = { [Key in keyof T]: Exclude<T[Key], null | undefined> };

/** The same object without the fields that are null or undefined. */
export function given<T extends object>(value: T): Given<T> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null && field !== undefined)) as Given<T>;
}

export const overrideOfFreeze = ({ overrideFreeze }: { readonly overrideFreeze?: string | null | undefined }) =>
  typeof overrideFreeze === "string" ? { overrideFreeze } : {};

export function seriesOf(input: (typeof SeriesInput)["$inferInput"]): WindowSeries {
  const { businessDays, ...series } = given(input);
  return { ...series, ...(businessDays === undefined ? {} : { businessDays: businessDaysOf(businessDays) }) };
}
/** Here null is a word of its own: it takes away. */
export function seriesChangesOf(input: (typeof SeriesChangesInput)["$inferInput"]): SeriesChanges {
  const { start, timeZone, businessDays, ...rest } = input;
  return {
    ...rest,
    ...given({ start, timeZone }),
    ...(businessDays === undefined ? {} : { businessDays: businessDays === null ? null : businessDaysOf(businessDays) }),
  };
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
    overrideFreeze: t.string(overrideFreezeField),
  }),
});

type InputFields = PothosSchemaTypes.InputFieldBuilder<(typeof builder)["$inferSchemaTypes"], "InputObject">;

/** What may be changed about a window, also from one occurrence on; `key` is said by who asks. */
export const changesFields = (t: InputFields) => ({
  title: t.string({ description: "Its name for people." }),
  kind: t.field({ type: WindowKindEnum, description: "What it does to those it covers." }),
  mode: t.field({ type: ModeEnum, description: "Whether it holds, or only records." }),
  series: t.field({ type: SeriesInput, description: "When it happens, all of it." }),
  seriesChanges: t.field({ type: SeriesChangesInput, description: "Or what of that is different." }),
  scope: t.field({ type: ScopeInput, description: "What it covers." }),
  drain: t.field({ type: DrainInput, description: "How it empties what it covers; parts that are left out stay." }),
  resume: t.field({ type: ResumeInput, description: "How it lets go what it held; parts that are left out stay." }),
  owner: t.string({ description: "The team or person who answers for it." }),
  reason: t.string({ description: "Why it is needed." }),
  confirmLong: t.boolean({ description: "Yes, it really is longer than 31 days." }),
});

/** What is different from an occurrence on. */
export const SplitChangesInput = builder.inputType("SplitMaintenanceWindowChanges", {
  description: "What is different from there on; what is left out stays.",
  fields: (t) => ({
    key: t.string({ description: "The new window's key; made from the old one and the date when left out." }),
    ...changesFields(t),
  }),
});

/** Core's changes from GraphQL's. */
export function changesOf(input: (typeof SplitChangesInput)["$inferInput"]): WindowChanges {
  const { series, seriesChanges, scope, drain, resume, ...rest } = input;
  return {
    ...given(rest),
    ...(series ? { series: seriesOf(series) } : {}),
    ...(seriesChanges ? { seriesChanges: seriesChangesOf(seriesChanges) } : {}),
    ...(scope ? { scope: scopeOf(scope) } : {}),
    ...(drain ? { drain: drainOf(drain) } : {}),
    ...(resume ? { resume: resumePolicyOf(resume) } : {}),
  };
}

/** Core's input from GraphQL's. */
export function windowInputOf(input: (typeof PlanInput)["$inferInput"]): WindowInput {
  const { drain, resume, overrideFreeze: _said, ...rest } = given(input);
  return {
    ...rest,
    series: seriesOf(input.series),
    scope: scopeOf(input.scope),
    ...(drain === undefined ? {} : { drain: drainOf(drain) }),
    ...(resume === undefined ? {} : { resume: resumePolicyOf(resume) }),
  };
}
