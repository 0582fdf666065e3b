import { ConnectorError, type Downtime, type RemoteDowntime } from "@quiesce/sdk";
import { noteCommanded, readCommanded, type CommandedDowntimes, type ScheduledNote } from "./commanded-downtimes.js";
import { commentText, sendCommands, type NagiosCommand } from "./nagios-command.js";
import { listDowntimes, type NagiosDowntime } from "./nagios-downtime-list.js";
import { localTime } from "./nagios-local-time.js";
import { nameOf, objectOf } from "./nagios-name.js";
import { configuredHosts } from "./nagios-objects.js";
import type { NagiosContext } from "./nagios-query.js";

const WINDOW_ID = /^[\w.:@+/-]{1,200}$/u;
const OUR_COMMENT = /^\[quiesce ([\w.:@+/-]{1,200})\] ?(.*)$/su;
const TITLE_CHARACTERS = 200;

/** Schedules a downtime for each resource that has none of this window, and removes those that differ. New ones first: no moment is left bare. */
export async function announceDowntime(x: NagiosContext, downtime: Downtime): Promise<{ readonly ids: readonly string[] }> {
  const wanted = wantedOf(downtime);
  const [standing, commanded] = [await listDowntimes(x), await readCommanded(x)];
  const isGoing = new Set(commanded.deleted.map((note) => note.id));
  const ours = standing.filter((one) => windowIdOf(one.comment) === downtime.windowId && !isGoing.has(one.id));
  const awaited = commanded.scheduled.filter((note) => note.windowId === downtime.windowId);
  const kept = new Map<string, NagiosDowntime>();
  for (const one of ours) {
    const name = nameOf(one.object);
    if (wanted.resources.has(name) && !kept.has(name) && isSame(x, one, wanted)) kept.set(name, one);
  }
  const awaitedOf = (name: string) => awaited.find((note) => note.resource === name && isSame(x, note, wanted));
  const missing = [...wanted.resources].filter((name) => !kept.has(name) && awaitedOf(name) === undefined);
  await requireObjects(x, missing);
  const schedule = missing.map((name): NagiosCommand => ({ kind: "schedule-downtime", object: objectOf(name), ...wanted }));
  const surplus = ours.filter((one) => kept.get(nameOf(one.object)) !== one);
  const notes = missing.map((resource): ScheduledNote => ({
    windowId: downtime.windowId,
    resource,
    ...wanted,
    atMs: x.clock.now().getTime(),
  }));
  await command(x, { commanded, notes, schedule, remove: surplus });
  const idOf = (name: string): string => {
    const note = awaitedOf(name) ?? notes.find((one) => one.resource === name);
    return kept.get(name)?.id.toString() ?? (note === undefined ? "" : commandedId(note));
  };
  return { ids: [...wanted.resources].map(idOf) };
}

/** Removes what was scheduled for a window, also what the status file does not show yet. */
export async function withdrawDowntime(x: NagiosContext, windowId: string): Promise<void> {
  requireWindowId(windowId);
  const [standing, commanded] = [await listDowntimes(x), await readCommanded(x)];
  const ours = standing.filter((one) => windowIdOf(one.comment) === windowId);
  const seen = new Set(ours.map((one) => nameOf(one.object)));
  const unseen = commanded.scheduled.filter((note) => note.windowId === windowId && !seen.has(note.resource));
  if (unseen.length > 0) {
    // Without its id it cannot be removed; whoever repeats this finds it.
    throw new ConnectorError("transient", `Nagios does not show the downtime of ${unseen[0]?.resource} yet, so it cannot be removed yet.`, {
      retryAfterMs: Math.min(x.config.statusDelaySeconds * 1_000, 5_000),
    });
  }
  const isGoing = new Set(commanded.deleted.map((note) => note.id));
  await command(x, { commanded, notes: [], schedule: [], remove: ours.filter((one) => !isGoing.has(one.id)) });
}

/** What Nagios shows, and what it was told within the last seconds: a downtime of ours is one entry a window, start and end. */
export async function listAnnounced(x: NagiosContext): Promise<readonly RemoteDowntime[]> {
  const [standing, commanded] = [await listDowntimes(x), await readCommanded(x)];
  const goes = new Set(commanded.deleted.map((note) => note.id));
  const listed = standing.filter((one) => !goes.has(one.id)).map(remoteOf);
  const isListed = (note: ScheduledNote): boolean =>
    standing.some((one) => windowIdOf(one.comment) === note.windowId && nameOf(one.object) === note.resource && isSame(x, one, note));
  const awaited = commanded.scheduled
    .filter((note) => !isListed(note))
    .map((note) => ({
      ...timesOf(note),
      id: commandedId(note),
      windowId: note.windowId,
      resources: [note.resource],
      title: note.title,
      author: x.config.user,
    }));
  return [...listed, ...awaited];
}

