import { ConnectorError, z, type Alert, type AlertPage, type Cursor, type Severity } from "@quiesce/sdk";
import { commentText, sendCommands } from "./nagios-command.js";
import { listDowntimes, type NagiosDowntime } from "./nagios-downtime-list.js";
import { nameOf, objectOf, type NagiosObject } from "./nagios-name.js";
import { configuredHosts, membersOf } from "./nagios-objects.js";
import { ask, askStatus, type NagiosContext } from "./nagios-query.js";

/** The log is read up to so long before now: what a second still brings is in it by then. */
const LOG_SETTLES_MS = 2_000;
/** After a longer pause the log is not read from its beginning: what ended meanwhile is absent from the snapshot all the same. */
const LONGEST_LOOK_BACK_MS = 86_400_000;
/** Alerts of one page; hosts take no endless ones. */
const PAGE_SIZE = 5_000;
/** Output of a check that is shown. */
const TITLE_CHARACTERS = 300;

const statusSchema = z.object({
  plugin_output: z.string().default(""),
  status: z.string(),
  state_type: z.string(),
  last_hard_state_change: z.number(),
  last_state_change: z.number(),
  problem_has_been_acknowledged: z.boolean().default(false),
  scheduled_downtime_depth: z.number().default(0),
  is_flapping: z.boolean().default(false),
});
type Status = z.output<typeof statusSchema>;
const hostStatusSchema = statusSchema.extend({ name: z.string() });
const serviceStatusSchema = statusSchema.extend({ host_name: z.string(), description: z.string() });

const entrySchema = z.object({
  timestamp: z.number(),
  object_type: z.enum(["host", "service"]),
  host_name: z.string().optional(),
  name: z.string().optional(),
  description: z.string().optional(),
  state: z.string(),
  plugin_output: z.string().default(""),
});

/** By the state's own name, hosts and services together: they share none. */
const SEVERITIES: { readonly [state: string]: Severity } = {
  down: "critical",
  unreachable: "major",
  critical: "critical",
  warning: "warning",
  unknown: "minor",
};
const RECOVERED = new Set(["up", "ok"]);

/**
 * What ended since the last look, from the log, then everything that is wrong now. Only hard states: a soft one is a check that Nagios
 * has not yet repeated often enough to believe it.
 */
export async function* pullAlerts(x: NagiosContext, request: { readonly cursor: Cursor | null }): AsyncGenerator<AlertPage, void, void> {
  const hosts = await askStatus(x, { query: "hostlist", details: "true", hoststatus: "down unreachable" });
  const services = await askStatus(x, { query: "servicelist", details: "true", servicestatus: "warning critical unknown" });
  const wrong = [
    ...membersOf(hosts.data, "hostlist", hostStatusSchema).map((one) => ({ object: { host: one.name }, status: one as Status })),
    ...membersOf(services.data, "servicelist", z.record(z.string(), serviceStatusSchema))
      .flatMap((ofHost) => Object.values(ofHost))
      .map((one) => ({ object: { host: one.host_name, service: one.description }, status: one as Status })),
  ].filter(({ status }) => status.state_type === "hard");
  const facts = wrong.length === 0 ? { parents: new Map<string, readonly string[]>(), downtimes: [] } : await surroundings(x);
  const untilMs = Math.min(hosts.queriedAtMs, services.updatedAtMs) - LOG_SETTLES_MS;
  const ended = await endedSince(x, { cursor: request.cursor, untilMs });
  const alerts = [...ended, ...wrong.map((one) => firing(x, one, facts))];
  for (let first = 0; first === 0 || first < alerts.length; first += PAGE_SIZE) {
    const page = alerts.slice(first, first + PAGE_SIZE);
    yield { alerts: page, cursor: { until: untilMs }, snapshot: true, more: first + PAGE_SIZE < alerts.length };
  }
}

/** Says that somebody has taken it: sticky, so that it holds until the recovery. A problem that has ended needs none. */
export async function acknowledgeAlert(x: NagiosContext, alertId: string, note: string): Promise<void> {
  await sendCommands(x, [{ kind: "acknowledge", object: objectOf(alertId), comment: commentText(note) || "acknowledged" }]);
}

interface Surroundings {
  /** The hosts that a host lies behind. */
  readonly parents: ReadonlyMap<string, readonly string[]>;
  readonly downtimes: readonly NagiosDowntime[];
}

