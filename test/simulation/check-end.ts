import { dueTimes } from "@quiesce/core";
import { conservation } from "../../packages/server/src/runs/ledger.js";
import { zoneDataOf } from "../../packages/server/src/zone-data/zone-data-files.js";
import type { Story } from "./story.js";
import type { Tally } from "./tally.js";
import { firstZoneData } from "./zone-data.js";

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
  const firstZones = zoneDataOf(firstZoneData());
  let total = 0;
  for (const job of story.world.jobs.values()) {
    for (const [index, { schedule, from, to, zones }] of job.history.entries()) {
      const ofVersion = byVersion.get(`${job.key}/${index + 1}`) ?? [];
      // When the clock was set back, a row may reach past now.
      const reach = ofVersion.reduce((last, row) => Math.max(last, row.lastDueAt + 1), until);
      const end = Math.min(to ?? reach, reach);
      const all =
        schedule === null || end <= from
          ? []
          : dueTimes(schedule, { from, to: end, limit: 1_000_000 }, zones ?? firstZones).map((due) => due.dueAt);
      const expected = all.filter((dueAt) => dueAt < until);
      total += expected.length;
      compareDues(story, { name: `${job.key}, version ${index + 1}`, all, expected, rows: ofVersion });
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

interface Comparison {
  readonly name: string;
  /** What the schedule says, as far as the rows reach. */
  readonly all: readonly number[];
  /** Of these what has fallen due by now. */
  readonly expected: readonly number[];
  readonly rows: readonly LedgerRow[];
}

function compareDues(story: Story, { name, all, expected, rows }: Comparison): void {
  const open = new Set(all);
  const say = (dueAt: number) => new Date(dueAt).toISOString();
  for (const row of rows) {
    const inside = row.dueCount === 1 ? [row.dueAt] : all.filter((dueAt) => dueAt >= row.dueAt && dueAt <= row.lastDueAt);
    if (inside.length !== row.dueCount)
      story.broken(
        `${name}: the run due ${say(row.dueAt)} to ${say(row.lastDueAt)} stands for ${row.dueCount} due times, there are ${inside.length}`,
      );
    for (const dueAt of inside) if (!open.delete(dueAt)) story.broken(`${name}: ${say(dueAt)} is accounted for twice or was never due`);
  }
  for (const dueAt of expected) if (open.has(dueAt)) story.broken(`${name}: ${say(dueAt)} was due and has no run`);
}

/** How often what the tables alone tell took place. */
export async function countFeatures(story: Story): Promise<void> {
  const rows = await story.database.sql<Pick<Tally, "canaries" | "ramped" | "overrides">[]>`
    select (select count(*)::integer from canary where not follows) as canaries,
      (select count(*)::integer from resume_batch where last_at > at) as ramped,
      (select count(*)::integer from resume_batch as b join hold as h on h.id = b.hold_id where h.catch_up is not null) as overrides`;
  Object.assign(story.tally, rows[0]);
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

/** A release under the catch-up policy that starts every due time by itself. */
const releasedAlone = "run.released, each alone";

/** Which event may follow which, by subject. `-` is the beginning. A run is queued at first; its row says so, no event. */
const runOrder: { readonly [state: string]: { readonly [event: string]: string } } = {
  "-": {
    "run.queued": "waiting",
    "run.started": "running",
    "run.held": "held",
    "run.finished": "over",
    "run.skipped": "over",
    "run.postponed": "waiting",
    // A due time that leaves the range which was held for it: its first word is that it may go.
    [releasedAlone]: "waiting",
  },
  waiting: {
    "run.postponed": "waiting",
    "run.unpostponed": "waiting",
    "run.started": "running",
    "run.held": "held",
    "run.finished": "over",
  },
  running: { "run.finished": "over", "run.requeued": "waiting", "run.aborted": "waiting" },
  // Held once more: another hold has taken over.
  held: {
    "run.held": "held",
    "run.released": "waiting",
    [releasedAlone]: "waiting",
    "run.skipped": "over",
    "run.coalesced": "over",
    "run.finished": "over",
  },
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
  open: {
    "window.drain-deadline-passed": "open",
    "window.quiesced": "quiesced",
    "window.extended": "open",
    "window.ended": "ended",
    "window.verification-started": "verifying",
    "window.released": "released",
  },
  quiesced: {
    "window.drain-deadline-passed": "quiesced",
    "window.unquiesced": "open",
    "window.extended": "quiesced",
    "window.ended": "ended",
    "window.verification-started": "verifying",
    "window.released": "released",
  },
  ended: { "window.verification-started": "verifying", "window.released": "released" },
  verifying: {
    "window.readiness-checked": "verifying",
    "window.readiness-asked": "verifying",
    "window.overrun": "verifying",
    "window.quiesced": "verifying",
    "window.unquiesced": "verifying",
    "window.drain-deadline-passed": "verifying",
    "window.extended": "longer",
    "window.released": "released",
  },
  // Quiesced or not: it was either before its end.
  longer: {
    "window.quiesced": "longer",
    "window.unquiesced": "longer",
    "window.drain-deadline-passed": "longer",
    "window.extended": "longer",
    "window.ended": "ended",
    "window.verification-started": "verifying",
    "window.released": "released",
  },
  released: { "window.reheld": "reheld", "window.readiness-asked": "released", "window.closed": "over" },
  reheld: {
    "window.readiness-checked": "reheld",
    "window.readiness-asked": "reheld",
    "window.overrun": "reheld",
    "window.canaries-retried": "released",
    // The hold that tried the first runs was lifted by hand.
    "window.closed": "over",
  },
  over: {},
};
const holdOrder: typeof runOrder = { "-": { "hold.created": "open" }, open: { "hold.released": "over" }, over: {} };

/** What is told of an occurrence beforehand, beside what becomes of it. */
const announcementOrder: typeof runOrder = {
  "-": { "window.announced": "told", "window.opened": "begun", "window.unapproved": "-" },
  // Unapproved, where an edit of what was told wants another word.
  told: { "window.unapproved": "told", "window.replanned": "told", "window.retracted": "-", "window.opened": "begun" },
  // Whose beginning is the first that is told is not announced any more; that it ends at another time is.
  begun: { "window.replanned": "begun" },
};
const ofFreezes: ReadonlySet<string> = new Set(["window.freeze-overridden", "window.freeze-entered"]);
const announcing: ReadonlySet<string> = new Set(["window.announced", "window.unapproved", "window.replanned", "window.retracted"]);

interface StoredEvent {
  readonly kind: string;
  readonly subjectKind: string;
  readonly subjectKey: string;
  readonly localStart: string | null;
  readonly startsAt: string | null;
  readonly at: number;
}

/** One chain of events that follow each other. */
interface Chain {
  readonly name: string;
  readonly order: typeof runOrder;
}

/** The chains that an event belongs to; a window's own events have none. */
function chainsOf({ kind, subjectKind, subjectKey, localStart }: StoredEvent): readonly Chain[] {
  const name = `${subjectKind} ${subjectKey}`;
  if (subjectKind === "run") return [{ name, order: runOrder }];
  if (subjectKind === "hold") return [{ name, order: holdOrder }];
  // What is said about a freeze is said of the plan, whatever becomes of the occurrence.
  if (subjectKind !== "window" || localStart === null || ofFreezes.has(kind)) return [];
  const told = { name: `announcement of ${subjectKey}/${localStart}`, order: announcementOrder };
  const life = { name: `${name}/${localStart}`, order: occurrenceOrder };
  if (announcing.has(kind)) return [told];
  return kind === "window.opened" ? [life, told] : [life];
}

/** The events of each subject come in the order of their causes, and only such as can follow each other. */
export async function checkEventOrder(story: Story): Promise<number> {
  const events = await story.database.sql<StoredEvent[]>`
    select case when kind = 'run.released' and payload ->> 'reason' = 'catch-up-all' then ${releasedAlone} else kind end as kind, subject_kind as "subjectKind", subject_key as "subjectKey", payload ->> 'localStart' as "localStart", payload ->> 'startsAt' as "startsAt", at
    from event_inbox order by id`;
  const chains = new Map<string, string[]>();
  for (const event of events) {
    story.saw(event.kind);
    for (const { name, order } of chainsOf(event)) {
      // Nobody was told beforehand of what had begun when the first pass saw it.
      if (event.kind === "window.replanned" && event.startsAt !== null && Date.parse(event.startsAt) <= event.at && !chains.has(name))
        continue;
      const states = chains.get(name) ?? ["-"];
      follow(story, { name, order, event, states });
      chains.set(name, states);
    }
  }
  for (const [name, states] of chains)
    if (name.startsWith("run ") && states[0] !== "over") story.broken(`the events of ${name} leave it ${states[0]}`);
  return events.length;
}

/** The key of a cancelled window may be taken again, and with it the name of an occurrence: then the newer one is tried first. */
function follow(
  story: Story,
  input: { readonly name: string; readonly order: typeof runOrder; readonly event: StoredEvent; readonly states: string[] },
): void {
  const { name, order, event, states } = input;
  const last = states.length - 1;
  for (let index = last; index >= 0; index -= 1) {
    const next = order[states[index] ?? "-"]?.[event.kind];
    if (next === undefined) continue;
    states[index] = next;
    return;
  }
  const first = order["-"]?.[event.kind];
  const isReborn = event.subjectKind === "window" && story.holds.wasReborn(event.subjectKey);
  if (first === undefined || !isReborn)
    story.broken(`${event.kind} of ${name} at ${new Date(event.at).toISOString()} cannot follow: it is ${states[last]}`);
  states.push(first);
}
