import { checkAborts } from "./drain.js";
import type { Story } from "./story.js";

interface HeldPair {
  readonly integrationId: number;
  readonly name: string;
  readonly ownHold: number | null;
  /** Its end has passed, and it waits for its systems or for first runs: how long is the systems' affair, not the plan's. */
  readonly waits: boolean;
}

interface RunningRow {
  readonly id: string;
  readonly dueAt: number;
  readonly attempt: number;
  readonly workerId: string;
  readonly jobId: number | null;
  readonly integrationId: number;
  readonly trigger: string;
}

interface Look {
  readonly stale: boolean;
  readonly running: readonly RunningRow[];
  readonly held: readonly HeldPair[];
  readonly heldNow: readonly { readonly id: string; readonly integrationId: number }[];
  readonly abortedNow: readonly { readonly id: string; readonly integrationId: number; readonly attempt: number }[];
  readonly releasedNow: readonly { readonly id: string; readonly integrationId: number; readonly state: string }[];
  readonly startedWaiting: readonly string[];
}

const letGo: ReadonlySet<string> = new Set(["queued", "skipped", "coalesced"]);

/** All that a check asks the tables, in one statement and so at one moment. */
async function look(story: Story): Promise<Look> {
  const rows = await story.database.sql<Look[]>`
    with clock as materialized (select app_now() as now)
    select
      (select expanded_until <= clock.now from control) as stale,
      (select coalesce(jsonb_agg(jsonb_build_object('id', id, 'dueAt', (extract(epoch from due_at) * 1000)::bigint, 'attempt', attempt, 'workerId', worker_id,
        'jobId', job_id, 'integrationId', integration_id, 'trigger', trigger) order by due_at, id), '[]') from run where state = 'running') as running,
      (select coalesce(jsonb_agg(jsonb_build_object('integrationId', m.integration_id, 'name', coalesce(w.key || '/' || o.local_start, h.id::text),
          'ownHold', case when h.kind = 'credentials' then h.id end, 'waits', h.canary_of is not null or o.verifying_at is not null) order by m.hold_id, m.integration_id), '[]')
        from hold_member as m join hold as h on h.id = m.hold_id
        left join occurrence as o on o.id = h.occurrence_id left join maintenance_window as w on w.id = o.window_id
        where m.released_at is null and m.begins_at <= clock.now and m.mode = 'enforce') as held,
      (select coalesce(jsonb_agg(jsonb_build_object('id', id, 'integrationId', integration_id) order by due_at, id), '[]')
        from run where state = 'held' and held_since = clock.now) as "heldNow",
      (select coalesce(jsonb_agg(jsonb_build_object('id', id, 'integrationId', integration_id, 'attempt', attempt) order by due_at, id), '[]')
        from run where abort_requested_at = clock.now) as "abortedNow",
      (select coalesce(jsonb_agg(jsonb_build_object('id', id, 'integrationId', integration_id, 'state', state) order by due_at, id), '[]')
        from run where released_at = clock.now) as "releasedNow",
      -- Past a window's end, while its systems are asked and while first runs are tried, nothing starts that may not pass.
      (select coalesce(jsonb_agg(r.id), '[]') from run as r join hold_member as m on m.integration_id = r.integration_id join hold as h on h.id = m.hold_id
        left join occurrence as o on o.id = h.occurrence_id
        where r.state = 'running' and r.started_at = clock.now and m.released_at is null and m.mode = 'enforce' and (select mode from control) = 'enforce'
          and m.begins_at < clock.now and (h.canary_of is not null or o.verifying_at < clock.now)
          and (r.passes_holds is null or h.id <> all (r.passes_holds))) as "startedWaiting"
    from clock`;
  return rows[0] ?? story.broken("the database's control row is gone");
}

/** After every step: who runs what, and what is held, by the tables and by the story's own reckoning. */
export async function checkStep(story: Story): Promise<void> {
  const { stale, running, held, heldNow, abortedNow, releasedNow, startedWaiting } = await look(story);
  syncHolders(story, running);
  learnCredentialHolds(story, held);
  story.holds.learnWaiting(held.filter((pair) => pair.waits).map((pair) => [story.integrationOf(pair.integrationId), pair.name]));
  if (startedWaiting.length > 0 && !story.holds.changedAt(story.now))
    story.broken(`${startedWaiting.join(", ")} started while a window that has ended waits`);
  // Whatever its state: one that has started at once may be given back later in the same instant.
  for (const row of releasedNow) if (story.isNewly(row.id, "released") && letGo.has(row.state)) story.releasedInStep(row);
  story.endStep(heldNow.filter((row) => story.isNewly(row.id, "held")).map((row) => story.integrationOf(row.integrationId)));
  checkAborts(story, abortedNow);
  await story.checkLeads();
  // What holds now is not written down. The claim must start nothing, which the starts of the step have shown or not.
  if (!stale) compareHolds(story, held);
}

/** What was taken back from a worker whose lease is over is nobody's any more; from a living one nothing may be taken. */
function syncHolders(story: Story, running: readonly RunningRow[]): void {
  const rows = new Map(running.map((row) => [row.id, row]));
  for (const [runId, holder] of story.holders) {
    const row = rows.get(runId);
    if (row?.workerId === holder.workerId && row.attempt === holder.attempt) continue;
    if (story.leaseEnd(holder) > story.now) story.broken(`run ${runId} was taken from ${holder.workerId}, whose lease has not ended`);
    story.holders.delete(runId);
  }
  // Claimed, but the answer never reached its server.
  for (const row of running) {
    if (story.holders.has(row.id)) continue;
    const { workerId, attempt, jobId, integrationId } = row;
    // It lost its lease, made room in the story's reckoning, and nobody has taken it back yet.
    if (story.knows(row.id, attempt) && story.leaseEnd({ ...row, gate: row.trigger === "gate" }) <= story.now)
      story.holders.set(row.id, { workerId, attempt, jobId, integrationId, gate: row.trigger === "gate" });
    else story.started({ ...row, runId: row.id, gate: row.trigger === "gate" });
  }
}

/** A refused password pauses an integration: the product's own doing, which the story takes over from the table. */
function learnCredentialHolds(story: Story, held: readonly HeldPair[]): void {
  for (const pair of held) {
    if (pair.ownHold === null || story.holds.pauses.has(pair.ownHold)) continue;
    story.holds.pauses.set(pair.ownHold, {
      scope: { integrations: [story.integrationOf(pair.integrationId)] },
      from: story.now,
      until: null,
    });
  }
}

/** Hold by hold and integration by integration: nothing that must hold is missing, nothing that was lifted still holds, and lifting one lifted no other. */
function compareHolds(story: Story, held: readonly HeldPair[]): void {
  if (story.holds.mode === "observe") return;
  const actual = new Map<string, Set<string>>();
  for (const pair of held) {
    const integration = story.integrationOf(pair.integrationId);
    const names = actual.get(integration) ?? new Set();
    if (names.has(pair.name)) story.broken(`${integration} is held twice by ${pair.name}`);
    actual.set(integration, names.add(pair.name));
  }
  for (const integration of story.world.integrations.keys()) {
    const names = actual.get(integration) ?? new Set();
    const expected = story.holds.covers(integration, story.now);
    for (const one of expected)
      if (one.certain && !names.has(one.name)) story.broken(`${integration} is in ${one.name} and not held by it`);
    const known = new Set(expected.map((one) => one.name));
    for (const name of names) if (!known.has(name)) story.broken(`${integration} is held by ${name}, which does not cover it (any more)`);
  }
}
