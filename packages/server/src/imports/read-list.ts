import { formatLocal, type ForeignWindow, type ImportFacts, localAt, parseLocal, type WindowSeries } from "@quiesce/core";
import { documentInvalid, isMembers, textOf } from "./foreign-document.js";

const FIELDS = ["name", "start", "end", "timeZone", "repeats", "covers"] as const;
const REPEATS = ["once", "daily", "weekly", "monthly"] as const;
const WEEKDAYS = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"] as const;
/** Every month has these. */
const LAST_COMMON_DAY = 28;

type Entry = { readonly [name: string]: unknown };

/** A local time as screens show it: with a T or a space between day and time. */
function localOf(value: unknown): number | null {
  return typeof value === "string" ? parseLocal(value.trim().replace(/^(\d{4}-\d{2}-\d{2}) +/, "$1T")) : null;
}

function rruleOf(repeats: (typeof REPEATS)[number], start: number): string | null | { readonly problem: string } {
  const day = new Date(start);
  switch (repeats) {
    case "once":
      return null;
    case "daily":
      return "FREQ=DAILY";
    case "weekly":
      return `FREQ=WEEKLY;BYDAY=${WEEKDAYS[day.getUTCDay()] ?? ""}`;
    case "monthly":
      return day.getUTCDate() <= LAST_COMMON_DAY
        ? `FREQ=MONTHLY;BYMONTHDAY=${day.getUTCDate()}`
        : {
            problem: `It repeats monthly on day ${day.getUTCDate()}, which not every month has: create it by hand, with the rule that is meant.`,
          };
  }
}

function seriesOf(entry: Entry): { readonly series: readonly WindowSeries[]; readonly problems: readonly string[] } {
  const times = (["start", "end"] as const).map((field) => ({ field, local: localOf(entry[field]) }));
  const timeZone = textOf(entry["timeZone"]);
  const repeats = REPEATS.find((one) => one === (entry["repeats"] ?? "once"));
  const problems = [
    ...times
      .filter(({ local }) => local === null)
      .map(({ field }) => `${field} is ${JSON.stringify(entry[field]) ?? "missing"}, expected a local time such as 2027-01-03 02:00.`),
    ...(timeZone === undefined ? ["timeZone is missing: the zone in which the other tool shows its times, such as Europe/Madrid."] : []),
    ...(repeats === undefined ? [`repeats is ${JSON.stringify(entry["repeats"])}, expected one of ${REPEATS.join(", ")}.`] : []),
    ...Object.keys(entry)
      .filter((name) => !FIELDS.some((one) => one === name))
      .map((name) => `"${name.slice(0, 64)}" is not understood; the fields are ${FIELDS.join(", ")}.`),
  ];
  const [start, end] = times.map(({ local }) => local);
  if (problems.length > 0 || typeof start !== "number" || typeof end !== "number" || timeZone === undefined || repeats === undefined)
    return { series: [], problems };
  const rrule = rruleOf(repeats, start);
  if (typeof rrule === "object" && rrule !== null) return { series: [], problems: [rrule.problem] };
  const once = { start: formatLocal(start), end: formatLocal(end), timeZone };
  return { series: [rrule === null ? once : { ...once, rrule }], problems };
}

function foreignWindow(value: unknown, index: number, facts: ImportFacts): ForeignWindow {
  const entry: Entry = isMembers(value) ? value : {};
  const name = textOf(entry["name"]) ?? `windows[${index}]`;
  const given: unknown = entry["covers"];
  const covers: readonly unknown[] = Array.isArray(given) ? given : [given];
  const entities = covers.flatMap((one) => textOf(one) ?? []).map((id) => ({ id }));
  const none = entities.length === 0 ? ["covers is empty: name what it takes down, as the other tool calls it."] : [];
  const { series, problems } = seriesOf(entry);
  const [only] = series;
  const isOver = only !== undefined && only.rrule === undefined && only.end !== undefined && endsBefore(only, facts);
  return isOver
    ? { name, id: name, entities, series: [], over: true, problems: [] }
    : { name, id: name, entities, series, over: false, problems: [...problems, ...none] };
}

/** Of a zone that is not known nothing is over: its window is refused for the zone. */
function endsBefore({ end, timeZone }: Pick<WindowSeries, "end" | "timeZone">, { now, zones }: ImportFacts): boolean {
  const zone = zones.zone(timeZone);
  return zone !== undefined && (parseLocal(end ?? "") ?? Number.POSITIVE_INFINITY) <= localAt(now, zone);
}

/**
 * A list that somebody copied from a screen: for tools that show their windows and give them out in no documented form, such as Alumio, whose windows are once,
 * weekly or monthly over schedulers (https://forum.alumio.com/t/maintenance-windows/2187).
 */
export function readList(value: unknown, facts: ImportFacts): readonly ForeignWindow[] {
  const list: unknown = isMembers(value) ? value["windows"] : value;
  if (!Array.isArray(list)) throw documentInvalid(`Found no windows, expected a list of them: windows, each with ${FIELDS.join(", ")}.`);
  return list.map((entry: unknown, index) => foreignWindow(entry, index, facts));
}
