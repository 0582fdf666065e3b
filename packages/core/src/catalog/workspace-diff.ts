import { equalJson } from "./sorted-json.js";
import { minimalEntry } from "./workspace-document.js";
import type { CalendarEntry } from "./calendar-schema.js";
import type { TeamEntry } from "./team-schema.js";
import type { EndpointEntry, WorkspaceDocument, WorkspaceSection } from "./workspace-schema.js";

/** A secret as it may be shown and compared: where its value came from, and the fingerprint of the value. */
export interface SettledSecret {
  /** `env:NAME`, `file:PATH` or `inline`. */
  readonly source: string;
  /** The fingerprint of the stored value, or {@link NEW_SECRET_VALUE}. */
  readonly fingerprint: string;
}

/** Stands for the fingerprint of a value that is not stored yet. */
export const NEW_SECRET_VALUE = "new value";

export type SettledEndpoint = Omit<EndpointEntry, "secrets"> & { readonly secrets: { readonly [name: string]: SettledSecret } };

export type SettledTeam = Omit<TeamEntry, "webhooks"> & {
  readonly webhooks: readonly (Omit<TeamEntry["webhooks"][number], "secret"> & { readonly secret: SettledSecret })[];
};

export type SettledCalendar = Omit<CalendarEntry, "url"> & { readonly url: SettledSecret };

/** A workspace with or without its secrets; references do not look at them. */
export type AnyWorkspace = WorkspaceDocument | SettledWorkspace;

/** A workspace whose secrets are settled: nothing in it must be kept from anyone's eyes. */
export type SettledWorkspace = Omit<WorkspaceDocument, "endpoints" | "teams" | "calendars"> & {
  readonly calendars: readonly SettledCalendar[];
  readonly endpoints: readonly SettledEndpoint[];
  readonly teams: readonly SettledTeam[];
};

export type WorkspaceKind =
  | "system"
  | "endpoint"
  | "integration"
  | "job"
  | "holiday-calendar"
  | "calendar"
  | "approval-policy"
  | "team"
  | "window"
  | "sample-retention";

/** One step of an apply. */
export interface WorkspaceChange {
  readonly action: "create" | "update" | "delete";
  readonly kind: WorkspaceKind;
  readonly key: string;
  /** What differs; for a create what is said about the new thing, for a delete nothing. */
  readonly changes: readonly FieldChange[];
}

export interface FieldChange {
  /** `schedule.cron`, `streams[0].mapping.fields`. */
  readonly path: string;
  /** undefined: was not there. */
  readonly before: unknown;
  /** undefined: is not there any more. */
  readonly after: unknown;
}

/** Which kind of thing each list of a workspace holds; in the order of making. */
export const KIND_OF_SECTION = {
  systems: "system",
  endpoints: "endpoint",
  integrations: "integration",
  jobs: "job",
  holidayCalendars: "holiday-calendar",
  calendars: "calendar",
  approvals: "approval-policy",
  teams: "team",
  windows: "window",
  sampleRetention: "sample-retention",
} as const satisfies { readonly [section in WorkspaceSection]: WorkspaceKind };

const SECTIONS = Object.keys(KIND_OF_SECTION) as readonly WorkspaceSection[];

/** What an operator confirms when saving, not a property of the thing. */
const NOT_COMPARED: ReadonlySet<string> = new Set(["confirmLong"]);

/**
 * The ordered steps from one workspace to another: first what is made or changed, referred things before those that refer to them, then, only
 * with `prune`, what is deleted, in the opposite order. Empty when nothing differs. Both must be in normal form.
 */
export function diffWorkspaces(
  current: SettledWorkspace,
  wanted: SettledWorkspace,
  options: { readonly prune: boolean },
): readonly WorkspaceChange[] {
  const made = SECTIONS.flatMap((section) => madeIn(section, current[section], wanted[section]));
  if (!options.prune) return made;
  const deleted = SECTIONS.toReversed().flatMap((section) => {
    const kept = new Set(wanted[section].map((entry) => entry.key));
    const gone = current[section].filter((entry) => !kept.has(entry.key)).map((entry) => entry.key);
    return gone.toSorted().map((key): WorkspaceChange => ({ action: "delete", kind: KIND_OF_SECTION[section], key, changes: [] }));
  });
  return [...made, ...deleted];
}

interface Entry {
  readonly key: string;
}

function madeIn(section: WorkspaceSection, current: readonly Entry[], wanted: readonly Entry[]): readonly WorkspaceChange[] {
  const known = new Map(current.map((entry) => [entry.key, entry]));
  const kind = KIND_OF_SECTION[section];
  const sorted = wanted.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  return sorted.flatMap((entry): readonly WorkspaceChange[] => {
    const before = known.get(entry.key);
    if (before === undefined) return [{ action: "create", kind, key: entry.key, changes: saidOf(section, entry) }];
    const changes = differences("", before, entry);
    return changes.length === 0 ? [] : [{ action: "update", kind, key: entry.key, changes }];
  });
}

/** What a person would write about a new thing: the defaults tell nothing. */
function saidOf(section: WorkspaceSection, entry: Entry): readonly FieldChange[] {
  const minimal = (minimalEntry[section] as (entry: Entry) => { readonly [name: string]: unknown })(entry);
  return Object.entries(minimal)
    .filter(([name]) => name !== "key" && !NOT_COMPARED.has(name))
    .map(([path, after]) => ({ path, before: undefined, after }));
}

/** What differs between two JSON values, path by path. */
export function fieldChanges(before: unknown, after: unknown): readonly FieldChange[] {
  return differences("", before, after);
}

function differences(path: string, before: unknown, after: unknown): readonly FieldChange[] {
  if (equalJson(before, after)) return [];
  if (isObject(before) && isObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => path !== "" || !NOT_COMPARED.has(name));
    return names.flatMap((name) => differences(path === "" ? name : `${path}.${name}`, before[name], after[name]));
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length && before.every(isObject)) {
    return before.flatMap((item, index) => differences(`${path}[${index}]`, item, after[index]));
  }
  return [{ path, before, after }];
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
