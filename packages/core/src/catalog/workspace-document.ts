import type { z } from "zod";
import { calendarSchema, type CalendarEntry } from "./calendar-schema.js";
import { approvalPolicySchema, holidayCalendarSchema, type ApprovalPolicyEntry, type HolidayCalendarEntry } from "./planning-schema.js";
import type { SampleRetentionEntry } from "./sample-retention-schema.js";
import { teamSchema, type TeamEntry } from "./team-schema.js";
import { workspaceProblem, problemsOfParse, type WorkspaceProblem } from "./workspace-problem.js";
import {
  endpointSchema,
  integrationSchema,
  jobSchema,
  streamSchema,
  systemSchema,
  windowSchema,
  workspaceSchema,
  type EndpointEntry,
  type IntegrationEntry,
  type JobEntry,
  type SystemEntry,
  type WindowEntry,
  type WorkspaceDocument,
} from "./workspace-schema.js";

/** Deeper objects are refused: nobody writes them, and every reader of them would have to be careful. */
const MAX_DEPTH = 32;

/** A parsed workspace, or everything that is wrong with it (100 problems at most). */
export type ParsedWorkspace =
  | { readonly ok: true; readonly document: WorkspaceDocument }
  | { readonly ok: false; readonly problems: readonly WorkspaceProblem[] };

/** Parses a workspace from plain JSON into its normal form. References are checked apart, see `workspaceProblems`. */
export function parseWorkspace(input: unknown): ParsedWorkspace {
  const unstorable = unstorableProblems(input, []);
  if (unstorable.length > 0) return { ok: false, problems: unstorable };
  const parsed = workspaceSchema.safeParse(input);
  if (!parsed.success) return { ok: false, problems: problemsOfParse(parsed.error, input) };
  return { ok: true, document: parsed.data };
}

/** What PostgreSQL's text and jsonb cannot hold, or what JavaScript would take for something else. Found before anything is parsed. */
function unstorableProblems(value: unknown, at: readonly (string | number)[]): readonly WorkspaceProblem[] {
  if (at.length > MAX_DEPTH) return [workspaceProblem(at.slice(0, 4), `Nested more than ${MAX_DEPTH} deep. Make it flatter.`)];
  if (typeof value === "string")
    return isStorableText(value) ? [] : [workspaceProblem(at, "The text holds a NUL or half a surrogate pair. Remove it.")];
  if (Array.isArray(value)) return value.flatMap((item, index) => unstorableProblems(item, [...at, index]));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    if (name === "__proto__" || !isStorableText(name))
      return [workspaceProblem([...at, name], "This name is not allowed. Choose another one.")];
    return unstorableProblems(member, [...at, name]);
  });
}

function isStorableText(text: string): boolean {
  return !text.includes("\u0000") && !/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(text);
}

type Members = { readonly [name: string]: unknown };

/** What an entry is when only what must be said is said: by parsing one, so that no second list of defaults can disagree. */
const defaultsOf = <T extends z.ZodType>(schema: T, required: z.input<T> & Members) => {
  const entries = Object.entries(schema.parse(required) as Members);
  return new Map(entries.filter(([name]) => !(name in required)).map(([name, value]) => [name, JSON.stringify(value)]));
};
const key = "x";
const systemDefaults = defaultsOf(systemSchema, { key });
const endpointDefaults = defaultsOf(endpointSchema, { key, system: "x", connector: "xx" });
const integrationDefaults = defaultsOf(integrationSchema, { key });
const jobDefaults = defaultsOf(jobSchema, { key, integration: "x" });
const holidayDefaults = defaultsOf(holidayCalendarSchema, { key });
const calendarDefaults = defaultsOf(calendarSchema, { key, url: { value: "x" }, scope: { all: true }, owner: "x", reason: "x" });
const approvalDefaults = defaultsOf(approvalPolicySchema, { key });
const teamDefaults = defaultsOf(teamSchema, { key });
/** Of webhooks and mails. */
const toldDefaults = new Map([
  ["events", "[]"],
  ["observe", "false"],
]);
const windowDefaults = defaultsOf(windowSchema, {
  key,
  title: "x",
  start: "x",
  timeZone: "UTC",
  scope: { all: true },
  owner: "x",
  reason: "x",
});
const retentionDefaults = new Map(["samples", "minutes", "hours", "days"].map((name) => [name, "null"]));
const scheduleDefaults = new Map([
  ["timeZone", JSON.stringify("UTC")],
  ["exdates", "[]"],
  ["rdates", "[]"],
]);
const retryDefaults = new Map(
  Object.entries(jobSchema.parse({ key, integration: "x" }).retry).map(([name, value]) => [name, JSON.stringify(value)]),
);

function withoutDefaults(entry: Members, defaults: ReadonlyMap<string, string>): { [name: string]: unknown } {
  return Object.fromEntries(
    Object.entries(entry).filter(([name, value]) => value !== undefined && JSON.stringify(value) !== defaults.get(name)),
  );
}