async function surroundings(x: NagiosContext): Promise<Surroundings> {
  const parents = new Map<string, readonly string[]>();
  for await (const page of configuredHosts(x)) for (const host of page) parents.set(host.name, host.parent_hosts);
  return { parents, downtimes: await listDowntimes(x) };
}

function firing(x: NagiosContext, wrong: { readonly object: NagiosObject; readonly status: Status }, facts: Surroundings): Alert {
  const { object, status } = wrong;
  const name = nameOf(object);
  const behind = facts.parents.get(object.host) ?? [];
  const isQuiet = (one: NagiosDowntime): boolean =>
    one.isInEffect && one.object.host === object.host && (one.object.service === undefined || one.object.service === object.service);
  const suppressedBy = facts.downtimes.filter(isQuiet).map((one) => `downtime ${one.id}`);
  // The downtime began between two requests: that there is one is known, which one is not.
  if (status.scheduled_downtime_depth > 0 && suppressedBy.length === 0) suppressedBy.push("downtime");
  if (status.is_flapping) suppressedBy.push("flapping");
  const startedAtMs = status.last_hard_state_change > 0 ? status.last_hard_state_change : status.last_state_change;
  return {
    id: name,
    fingerprint: name,
    status: "firing",
    severity: severityOf(status.status, name),
    title: titleOf(name, status.plugin_output === "" ? status.status : status.plugin_output),
    startsAt: new Date(startedAtMs > 0 ? startedAtMs : x.clock.now().getTime()).toISOString(),
    resource: resourceOf(object, behind),
    ...(suppressedBy.length === 0 ? {} : { suppressedBy }),
    ...(status.problem_has_been_acknowledged ? { acknowledgedBy: "Nagios" } : {}),
  };
}

/** Recoveries of the log in (last look, until]: also of what began and ended between two looks. */
async function endedSince(
  x: NagiosContext,
  range: { readonly cursor: Cursor | null; readonly untilMs: number },
): Promise<readonly Alert[]> {
  const { untilMs } = range;
  const last = range.cursor?.["until"];
  if (typeof last !== "number") return [];
  const sinceMs = Math.max(last, untilMs - LONGEST_LOOK_BACK_MS);
  if (sinceMs >= untilMs) return [];
  const { data } = await ask(x, "archivejson", {
    query: "alertlist",
    statetypes: "hard",
    // Answers are in milliseconds, parameters in seconds.
    starttime: String(Math.floor(sinceMs / 1_000)),
    endtime: String(Math.floor(untilMs / 1_000)),
  });
  const parsed = z.array(entrySchema).safeParse(data["alertlist"] ?? []);
  if (!parsed.success) throw new ConnectorError("contract", "Nagios's alertlist is not of the agreed shape.");
  const began = new Map<string, number>();
  return parsed.data.flatMap((entry): readonly Alert[] => {
    const host = entry.host_name ?? entry.name;
    if (host === undefined || entry.timestamp <= sinceMs || entry.timestamp > untilMs) return [];
    const object = entry.object_type === "host" || entry.description === undefined ? { host } : { host, service: entry.description };
    const name = nameOf(object);
    if (!RECOVERED.has(entry.state)) {
      if (!began.has(name)) began.set(name, entry.timestamp);
      return [];
    }
    const startsAtMs = began.get(name) ?? sinceMs;
    began.delete(name);
    return [
      {
        id: name,
        fingerprint: name,
        status: "resolved",
        severity: "info",
        title: titleOf(name, entry.plugin_output === "" ? entry.state : entry.plugin_output),
        startsAt: new Date(startsAtMs).toISOString(),
        endsAt: new Date(entry.timestamp).toISOString(),
        resource: resourceOf(object, []),
      },
    ];
  });
}

function severityOf(state: string, name: string): Severity {
  const severity = SEVERITIES[state];
  if (severity !== undefined) return severity;
  throw new ConnectorError("contract", `Nagios says that ${name} is "${state.slice(0, 50)}", which is no state of a problem.`);
}

function titleOf(name: string, output: string): string {
  return `${name}: ${output}`.replaceAll(/\s+/gu, " ").slice(0, TITLE_CHARACTERS);
}

function resourceOf(object: NagiosObject, behind: readonly string[]): Alert["resource"] {
  const parents = object.service === undefined ? behind : [object.host, ...behind];
  return { kind: object.service === undefined ? "host" : "service", name: nameOf(object), ...(parents.length === 0 ? {} : { parents }) };
}
