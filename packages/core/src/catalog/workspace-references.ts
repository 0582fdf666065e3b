import { twoWayProblems } from "../mapping/two-way-problems.js";
import { validateMapping } from "../mapping/validate-mapping.js";
import { validateJobSchedule } from "../schedules/validate-job-schedule.js";
import { packagedZoneData } from "../time/packaged-zone-data.js";
import type { ZoneData } from "../time/zone-data.js";
import { validateWindowSeries } from "../windows/validate-series.js";
import { withHolidays } from "../windows/window-series.js";
import type { CalendarEntry } from "./calendar-schema.js";
import { jobScheduleOf } from "./job-schedule-text.js";
import { nearestName } from "./nearest-name.js";
import { monitorProblems } from "./monitor-problems.js";
import { pushProblems } from "./push-problems.js";
import { windowSeriesOf, type HolidayCalendars } from "./window-entry.js";
import type { WindowScope } from "./window-scope.js";
import { MAX_PROBLEMS, workspaceProblem, type WorkspaceProblem } from "./workspace-problem.js";
import { WORKSPACE_SECTIONS, type IntegrationEntry, type WindowEntry, type WorkspaceSection } from "./workspace-schema.js";
import { type AnyWorkspace, KIND_OF_SECTION } from "./workspace-diff.js";

/**
 * What is wrong with a parsed workspace beyond its shape: repeated keys, names that nothing has (with the nearest existing one), mappings,
 * schedules and windows that would be refused. `standing` is what exists already and stays: it may be referred to. Cycles of dependencies are allowed.
 */
export function workspaceProblems(
  document: AnyWorkspace,
  options: { readonly standing?: AnyWorkspace | undefined; readonly zones?: ZoneData | undefined } = {},
): readonly WorkspaceProblem[] {
  const names = namesOf(document, options.standing);
  const calendars: HolidayCalendars = new Map(
    [...(options.standing?.holidayCalendars ?? []), ...document.holidayCalendars].map((one) => [one.key, one.dates]),
  );
  return [
    ...duplicateProblems(document),
    ...systemProblems(document, names),
    ...monitorProblems(document, (key, at) => names.check("endpoints", key, at)),
    ...document.endpoints.flatMap((endpoint, index) => names.check("systems", endpoint.system, ["endpoints", index, "system"])),
    ...document.integrations.flatMap((integration, index) => integrationProblems(integration, ["integrations", index], names)),
    ...standingRouteProblems(document, options.standing, names),
    ...pushProblems(document, options.standing),
    ...document.jobs.flatMap((job, index) => [
      ...names.check("integrations", job.integration, ["jobs", index, "integration"]),
      ...(job.schedule === null
        ? []
        : refusals(validateJobSchedule(jobScheduleOf(job.schedule), options.zones), ["jobs", index, "schedule"], scheduleFields)),
    ]),
    ...document.approvals.flatMap((policy, index) =>
      policy.systems.flatMap((key, at) => names.check("systems", key, ["approvals", index, "systems", at])),
    ),
    ...document.teams.flatMap((team, index) =>
      team.mails.flatMap((mail, at) => names.check("endpoints", mail.endpoint, ["teams", index, "mails", at, "endpoint"])),
    ),
    ...document.calendars.flatMap((calendar, index) => [
      ...scopeProblems(calendar.scope, ["calendars", index, "scope"], names),
      ...zoneProblems(calendar, ["calendars", index], options.zones),
    ]),
    ...standingCalendarProblems(document, options, calendars),
    ...document.windows.flatMap((window, index) => [
      ...scopeProblems(window.scope, ["windows", index, "scope"], names),
      ...(window.calendar === null ? [] : names.check("holidayCalendars", window.calendar, ["windows", index, "calendar"])),
      ...windowRefusals(window, { calendars, zones: options.zones, at: ["windows", index] }),
    ]),
  ].slice(0, MAX_PROBLEMS);
}

function scopeProblems(scope: WindowScope, at: readonly (string | number)[], names: Names): readonly WorkspaceProblem[] {
  return [
    ...(scope.systems ?? []).flatMap((key, index) => names.check("systems", key, [...at, "systems", index])),
    ...(scope.integrations ?? []).flatMap((key, index) => names.check("integrations", key, [...at, "integrations", index])),
  ];
}