/** Stands for the id of a downtime that was commanded and is not in the status file yet. */
function commandedId(note: ScheduledNote): string {
  return `commanded ${note.resource} ${note.atMs}`;
}

interface Wanted {
  readonly resources: ReadonlySet<string>;
  readonly startMs: number;
  readonly endMs: number;
  readonly title: string;
  readonly comment: string;
}

function wantedOf(downtime: Downtime): Wanted {
  requireWindowId(downtime.windowId);
  const title = commentText(downtime.title).slice(0, TITLE_CHARACTERS);
  const startMs = secondOf(downtime.start);
  const endMs = Math.max(secondOf(downtime.end), startMs + 1_000);
  const resources = new Set(downtime.resources.map((name) => nameOf(objectOf(name))));
  return { resources, startMs, endMs, title, comment: `[quiesce ${downtime.windowId}] ${title}`.trim() };
}

function requireWindowId(windowId: string): void {
  if (WINDOW_ID.test(windowId)) return;
  throw new ConnectorError("invalid", "A window's id has at most 200 letters, digits and . : @ + / _ - in a comment of Nagios.", {
    field: "windowId",
  });
}

function secondOf(instant: string): number {
  return Math.floor(Date.parse(instant) / 1_000) * 1_000;
}

function windowIdOf(comment: string): string | undefined {
  return OUR_COMMENT.exec(comment)?.[1];
}

type Times = { readonly startMs: number; readonly endMs: number };

/** By a form only local times can be said, and one that comes twice in a night is Nagios's to choose: its text decides. */
function isSame(x: NagiosContext, one: Times, other: Times): boolean {
  if (one.startMs === other.startMs && one.endMs === other.endMs) return true;
  if (x.config.commandFile !== undefined) return false;
  const text = (instantMs: number): string => localTime(instantMs, { timeZone: x.config.timeZone, format: "iso8601" });
  return text(one.startMs) === text(other.startMs) && text(one.endMs) === text(other.endMs);
}

async function requireObjects(x: NagiosContext, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const absent = new Set(names);
  for await (const page of configuredHosts(x)) {
    for (const host of page) {
      absent.delete(host.name);
      for (const service of host.services) absent.delete(nameOf({ host: host.name, service }));
    }
    if (absent.size === 0) return;
  }
  const shown = [...absent].slice(0, 5).join(", ");
  throw new ConnectorError("not_found", `Nagios has no ${shown}, or does not show it to this user. A service is written host!service.`, {
    field: "resources",
  });
}

async function command(
  x: NagiosContext,
  work: {
    readonly commanded: CommandedDowntimes;
    readonly notes: readonly ScheduledNote[];
    readonly schedule: readonly NagiosCommand[];
    readonly remove: readonly NagiosDowntime[];
  },
): Promise<void> {
  const { commanded, notes, schedule, remove } = work;
  if (schedule.length + remove.length === 0) return;
  const atMs = x.clock.now().getTime();
  const isRemoved = (note: ScheduledNote): boolean =>
    remove.some((one) => windowIdOf(one.comment) === note.windowId && nameOf(one.object) === note.resource && isSame(x, one, note));
  await noteCommanded(x, {
    scheduled: [...commanded.scheduled.filter((note) => !isRemoved(note)), ...notes],
    deleted: [...commanded.deleted, ...remove.map((one) => ({ id: one.id, atMs }))],
  });
  const removal = remove.map((one): NagiosCommand => ({
    kind: "delete-downtime",
    type: one.object.service === undefined ? "host" : "service",
    id: one.id,
  }));
  try {
    await sendCommands(x, [...schedule, ...removal]);
  } catch (error) {
    // Nothing was done, or nobody knows: the notes must not hide what is missing.
    await noteCommanded(x, commanded);
    throw error;
  }
}

function remoteOf(one: NagiosDowntime): RemoteDowntime {
  const [, windowId, title] = OUR_COMMENT.exec(one.comment) ?? [];
  return {
    id: String(one.id),
    ...(windowId === undefined ? {} : { windowId }),
    ...timesOf(one),
    resources: [nameOf(one.object)],
    title: title ?? one.comment,
    ...(one.author === "" ? {} : { author: one.author }),
  };
}

function timesOf({ startMs, endMs }: Times): { readonly start: string; readonly end: string } {
  return { start: new Date(startMs).toISOString(), end: new Date(endMs).toISOString() };
}
