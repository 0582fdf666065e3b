import { drainEndings, windowKinds } from "@quiesce/core";
import { type Command, Option } from "commander";
import { CliError } from "../cli-error.js";
import { isoDurationOf, minutesOf } from "../parse-time.js";
import { addScopeOptions, scopeOf, type ScopeInput, type ScopeOptions } from "../scope-options.js";
import { overrideFreezeOption, type OverrideFreezeOptions } from "./override-freeze-option.js";

/** How options describe a window. What is left out is the default of a new window, and stays of one that is changed. */
export interface PlanOptions extends ScopeOptions, OverrideFreezeOptions {
  readonly title?: string;
  readonly key?: string;
  readonly start?: string;
  readonly end?: string;
  readonly duration?: string;
  readonly zone?: string;
  readonly rrule?: string;
  readonly once?: boolean;
  readonly businessDays?: string;
  readonly onHoliday?: string;
  readonly calendar?: string;
  readonly weekend?: string;
  readonly exdate?: readonly string[];
  readonly rdate?: readonly string[];
  readonly dst?: "cover" | "rfc";
  readonly kind?: string;
  readonly mode?: "enforce" | "observe";
  readonly drainLead?: string;
  readonly drainDeadline?: string;
  readonly atDeadline?: "abort" | "leave";
  readonly readiness?: boolean;
  readonly maxWait?: string;
  readonly canaries?: string;
  readonly failureBound?: string;
  readonly reconcile?: boolean;
  readonly owner?: string;
  readonly confirmLong?: boolean;
}

/** The fields of a series that options name. */
type SeriesFields = { readonly [field: string]: unknown };

interface PolicyFields {
  readonly scope?: ScopeInput;
  readonly drain?: { readonly leadLimitMinutes?: number; readonly deadlineMinutes?: number; readonly atDeadline?: string };
  readonly resume?: {
    readonly readinessCheck?: boolean;
    readonly maxWaitMinutes?: number;
    readonly canaries?: number;
    readonly failureBound?: number;
    readonly reconcile?: boolean;
  };
}

const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), value];
const choice = (flags: string, description: string, choices: readonly string[]): Option => new Option(flags, description).choices(choices);

/** Adds the options that describe a window: a new one, with the defaults named, or what is different about one that stands. */
export function addPlanOptions(command: Command, use: "new" | "change"): Command {
  const unless = (text: string, other: string): string => (use === "new" ? `${text} (default: ${other})` : text);
  const withDefault = (option: Option, value: string): Option => (use === "new" ? option.default(value) : option);
  addTimeOptions(command, { use, unless, withDefault });
  command
    .addOption(
      withDefault(
        choice("--kind <kind>", "what it does: maintenance holds everything, freeze only what writes", windowKinds),
        "maintenance",
      ),
    )
    .addOption(withDefault(choice("--mode <mode>", "enforce holds runs, observe only records", ["enforce", "observe"]), "enforce"))
    .option(
      "--drain-lead <duration>",
      unless("keep back runs that would not finish at most so long before the start; 0 keeps none back", "30m"),
    )
    .option(
      "--drain-deadline <duration>",
      unless("so long after the start, what is still in flight meets --at-deadline", "it is waited for"),
    )
    .addOption(
      choice(
        "--at-deadline <what>",
        unless("abort tells it to stop and runs it after the window, leave lets it finish", "abort"),
        drainEndings,
      ),
    );
  // Before its negation, or that would make it the default.
  if (use === "change") command.option("--readiness", "ask its systems whether they are ready before it is released");
  command.option("--reconcile", "when everything has run, compare both sides of every integration that was held");
  if (use === "change") command.option("--no-reconcile", "compare nothing when it is over");
  return command
    .option("--no-readiness", "release it at its end without asking its systems whether they are ready")
    .option("--max-wait <duration>", unless("after so long without a passing check it is overrun", "30m"))
    .option("--canaries <n>", unless("so many runs go first on each target system when it is released; 0: none", "1"))
    .option("--failure-bound <ratio>", unless("a larger share of failed first runs holds the rest again", "0.5"))
    .addOption(overrideFreezeOption())
    .option("--owner <name>", "the team or person who answers for it")
    .option("--confirm-long", "yes, it is longer than 31 days");
}