function zoneProblems(
  calendar: Pick<CalendarEntry, "timeZone" | "zoneMap">,
  at: readonly (string | number)[],
  zones: ZoneData = packagedZoneData(),
): readonly WorkspaceProblem[] {
  const named = [
    ...(calendar.timeZone === null ? [] : [[["timeZone"], calendar.timeZone] as const]),
    ...Object.entries(calendar.zoneMap).map(([tzid, name]) => [["zoneMap", tzid], name] as const),
  ];
  return named
    .filter(([, name]) => zones.zone(name) === undefined)
    .map(([path, name]) =>
      workspaceProblem(
        [...at, ...path],
        `Found "${name}", which is no time zone of the IANA database ${zones.version}. Use a name such as Europe/Madrid.`,
      ),
    );
}

/** An unknown calendar is a problem of its own: what the window would be with it nobody can say. */
function windowRefusals(
  window: WindowEntry,
  input: { readonly calendars: HolidayCalendars; readonly zones: ZoneData | undefined; readonly at: readonly (string | number)[] },
): readonly WorkspaceProblem[] {
  if (window.calendar !== null && !input.calendars.has(window.calendar)) return [];
  const series = withHolidays(windowSeriesOf(window), input.calendars);
  return refusals(validateWindowSeries(series, { confirmLong: window.confirmLong }, input.zones), input.at, {});
}

/** A calendar that changes must leave the windows that stand and count by it as possible as they were. */
function standingCalendarProblems(
  document: AnyWorkspace,
  options: { readonly standing?: AnyWorkspace | undefined; readonly zones?: ZoneData | undefined },
  calendars: HolidayCalendars,
): readonly WorkspaceProblem[] {
  const changed = new Set(document.holidayCalendars.map((one) => one.key));
  const given = new Set(document.windows.map((one) => one.key));
  return (options.standing?.windows ?? [])
    .filter((window) => window.calendar !== null && changed.has(window.calendar) && !given.has(window.key))
    .flatMap((window) => {
      const found = validateWindowSeries(withHolidays(windowSeriesOf(window), calendars), { confirmLong: true }, options.zones);
      const index = document.holidayCalendars.findIndex((one) => one.key === window.calendar);
      return found.map((one) =>
        workspaceProblem(["holidayCalendars", index], `The window "${window.key}" counts by it: ${one.message} Change that window first.`),
      );
    });
}

/** The keys that may be referred to, and the system behind each endpoint. */
interface Names {
  readonly systemOfEndpoint: ReadonlyMap<string, string>;
  check(section: WorkspaceSection, key: string, at: readonly (string | number)[]): readonly WorkspaceProblem[];
}

function namesOf(document: AnyWorkspace, standing: AnyWorkspace | undefined): Names {
  const keys = (section: WorkspaceSection) => new Set([...(standing?.[section] ?? []), ...document[section]].map((entry) => entry.key));
  const known = new Map(WORKSPACE_SECTIONS.map((section) => [section, keys(section)]));
  const endpoints = [...(standing?.endpoints ?? []), ...document.endpoints];
  return {
    systemOfEndpoint: new Map(endpoints.map((endpoint) => [endpoint.key, endpoint.system])),
    check: (section, key, at) => {
      const names = known.get(section);
      if (names === undefined || names.has(key)) return [];
      const nearest = nearestName(key, names);
      const hint = nearest === undefined ? `Add it under ${section}, or correct the name.` : `Did you mean "${nearest}"?`;
      return [workspaceProblem(at, `Found "${key}", but there is no ${KIND_OF_SECTION[section]} of that key. ${hint}`)];
    },
  };
}

function duplicateProblems(document: AnyWorkspace): readonly WorkspaceProblem[] {
  return WORKSPACE_SECTIONS.flatMap((section) => {
    const first = new Map<string, number>();
    return document[section].flatMap((entry, index) => {
      const before = first.get(entry.key);
      first.set(entry.key, before ?? index);
      if (before === undefined) return [];
      return [
        workspaceProblem(
          [section, index, "key"],
          `Found "${entry.key}" again: ${section}[${before}] has this key already. Give every ${KIND_OF_SECTION[section]} a key of its own.`,
        ),
      ];
    });
  });
}

