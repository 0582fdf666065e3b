import type { Story } from "./story.js";

interface HeldPair {
  readonly integrationId: number;
  readonly name: string;
  readonly ownHold: number | null;
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

/** After every step: who runs what, and what is held, by the tables and by the story's own reckoning. */
export async function checkStep(story: Story): Promise<void> {
  const [running, held, control, heldNow, releasedNow] = await Promise.all([
    story.database.sql<RunningRow[]>`
      select id, due_at as "dueAt", attempt, worker_id as "workerId", job_id as "jobId", integration_id as "integrationId", trigger from run where state = 'running'`,
    story.database.sql<HeldPair[]>`
      select m.integration_id as "integrationId", coalesce(w.key || '/' || o.local_start, h.id::text) as name,
        case when h.kind = 'credentials' then h.id end as "ownHold"
      from hold_member as m join hold as h on h.id = m.hold_id
      left join occurrence as o on o.id = h.occurrence_id left join maintenance_window as w on w.id = o.window_id
      where m.released_at is null and m.begins_at <= app_now() and m.mode = 'enforce'`,
    story.database.sql<{ stale: boolean }[]>`select expanded_until <= app_now() as stale from control`,
    story.database.sql<
      { id: string; integrationId: number }[]
    >`select id, integration_id as "integrationId" from run where state = 'held' and held_since = app_now()`,
    story.database.sql<{ id: string; integrationId: number; state: string }[]>`
      select id, integration_id as "integrationId", state from run where released_at = app_now() and state in ('queued', 'skipped', 'coalesced')`,
  ]);
  syncHolders(story, running);
  learnCredentialHolds(story, held);
  for (const row of releasedNow) if (story.isNewly(row.id, "released")) story.releasedInStep(row);
  story.endStep(heldNow.filter((row) => story.isNewly(row.id, "held")).map((row) => story.integrationOf(row.integrationId)));
  if (control[0]?.stale ?? false) {
    // What holds now is not written down. The claim must start nothing, which the starts of the step have shown or not.
    return;
  }
  compareHolds(story, held);
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
