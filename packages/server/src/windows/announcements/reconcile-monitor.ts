import { type AnnouncementStep, decideAnnouncements } from "@quiesce/core";
import { isConnectorError, type RemoteDowntime } from "@quiesce/sdk";
import { inTransaction, readNow } from "../../command.js";
import type { DowntimeCalls } from "../../connector-host/downtime-calls.js";
import type { Database, Tx } from "../../db/client.js";
import {
  beginAnnouncements,
  forgetRepair,
  type OpenAnnouncement,
  recordAnnounced,
  recordFailed,
  recordUnknownWithdrawn,
  recordWithdrawn,
  saveRemote,
} from "./announcement-store.js";
import { keepLook, type MonitorLook } from "./monitor-looks.js";
import { downtimeName, readPrefix, wantedDowntimes } from "./wanted-downtimes.js";

/** Trouble with the monitor itself, which the next step would have as well. All other is that of one announcement, and must not keep the rest. */
const TROUBLE_OF_MONITOR: ReadonlySet<string> = new Set(["unavailable", "timeout", "rate_limited", "auth", "cancelled"]);

export interface MonitorContext {
  readonly database: Database;
  readonly calls: DowntimeCalls;
}

/** How a look ended; `told`: the monitor was told something. */
export interface LookResult {
  readonly told: boolean;
  readonly error: string | null;
}

interface Work {
  readonly context: MonitorContext;
  readonly look: MonitorLook;
  readonly signal: AbortSignal;
  readonly rows: ReadonlyMap<string, OpenAnnouncement>;
  readonly listed: readonly RemoteDowntime[];
}

/**
 * Brings one monitor to what should be there: writes down what it is going to tell, asks what is there, and does what the difference wants, each step on
 * record after it was done. Killed at any point, the next look finds by the rows and the monitor's own list what is left to do.
 */
export async function reconcileMonitor(context: MonitorContext, look: MonitorLook, signal: AbortSignal): Promise<LookResult> {
  const { endpointId } = look;
  const { wanted, open, prefix } = await inTransaction(context, async (tx) => {
    const now = (await wantedDowntimes(tx)).get(endpointId) ?? [];
    return { wanted: now, open: await beginAnnouncements(tx, endpointId, now), prefix: await readPrefix(tx) };
  });
  const rows = new Map(open.map((row) => [downtimeName(prefix, row), row]));
  let listed: readonly RemoteDowntime[];
  try {
    listed = await context.calls.list(endpointId, signal);
  } catch (error) {
    if (!isConnectorError(error)) throw error;
    const names = new Set(wanted.map((one) => one.name));
    const waiting = [...rows].filter(([name, row]) => row.announcedAt === null || !names.has(name));
    if (error.kind !== "cancelled")
      await inTransaction(context, async (tx) => {
        for (const [, row] of waiting) await recordFailed(tx, look, row, error.message);
      });
    return { told: false, error: error.message };
  }
  const isOurs = (name: string): boolean => name.startsWith(prefix);
  const theirs = listed.filter((one) => one.windowId === undefined || !isOurs(one.windowId));
  await inTransaction(context, (tx) => saveRemote(tx, endpointId, theirs));
  const begun = [...rows].map(([name, row]) => ({ name, isConfirmed: row.announcedAt !== null }));
  const now = await readNow(context.database.db);
  const steps = decideAnnouncements({ wanted, begun, listed: listed.map(listedDowntime), isOurs }, now);
  return takeSteps({ context, look, signal, rows, listed }, steps);
}

function listedDowntime({ windowId, start, end, resources }: RemoteDowntime) {
  return { name: windowId, startsAt: Date.parse(start), endsAt: Date.parse(end), resources };
}

async function takeSteps(work: Work, steps: readonly AnnouncementStep[]): Promise<LookResult> {
  let told = false;
  let trouble: string | null = null;
  for (const step of steps) {
    // Somebody else has the monitor by now and knows better.
    if (!(await keepLook(work.context.database.db, work.look))) return { told, error: null };
    try {
      told = (await takeStep(work, step)) || told;
    } catch (error) {
      if (!isConnectorError(error)) throw error;
      const row = work.rows.get(step.name);
      if (row !== undefined) await inTransaction(work.context, (tx) => recordFailed(tx, work.look, row, error.message));
      if (TROUBLE_OF_MONITOR.has(error.kind)) return { told, error: error.message };
      trouble = error.message;
    }
  }
  return { told, error: trouble };
}

/** Does one step and writes it down. True when the monitor was told something. */
async function takeStep({ context, look, signal, rows, listed }: Work, step: AnnouncementStep): Promise<boolean> {
  const row = rows.get(step.name);
  const record = (write: (tx: Tx) => Promise<void>): Promise<void> => inTransaction(context, write);
  switch (step.kind) {
    case "confirm":
      // It was told, and whoever did died before writing it down.
      if (row?.announcedAt === null) await record((tx) => recordAnnounced(tx, look, { row, why: "due", ids: undefined, before: null }));
      else if (row !== undefined && (row.beforeRepair ?? row.lastError) !== null) await record((tx) => forgetRepair(tx, row));
      return false;
    case "announce": {
      if (row === undefined) throw new Error(`The downtime ${step.name} is to be announced and was not begun.`);
      const { name, startsAt, endsAt, resources, title, suppress } = step.downtime;
      const times = { start: new Date(startsAt).toISOString(), end: new Date(endsAt).toISOString() };
      const ids = await context.calls.announce(look.endpointId, { windowId: name, ...times, resources, title, suppress }, signal);
      const before = JSON.stringify(listed.filter((one) => one.windowId === name));
      // It looked just so before the last repair: this monitor cannot say it more exactly.
      if (step.why === "changed" && row.beforeRepair === before) return false;
      await record((tx) => recordAnnounced(tx, look, { row, why: step.why, ids, before }));
      return true;
    }
    case "withdraw":
      await context.calls.withdraw(look.endpointId, step.name, signal);
      await record((tx) => (row === undefined ? recordUnknownWithdrawn(tx, look, step.name) : recordWithdrawn(tx, look, row, true)));
      return true;
    case "close":
      if (row !== undefined) await record((tx) => recordWithdrawn(tx, look, row, false));
      return false;
  }
}