function systemProblems(document: AnyWorkspace, names: Names): readonly WorkspaceProblem[] {
  return document.systems.flatMap((system, index) => {
    const seen = new Set<string>();
    return system.dependsOn.flatMap((edge, at) => {
      const path = ["systems", index, "dependsOn", at, "system"];
      const repeated = seen.has(edge.system);
      seen.add(edge.system);
      if (edge.system === system.key)
        return [workspaceProblem(path, `The system "${system.key}" cannot depend on itself. Remove this dependency.`)];
      if (repeated) return [workspaceProblem(path, `Found "${edge.system}" twice among the dependencies of "${system.key}". Keep one.`)];
      return names.check("systems", edge.system, path);
    });
  });
}

function integrationProblems(integration: IntegrationEntry, at: readonly (string | number)[], names: Names): readonly WorkspaceProblem[] {
  const problems: WorkspaceProblem[] = [];
  for (const role of ["source", "target"] as const) {
    const endpoint = integration[role];
    if (endpoint !== null) problems.push(...names.check("endpoints", endpoint, [...at, role]));
  }
  for (const [index, key] of integration.via.entries()) problems.push(...names.check("systems", key, [...at, "via", index]));
  problems.push(...routeProblems(integration, at, names));
  const needsSource = integration.source === null && integration.streams.some((stream) => !stream.push);
  if (integration.streams.length > 0 && (needsSource || integration.target === null)) {
    const missing = needsSource ? "source" : "target";
    problems.push(
      workspaceProblem(
        [...at, "streams"],
        `An integration with streams needs a source and a target endpoint; the ${missing} is missing. Name it, or leave the streams out.`,
      ),
    );
  }
  const streams = new Set<string>();
  for (const [index, stream] of integration.streams.entries()) {
    const path = [...at, "streams", index];
    if (streams.has(stream.stream))
      problems.push(workspaceProblem([...path, "stream"], `Found the stream "${stream.stream}" twice. Keep one.`));
    streams.add(stream.stream);
    for (const problem of twoWayProblems(stream)) problems.push(workspaceProblem([...path, ...problem.path.split(".")], problem.message));
    const mapping = validateMapping(stream.mapping);
    if (mapping.ok) continue;
    for (const problem of mapping.problems) {
      problems.push(workspaceProblem([...path, "mapping", ...problem.path.split(".").filter((part) => part !== "")], problem.message));
    }
  }
  return problems;
}

/** A system has one role in a route: what is source or target is not `via` as well, or the route could not be given back as it was written. */
function routeProblems(integration: IntegrationEntry, at: readonly (string | number)[], names: Names): readonly WorkspaceProblem[] {
  return (["source", "target"] as const).flatMap((role) => {
    const system = names.systemOfEndpoint.get(integration[role] ?? "");
    const index = system === undefined ? -1 : integration.via.indexOf(system);
    if (index < 0) return [];
    return [
      workspaceProblem(
        [...at, "via", index],
        `Found "${system}" in via of integration "${integration.key}", which is the system of its ${role} already. Remove it from via.`,
      ),
    ];
  });
}

/** An endpoint that moves to another system also moves the routes of integrations that are not in the document. */
function standingRouteProblems(document: AnyWorkspace, standing: AnyWorkspace | undefined, names: Names): readonly WorkspaceProblem[] {
  if (standing === undefined || document.endpoints.length === 0) return [];
  const given = new Set(document.integrations.map((integration) => integration.key));
  return standing.integrations
    .filter((integration) => !given.has(integration.key))
    .flatMap((integration) => routeProblems(integration, ["integrations"], names));
}

/** How the engine calls the parts of a schedule, and how people write them. */
const scheduleFields: { readonly [field: string]: string } = { expression: "cron", everySeconds: "every", startsAt: "start", schedule: "" };

interface Refused {
  readonly field: string;
  readonly message: string;
  readonly nearest?: string;
}

function refusals(
  found: readonly Refused[],
  at: readonly (string | number)[],
  renamed: { readonly [field: string]: string },
): readonly WorkspaceProblem[] {
  return found.map((refusal) => {
    const [head = "", ...rest] = refusal.field.split(".");
    const name = renamed[head] ?? (head === "series" ? "" : head);
    const tail = rest.map((part) => (/^\d+$/.test(part) ? Number(part) : part));
    const nearest = refusal.nearest === undefined ? "" : ` The nearest that works: ${refusal.nearest}`;
    return workspaceProblem([...at, ...(name === "" ? [] : [name]), ...tail], `${refusal.message}${nearest}`);
  });
}
