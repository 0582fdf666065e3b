import type { DrainPolicy } from "@quiesce/core";
import type { CommandContext } from "../../packages/server/src/command.js";
import { breakGlass } from "../../packages/server/src/runs/break-glass.js";
import type { Database } from "../../packages/server/src/db/client.js";
import type { Random } from "./random.js";
import type { Story } from "./story.js";
import { hour, minute } from "./world.js";

/** How a window of the story drains: not seldom at once, and often with a lead that runs have to reckon with. */
export function makeDrain(random: Random): DrainPolicy {
  return {
    leadLimitMinutes: random.pick([0, 30, 120, 720]),
    deadlineMinutes: random.pick([null, 0, 0, 10]),
    atDeadline: random.pick(["abort", "abort", "leave"] as const),
  };
}

/**
 * Two jobs of three have run before the story begins, by hand, so that what they take is known: enough of eleven minutes, of two or of six hours, or one
 * run too few. No schedule expects these runs.
 */
export async function giveJobsAPast(story: Story): Promise<void> {
  const { database, random, world } = story;
  await database.sql`select ensure_run_partitions(app_now() - interval '3 days', app_now())`;
  for (const key of world.jobs.keys()) {
    const samples = random.pick([0, 19, 20, 40, 40]);
    const tookMs = random.pick([11 * minute, 2 * hour, 6 * hour]);
    if (samples > 0)
      await database.sql`
        insert into run (id, due_at, last_due_at, job_id, integration_id, bucket, trigger, state, ready_at, attempt, started_at, finished_at)
        select new_run_id(d), d, d, j.id, j.integration_id, i.bucket, 'manual', 'succeeded', d, 1, d, d + ${`${tookMs} milliseconds`}::interval
        from job as j join integration as i on i.id = j.integration_id
        cross join lateral (select app_now() - (n + 1) * interval '1 hour' as d from generate_series(1, ${samples}::integer) as n) as past where j.key = ${key}`;
    await database.sql`update job set durations_stale = ${samples > 0}, continuous = ${random.chance(0.1)} where key = ${key}`;
  }
}

/** What a job's runs take with their margin, where the guard before a window applies to it; by the job's id. */
export async function guardedLeads(
  database: Database,
): Promise<{ readonly leads: ReadonlyMap<number, number>; readonly expandedUntil: number }> {
  const rows = await database.sql<{ id: number | null; leadMs: number; expandedUntil: number }[]>`
    select j.id, j.finish_lead_ms as "leadMs", c.expanded_until as "expandedUntil"
    from control as c left join job as j on j.finish_lead_ms is not null and not j.continuous`;
  return {
    leads: new Map(rows.flatMap((row) => (row.id === null ? [] : [[row.id, row.leadMs] as const]))),
    expandedUntil: rows[0]?.expandedUntil ?? Number.NEGATIVE_INFINITY,
  };
}

/** A window that is about to begin over an integration. */
export interface Coming {
  readonly name: string;
  readonly start: number;
  readonly leadLimitMs: number;
}

/** The windows that a run of this lead would not finish before. */
export function notFinishedBefore(coming: readonly Coming[], facts: { readonly now: number; readonly leadMs: number }): readonly string[] {
  return coming
    .filter((one) => one.start < facts.now + Math.min(facts.leadMs, one.leadLimitMs))
    .map((one) => `${one.name} at ${one.start}`);
}

/** An operator lets a job pass an open window. The refusals that the product documents are answers. */
export async function orderBreakGlass(story: Story, context: CommandContext): Promise<void> {
  const { random, world, holds, now } = story;
  const passable = [...world.jobs.values()].flatMap((job) => holds.openOver(job.integration, now).map((one) => ({ ...one, job: job.key })));
  if (passable.length === 0) return;
  const { key, localStart, job } = random.pick(passable);
  const { runId } = await breakGlass(context, { job, window: key, localStart, reason: "because" });
  story.note(`break-glass ${job} through ${key}/${localStart}: ${runId}`);
  story.manualRuns.add(runId);
  story.passages.set(runId, `${key}/${localStart}`);
  story.tally.passages += 1;
}

/** Told to stop: only what runs on an integration that some window covers. */
export function checkAborts(
  story: Story,
  aborted: readonly { readonly id: string; readonly integrationId: number; readonly attempt: number }[],
): void {
  for (const one of aborted) {
    if (!story.isNewly(`${one.id}/${one.attempt}`, "aborted")) continue;
    story.tally.aborts += 1;
    const integration = story.integrationOf(one.integrationId);
    if (!story.wasCovered(integration) && story.holds.covers(integration, story.now).length === 0)
      story.broken(`run ${one.id} of ${integration} was told to stop, and nothing covers it`);
  }
}
