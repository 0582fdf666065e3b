import { localAt } from "./clock-change.js";
import type { CreateWindowMutationVariables, EditedWindowQuery } from "./editor.generated.js";
import { firstTimes, recurrenceOf, ruleOf, type Timing, timingOf, weekdayOf } from "./recurrence.js";

export type WindowInput = CreateWindowMutationVariables["input"];
export type EditedWindow = NonNullable<EditedWindowQuery["maintenanceWindow"]>;

export const kinds = ["MAINTENANCE", "CHANGE", "FREEZE"] as const;

/** What a window covers, as it is chosen: everything, or names of a kind. */
export interface Chosen {
  readonly kind: "systems" | "integrations" | "tags";
  readonly key: string;
}

/** What stands in the form. */
export interface WindowForm {
  readonly title: string;
  readonly kind: (typeof kinds)[number];
  readonly isObserving: boolean;
  readonly owner: string;
  readonly reason: string;
  readonly isEverything: boolean;
  readonly chosen: readonly Chosen[];
  readonly timeZone: string;
  readonly timing: Timing;
  /** A series that the form cannot show: it stays as it is. */
  readonly special: WindowInput["series"] | null;
  /** Of an edited window: what the form does not show stays. */
  readonly kept: Partial<WindowInput["series"]>;
  readonly drain: EditedWindow["drain"];
  readonly resume: EditedWindow["resume"];
  readonly confirmLong: boolean;
}

/** What a window does that says nothing of it, as the API's docs have it. */
const usualDrain: WindowForm["drain"] = { deadlineMinutes: null, atDeadline: "ABORT", leadLimitMinutes: 30 };
const usualResume: WindowForm["resume"] = { readinessCheck: true, maxWaitMinutes: 30, canaries: 1, failureBound: 0.5, reconcile: false };

const DAY_MS = 86_400_000;

/** An empty form, on tomorrow, or on times that were found before. */
export function emptyForm(
  now: number,
  start: { readonly start?: string | undefined; readonly end?: string | undefined; readonly zone?: string | undefined },
  ownZone: string,
): WindowForm {
  const timeZone = start.zone ?? ownZone;
  const from = start.start ?? `${localAt(now + DAY_MS, timeZone).slice(0, 10)}T02:00`;
  const end = start.end ?? `${from.slice(0, 10)}T06:00`;
  const weekday = weekdayOf(from.slice(0, 10));
  const none = { repeats: "once", interval: 1, days: [weekday], ordinal: 1, weekday, dayOfMonth: 1, ends: { kind: "never" } } as const;
  const recurrence = recurrenceOf(null, from) ?? none;
  return {
    title: "",
    kind: "MAINTENANCE",
    isObserving: false,
    owner: "",
    reason: "",
    isEverything: false,
    chosen: [],
    timeZone,
    timing: timingOf(recurrence, { start: from, end }),
    special: null,
    kept: {},
    drain: usualDrain,
    resume: usualResume,
    confirmLong: false,
  };
}

export function formOf(window: EditedWindow): WindowForm {
  const { series, scope } = window;
  const { start, end, duration, rrule, timeZone, businessDays, ...kept } = series;
  const recurrence = businessDays === null && end !== null ? recurrenceOf(rrule, start) : null;
  const shown = recurrence ?? recurrenceOf(null, start);
  if (shown === null) throw new Error(`The series of ${window.key} starts at ${start}, which is no local time.`);
  const whole = { start, end, duration, rrule, timeZone, businessDays, ...kept };
  return {
    title: window.title,
    kind: window.kind,
    isObserving: window.mode === "OBSERVE",
    owner: window.owner,
    reason: window.reason,
    isEverything: scope.all,
    chosen: (["systems", "integrations", "tags"] as const).flatMap((kind) => scope[kind].map((key) => ({ kind, key }))),
    timeZone,
    timing: timingOf(shown, { start, end: end ?? start }),
    special: recurrence === null ? whole : null,
    kept,
    drain: window.drain,
    resume: window.resume,
    confirmLong: false,
  };
}

/** The same window at other local times. */
export function movedTo(form: WindowForm, { start, end }: { readonly start: string; readonly end: string }): WindowForm {
  return { ...form, timing: timingOf(form.timing, { start, end }) };
}

/** The series of the form; null while it names no time. */
export function seriesOf({ timing, timeZone, special, kept }: WindowForm): WindowInput["series"] | null {
  if (special !== null) return special;
  const times = firstTimes(timing);
  return times === null ? null : { ...kept, ...times, rrule: ruleOf(timing), timeZone };
}

/** What would be saved; null while the form names no time. */
export function inputOf(form: WindowForm): WindowInput | null {
  const series = seriesOf(form);
  if (series === null) return null;
  return {
    title: form.title.trim(),
    kind: form.kind,
    mode: form.isObserving ? "OBSERVE" : "ENFORCE",
    owner: form.owner.trim(),
    reason: form.reason.trim(),
    scope: scopeOf(form),
    series,
    drain: form.drain,
    resume: form.resume,
    ...(form.confirmLong ? { confirmLong: true } : {}),
  };
}

/** What can be previewed before everything is filled in: when and what decide, the rest is filled with the names of its fields. */
export function previewInputOf(form: WindowForm): WindowInput | null {
  const input = inputOf(form);
  if (input === null || !coversSomething(form)) return null;
  const or = (text: string, other: string) => (text === "" ? other : text);
  return { ...input, title: or(input.title, "title"), owner: or(input.owner, "owner"), reason: or(input.reason, "reason") };
}

/** What is chosen, as the API takes it. */
export function scopeOf({ isEverything, chosen }: Pick<WindowForm, "isEverything" | "chosen">): WindowInput["scope"] {
  if (isEverything) return { all: true };
  const names = (kind: Chosen["kind"]) => chosen.filter((one) => one.kind === kind).map(({ key }) => key);
  const [systems, integrations, tags] = [names("systems"), names("integrations"), names("tags")];
  return {
    ...(systems.length === 0 ? {} : { systems }),
    ...(integrations.length === 0 ? {} : { integrations }),
    ...(tags.length === 0 ? {} : { tags }),
  };
}

export function coversSomething({ isEverything, chosen }: WindowForm): boolean {
  return isEverything || chosen.length > 0;
}

/** The field of the form that a refusal of the server is about. */
export function formFieldOf(field: string | null): string | null {
  if (field === null || field === "") return null;
  const parts = field.split(".").filter((part) => part !== "input" && part !== "series");
  const [first = ""] = parts;
  if (first === "drain" || first === "resume") return "policies";
  if (["start", "rrule", "exdates", "rdates", "dstPolicy"].includes(first)) return "when";
  return first === "duration" ? "end" : first === "zone" ? "timeZone" : first;
}
