import { dueTimes } from "@quiesce/core";
import { conservation } from "../../packages/server/src/runs/ledger.js";
import type { Story } from "./story.js";

interface LedgerRow {
  readonly jobKey: string;
  readonly version: number;
  readonly dueAt: number;
  readonly lastDueAt: number;
  readonly dueCount: number;
}

/** Law 2: the due times that the schedules' history expects are those in the run table, each once. Zero differences. */
export async function checkConservation(story: Story): Promise<number> {
  const until = story.now + 1;
  const rows = await story.database.sql<LedgerRow[]>`
    select j.key as "jobKey", r.schedule_version as version, r.due_at as "dueAt", r.last_due_at as "lastDueAt", r.due_count as "dueCount"
    from run as r join job as j on j.id = r.job_id where r.trigger = 'schedule' and r.due_at < ${until}::timestamptz order by r.due_at`;
  const byVersion = new Map<string, LedgerRow[]>();
  for (const row of rows) {
    const name = `${row.jobKey}/${row.version}`;
    byVersion.set(name, [...(byVersion.get(name) ?? []), row]);
  }
  let total = 0;
  for (const job of story.world.jobs.values()) {
    for (const [index, { schedule, from, to }] of job.history.entries()) {
      const end = Math.min(to ?? until, until);
      const expected =
        schedule === null || end <= from
          ? []
          : dueTimes(schedule, { from, to: end, limit: 1_000_000 }, story.zones).map((due) => due.dueAt);
      total += expected.length;
      compareDues(story, `${job.key}, version ${index + 1}`, expected, byVersion.get(`${job.key}/${index + 1}`) ?? []);
      byVersion.delete(`${job.key}/${index + 1}`);
    }
  }
  if (byVersion.size > 0) story.broken(`there are runs of schedules that never were: ${[...byVersion.keys()].join(", ")}`);
  const ledger = await conservation(story.database.db, story.zones, { from: story.world.startsAt, to: until });
  if (ledger.differences.length > 0) story.broken(`the ledger differs: ${JSON.stringify(ledger.differences.slice(0, 3))}`);
  if (ledger.expected !== total || ledger.accounted !== total) {
    story.broken(`${total} due times are expected, the ledger expects ${ledger.expected} and accounts for ${ledger.accounted}`);
  }
  return total;
}

function compareDues(story: Story, name: string, expected: readonly number[], rows: readonly LedgerRow[]): void {
  const open = new Set(expected);
  const say = (dueAt: number) => new Date(dueAt).toISOString();
  for (const row of rows) {
    const inside = row.dueCount === 1 ? [row.dueAt] : expected.filter((dueAt) => dueAt >= row.dueAt && dueAt <= row.lastDueAt);
    if (inside.length !== row.dueCount)
      story.broken(
        `${name}: the run due ${say(row.dueAt)} to ${say(row.lastDueAt)} stands for ${row.dueCount} due times, there are ${inside.length}`,
      );
    for (const dueAt of inside) if (!open.delete(dueAt)) story.broken(`${name}: ${say(dueAt)} is accounted for twice or was never due`);
  }
  for (const dueAt of open) story.broken(`${name}: ${say(dueAt)} was due and has no run`);
}

/** After everything is over nothing stays held, queued, running or open. */
export async function checkNothingStays(story: Story): Promise<void> {
  const runs = await story.database.sql<{ id: string; state: string; trigger: string; dueAt: number }[]>`
    select id, state, trigger, due_at as "dueAt" from run where state in ('held', 'running') or (state = 'queued' and due_at <= app_now()) order by due_at limit 5`;
  if (runs.length > 0) story.broken(`these stay for ever: ${JSON.stringify(runs)}`);
  const jobs = await story.database.sql<{ key: string }[]>`select key from job where running_run_id is not null`;
  if (jobs.length > 0) story.broken(`${jobs.map((job) => job.key).join(", ")} would never run again`);
  const open = await story.database.sql<{ name: string }[]>`
    select coalesce(w.key || '/' || o.local_start, h.id::text) as name from hold as h
    left join occurrence as o on o.id = h.occurrence_id left join maintenance_window as w on w.id = o.window_id
    where (h.released_at is null and h.begins_at <= app_now()) or (o.starts_at <= app_now() and o.closed_at is null and o.cancelled_at is null)`;
  if (open.length > 0) story.broken(`these holds or occurrences stay open: ${open.map((one) => one.name).join(", ")}`);
  const orphans = await story.database.sql<{ n: number }[]>`
    select count(*)::integer as n from hold_member as m join hold as h on h.id = m.hold_id where m.released_at is null and h.released_at is not null`;
  if ((orphans[0]?.n ?? 0) > 0) story.broken(`${orphans[0]?.n} integrations are still held by holds that were released`);
}

/** Which event may follow which, by subject. `-` is the beginning. A run is queued at first; its row says so, no event. */
const runOrder: { readonly [state: string]: { readonly [event: string]: string } } = {
  "-": { "run.queued": "waiting", "run.started": "running", "run.held": "held", "run.finished": "over", "run.skipped": "over" },
  waiting: { "run.started": "running", "run.held": "held", "run.finished": "over" },
  running: { "run.finished": "over", "run.requeued": "waiting" },
  // Held once more: another hold has taken over.
  held: { "run.held": "held", "run.released": "waiting", "run.skipped": "over", "run.coalesced": "over", "run.finished": "over" },
  over: {},
};
const occurrenceOrder: typeof runOrder = {
  "-": {
    "window.opened": "open",
    "window.extended": "-",
    "window.cancelled": "over",
    "window.ended": "ended",
    "window.released": "released",
  },
  open: { "window.quiesced": "quiesced", "window.extended": "open", "window.ended": "ended", "window.released": "released" },
  quiesced: { "window.unquiesced": "open", "window.extended": "quiesced", "window.ended": "ended", "window.released": "released" },
  ended: { "window.released": "released" },
  released: { "window.closed": "over" },
  over: {},
};
const holdOrder: typeof runOrder = { "-": { "hold.created": "open" }, open: { "hold.released": "over" }, over: {} };

/** The events of each subject come in the order of their causes, and only such as can follow each other. */
export async function checkEventOrder(story: Story): Promise<number> {
  const events = await story.database.sql<{ kind: string; subject: string; localStart: string | null; at: number }[]>`
    select kind, subject_kind || ' ' || subject_key as subject, payload ->> 'localStart' as "localStart", at from event_inbox order by id`;
  const states = new Map<string, string>();
  for (const event of events) {
    const kind = event.subject.split(" ")[0];
    const order =
      kind === "run" ? runOrder : kind === "hold" ? holdOrder : kind === "window" && event.localStart !== null ? occurrenceOrder : null;
    if (order === null) continue;
    const name = event.localStart === null ? event.subject : `${event.subject}/${event.localStart}`;
    const state = states.get(name) ?? "-";
    const next = order[state]?.[event.kind];
    if (next === undefined) story.broken(`${event.kind} of ${name} at ${new Date(event.at).toISOString()} cannot follow: it is ${state}`);
    states.set(name, next);
  }
  for (const [name, state] of states)
    if (name.startsWith("run ") && state !== "over") story.broken(`the events of ${name} leave it ${state}`);
  return events.length;
}