function addTimeOptions(
  command: Command,
  words: {
    readonly use: "new" | "change";
    readonly unless: (text: string, other: string) => string;
    readonly withDefault: (option: Option, value: string) => Option;
  },
): void {
  const { use, unless, withDefault } = words;
  const all = use === "new" ? "(repeat for more)" : "(repeat for more; these take the place of those it has)";
  addScopeOptions(
    command
      .option("--title <text>", "its name for people")
      .option("--start <local>", "local start of the first occurrence: 2026-12-06T02:00")
      .option("--end <local>", "local end of the first occurrence: 2026-12-06T06:00, or 06:00 (on the next day where that is earlier)")
      .option("--duration <duration>", "instead of an end: 4h, 90m, 1d")
      .option("--zone <zone>", unless("IANA zone of these times: Europe/Madrid", "this terminal's"))
      .option("--rrule <rule>", unless('RFC 5545 recurrence: "FREQ=MONTHLY;BYDAY=1SU"', "once"))
      .addOption(
        new Option("--business-days <of:which>", 'instead of a rule: "month:1", "quarter:-2,-1" (1 is the first, -1 the last)').conflicts(
          "rrule",
        ),
      )
      .addOption(choice("--on-holiday <what>", "dates of the rule that are no business days", ["skip", "next", "previous"]))
      .option("--calendar <key>", "the holiday calendar that business days are counted by")
      .option("--weekend <days>", unless("weekdays that are no business days", "SA,SU"))
      .option("--exdate <local>", `a local start that does not happen ${all}`, collect)
      .option("--rdate <local>", `a local start that happens besides ${all}`, collect)
      .addOption(
        withDefault(
          choice("--dst <policy>", "how a night with a clock change is read: cover holds both readings", ["cover", "rfc"]),
          "cover",
        ),
      ),
  );
  if (use === "change") command.addOption(new Option("--once", "without its rule or business days").conflicts(["rrule", "businessDays"]));
}

/** What the options say of a series; `start` is the local start that an end such as 06:00 comes after. */
export function seriesFields(options: PlanOptions, start: string | undefined): SeriesFields {
  const { end, duration, zone, rrule, exdate, rdate, dst, once } = options;
  return {
    ...(options.start === undefined ? {} : { start: localTime(options.start) }),
    ...(end === undefined ? {} : { end: endOf(start, localTime(end)) }),
    ...(duration === undefined ? {} : { duration: isoDurationOf(duration, "--duration") }),
    ...(zone === undefined ? {} : { timeZone: zone }),
    ...(rrule === undefined ? {} : { rrule: rrule.replace(/^RRULE:/i, "") }),
    ...(once === true ? { rrule: null, businessDays: null } : {}),
    ...businessDayFields(options),
    ...(exdate === undefined ? {} : { exdates: exdate.map(localTime) }),
    ...(rdate === undefined ? {} : { rdates: rdate.map(localTime) }),
    ...(dst === undefined ? {} : { dstPolicy: dst.toUpperCase() }),
  };
}

/** A local time as people write it, with a blank or a T. */
export const localTime = (text: string): string => text.trim().replace(/^(\d{4}-\d{2}-\d{2}) +/, "$1T");

/** Whether the end names a time of day alone. */
export const isTimeOfDay = (end: string | undefined): boolean => end !== undefined && /^\d{2}:\d{2}$/.test(end.trim());

/** What the options say about whom it covers, how it drains and how it resumes. */
export function policyFields(options: PlanOptions): PolicyFields {
  const scope = scopeOf(options);
  return { ...(scope === undefined ? {} : { scope }), ...drainOf(options), ...resumeOf(options) };
}

