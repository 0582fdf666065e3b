import { DomainError, type ForeignWindow, type ImportFacts, muteTimingSeries, readMuteTiming, requireZone } from "@quiesce/core";
import { documentInvalid, isMembers, textOf } from "./foreign-document.js";

/** Which intervals the notification routes name, and how. */
interface RouteNames {
  readonly mute: ReadonlySet<string>;
  readonly active: ReadonlySet<string>;
}

const MAX_INTERVALS = 10_000;

function routeNames(roots: readonly unknown[]): RouteNames {
  const mute = new Set<string>();
  const active = new Set<string>();
  const waiting = [...roots];
  for (let route = waiting.pop(); route !== undefined; route = waiting.pop()) {
    if (!isMembers(route)) continue;
    const { mute_time_intervals: muted, active_time_intervals: activeIn, routes } = route;
    for (const name of Array.isArray(muted) ? muted : []) mute.add(String(name));
    for (const name of Array.isArray(activeIn) ? activeIn : []) active.add(String(name));
    if (Array.isArray(routes)) waiting.push(...routes);
  }
  return { mute, active };
}

function seriesOf(value: unknown, facts: ImportFacts): Pick<ForeignWindow, "series" | "over" | "problems"> {
  const read = readMuteTiming(value);
  if (!read.ok) return { series: [], over: false, problems: [read.problem] };
  try {
    const zone = requireZone(facts.zones, read.timing.timeZone, "location");
    const { series, over } = muteTimingSeries(read.timing, { now: facts.now, zone });
    const never = series.length === 0 && !over ? ["It never happens: no day fits all of its fields."] : [];
    return { series, over, problems: never };
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return { series: [], over: false, problems: [error.message] };
  }
}

function foreignWindow(value: unknown, place: string, names: RouteNames, facts: ImportFacts): ForeignWindow {
  const entry = isMembers(value) ? value : {};
  const name = textOf(entry["name"]) ?? place;
  const intervals = entry["time_intervals"];
  const base = { name, id: name, entities: [{ id: name }] };
  const fail = (problem: string): ForeignWindow => ({ ...base, series: [], over: false, problems: [problem] });
  if (names.active.has(name) && !names.mute.has(name))
    return fail("It is an active time interval: its routes are mute outside of it, so it is no maintenance.");
  if (!Array.isArray(intervals) || intervals.length === 0) return fail("It has no list time_intervals.");
  const read = intervals.map((interval) => seriesOf(interval, facts));
  return {
    ...base,
    series: read.flatMap(({ series }) => series),
    over: read.every(({ over }) => over),
    problems: read.flatMap(({ problems }, index) => problems.map((problem) => `time_intervals[${index}]: ${problem}`)),
  };
}

function listed(
  lists: readonly { readonly path: string; readonly value: unknown }[],
  roots: readonly unknown[],
  facts: ImportFacts,
): readonly ForeignWindow[] {
  const names = routeNames(roots);
  const entries = lists.flatMap(({ path, value }) => {
    if (!Array.isArray(value)) throw documentInvalid(`Found no list at ${path}, expected one of named time intervals.`);
    return value.map((entry: unknown, index) => ({ entry, place: `${path}[${index}]` }));
  });
  if (entries.length > MAX_INTERVALS) throw documentInvalid(`Found ${entries.length} time intervals; at most ${MAX_INTERVALS} are read.`);
  return entries.map(({ entry, place }) => foreignWindow(entry, place, names, facts));
}

function found(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  return isMembers(value) ? `an object with ${Object.keys(value).slice(0, 8).join(", ") || "nothing in it"}` : "no object";
}

/** The named intervals of an Alertmanager configuration, under the present and the older name. */
export function readAlertmanager(value: unknown, facts: ImportFacts): readonly ForeignWindow[] {
  const config = isMembers(value) ? value : {};
  const lists = ["time_intervals", "mute_time_intervals"].filter((path) => config[path] !== undefined && config[path] !== null);
  if (lists.length === 0)
    throw documentInvalid(`Found ${found(value)}, expected an Alertmanager configuration with time_intervals or mute_time_intervals.`);
  return listed(
    lists.map((path) => ({ path, value: config[path] })),
    [config["route"]],
    facts,
  );
}

/** Mute timings of Grafana: its provisioning file (`muteTimes`), or what its API answers (a list, or one of them). */
export function readGrafana(value: unknown, facts: ImportFacts): readonly ForeignWindow[] {
  if (Array.isArray(value)) return listed([{ path: "mute-timings", value }], [], facts);
  if (isMembers(value) && value["muteTimes"] !== undefined) {
    const policies = value["policies"];
    return listed([{ path: "muteTimes", value: value["muteTimes"] }], Array.isArray(policies) ? policies : [], facts);
  }
  if (isMembers(value) && value["time_intervals"] !== undefined) return listed([{ path: "mute-timing", value: [value] }], [], facts);
  throw documentInvalid(
    `Found ${found(value)}, expected a provisioning file with muteTimes, or what /api/v1/provisioning/mute-timings answers.`,
  );
}