function withoutOwnName(entry: Members & { readonly key: string }, defaults: ReadonlyMap<string, string>): Members {
  return withoutDefaults(entry, new Map([...defaults, ["name", JSON.stringify(entry.key)]]));
}

function minimalSystem(system: SystemEntry): Members {
  const hard = new Map([["strength", JSON.stringify("hard")]]);
  const notifications = new Map([["suppress", JSON.stringify("notifications")]]);
  const dependsOn = system.dependsOn.map((one) => withoutDefaults(one, hard));
  const monitoredBy = system.monitoredBy.map((one) => withoutDefaults(one, notifications));
  return withoutOwnName({ ...system, dependsOn, monitoredBy }, systemDefaults);
}

const usualDeleteLimit = streamSchema.parse({ stream: "x", mapping: { fields: { x: { from: "x" } } } }).deleteLimit;

function minimalIntegration(integration: IntegrationEntry): Members {
  const streams = integration.streams.map((stream) =>
    withoutDefaults(
      stream,
      new Map([
        ["target", JSON.stringify(stream.stream)],
        ["deletes", JSON.stringify("ignore")],
        ["deleteLimit", JSON.stringify(usualDeleteLimit)],
        ["push", "false"],
      ]),
    ),
  );
  return withoutOwnName({ ...integration, streams }, integrationDefaults);
}

function minimalJob(job: JobEntry): Members {
  const schedule = job.schedule === null ? null : withoutDefaults(job.schedule, scheduleDefaults);
  const retry = withoutDefaults(job.retry, retryDefaults);
  const { retry: _same, ...rest } = job;
  const minimal = withoutOwnName({ ...rest, schedule }, jobDefaults);
  return Object.keys(retry).length === 0 ? minimal : { ...minimal, retry };
}

const rotationDefaults = new Map(
  Object.entries(endpointSchema.parse({ key, system: "x", connector: "xx" }).rotation).map(([name, value]) => [
    name,
    JSON.stringify(value),
  ]),
);

function minimalEndpoint(endpoint: EndpointEntry): Members {
  const { rotation, ...rest } = endpoint;
  const minimal = withoutOwnName(rest, endpointDefaults);
  const said = withoutDefaults(rotation, rotationDefaults);
  return Object.keys(said).length === 0 ? minimal : { ...minimal, rotation: said };
}

function minimalTeam(team: TeamEntry): Members {
  // In one order, wherever the hook comes from.
  const webhooks = team.webhooks.map(({ url, secret, events, observe }) => withoutDefaults({ url, secret, events, observe }, toldDefaults));
  const mails = team.mails.map(({ to, endpoint, stream, events, observe }) =>
    withoutDefaults({ to, endpoint, stream, events, observe }, toldDefaults),
  );
  return withoutDefaults({ ...team, webhooks, mails }, new Map([...teamDefaults, ["title", JSON.stringify(team.key)]]));
}

/** The entry of any list of a workspace without what goes without saying: as a person would write it. */
export const minimalEntry = {
  systems: minimalSystem,
  endpoints: minimalEndpoint,
  integrations: minimalIntegration,
  jobs: minimalJob,
  holidayCalendars: (calendar: HolidayCalendarEntry): Members =>
    withoutDefaults(calendar, new Map([...holidayDefaults, ["title", JSON.stringify(calendar.key)]])),
  calendars: (calendar: CalendarEntry): Members =>
    withoutDefaults(calendar, new Map([...calendarDefaults, ["title", JSON.stringify(calendar.key)]])),
  approvals: (policy: ApprovalPolicyEntry): Members => withoutDefaults(policy, approvalDefaults),
  teams: minimalTeam,
  windows: (window: WindowEntry): Members => withoutDefaults(window, windowDefaults),
  sampleRetention: (entry: SampleRetentionEntry): Members => withoutDefaults(entry, retentionDefaults),
} as const;

const byKey = (a: { readonly key: string }, b: { readonly key: string }): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);

/** The one way to write a workspace: lists by key, defaults and empty lists left out. Parsing it gives the same document, sorted. */
export function minimalWorkspace(document: WorkspaceDocument): { readonly [name: string]: unknown } {
  const lists = {
    systems: document.systems.toSorted(byKey).map(minimalEntry.systems),
    endpoints: document.endpoints.toSorted(byKey).map(minimalEntry.endpoints),
    integrations: document.integrations.toSorted(byKey).map(minimalEntry.integrations),
    jobs: document.jobs.toSorted(byKey).map(minimalEntry.jobs),
    holidayCalendars: document.holidayCalendars.toSorted(byKey).map(minimalEntry.holidayCalendars),
    calendars: document.calendars.toSorted(byKey).map(minimalEntry.calendars),
    approvals: document.approvals.toSorted(byKey).map(minimalEntry.approvals),
    teams: document.teams.toSorted(byKey).map(minimalEntry.teams),
    windows: document.windows.toSorted(byKey).map(minimalEntry.windows),
    sampleRetention: document.sampleRetention.toSorted(byKey).map(minimalEntry.sampleRetention),
  };
  return { quiesce: 1, ...Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0)) };
}