/** What the options say about a window that is there; nothing where they name nothing. */
export function changesOf(options: PlanOptions, start: string | undefined): { readonly [field: string]: unknown } {
  const { title, kind, mode, owner, confirmLong } = options;
  const seriesChanges = seriesFields(options, start);
  return {
    ...(title === undefined ? {} : { title }),
    ...(kind === undefined ? {} : { kind: kind.toUpperCase() }),
    ...(mode === undefined ? {} : { mode: mode.toUpperCase() }),
    ...(Object.keys(seriesChanges).length === 0 ? {} : { seriesChanges }),
    ...policyFields(options),
    ...(owner === undefined ? {} : { owner }),
    ...(confirmLong === true ? { confirmLong } : {}),
  };
}

function drainOf(options: PlanOptions): Pick<PolicyFields, "drain"> {
  const { drainLead, drainDeadline, atDeadline } = options;
  if (drainLead === undefined && drainDeadline === undefined && atDeadline === undefined) return {};
  if (atDeadline !== undefined && drainDeadline === undefined)
    throw new CliError("usage", "--at-deadline says what happens at the drain deadline. Give --drain-deadline as well.");
  return {
    drain: {
      ...(drainLead === undefined ? {} : { leadLimitMinutes: minutesOf(drainLead, "--drain-lead") }),
      ...(drainDeadline === undefined ? {} : { deadlineMinutes: minutesOf(drainDeadline, "--drain-deadline") }),
      ...(atDeadline === undefined ? {} : { atDeadline: atDeadline.toUpperCase() }),
    },
  };
}

function resumeOf(options: PlanOptions): Pick<PolicyFields, "resume"> {
  const { readiness, maxWait, canaries, failureBound, reconcile } = options;
  const resume = {
    ...(readiness === undefined ? {} : { readinessCheck: readiness }),
    ...(maxWait === undefined ? {} : { maxWaitMinutes: minutesOf(maxWait, "--max-wait") }),
    ...(canaries === undefined ? {} : { canaries: numberOf(canaries, "--canaries") }),
    ...(failureBound === undefined ? {} : { failureBound: numberOf(failureBound, "--failure-bound") }),
    ...(reconcile === undefined ? {} : { reconcile }),
  };
  return Object.keys(resume).length === 0 ? {} : { resume };
}

function numberOf(text: string, option: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new CliError("usage", `${option} wants a number, found "${text}".`);
  return value;
}

function businessDayFields({ businessDays, onHoliday, calendar, weekend }: PlanOptions): SeriesFields {
  const match = businessDays === undefined ? null : /^(month|quarter|year):(-?\d+(?:,-?\d+)*)$/i.exec(businessDays);
  if (businessDays !== undefined && match === null)
    throw new CliError("usage", `--business-days ${businessDays} is not understood. Write month:1, quarter:-2,-1 or year:-1.`);
  const [, of = "", ordinals = ""] = match ?? [];
  return {
    ...(match === null ? {} : { businessDays: { of: of.toUpperCase(), ordinals: ordinals.split(",").map(Number) } }),
    ...(onHoliday === undefined ? {} : { onHoliday: onHoliday.toUpperCase() }),
    ...(calendar === undefined ? {} : { calendar }),
    ...(weekend === undefined ? {} : { weekend: weekend.toUpperCase().split(",") }),
  };
}

/** `06:00` is the first such time after the start; no zone is needed to say so, both are on the same wall clock. */
function endOf(start: string | undefined, end: string): string {
  const date = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}:\d{2})/.exec(start ?? "");
  if (date === null || !isTimeOfDay(end)) return end;
  const [, year, month, day, time = ""] = date;
  const next = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day) + (end > time ? 0 : 1)));
  return `${next.toISOString().slice(0, 10)}T${end}`;
}
