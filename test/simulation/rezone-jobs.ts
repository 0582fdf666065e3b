import { dueTimes, type JobSchedule, parseCronExpression, type ZoneData } from "@quiesce/core";
import type { Story } from "./story.js";
import { day, type JobModel } from "./world.js";

interface VersionRow {
  readonly key: string;
  readonly version: number;
  readonly opensAt: number;
  readonly closedAt: number | null;
  readonly zoneDataVersion: string | null;
}

/**
 * After a change of the zone data each job in that zone has a new version of its schedule, and no other job has. Around the change no local time of
 * day is due twice, and none that the new data have still ahead is left out.
 */
export async function rezoneJobs(story: Story, input: { readonly timeZone: string; readonly before: ZoneData }): Promise<void> {
  const rows = await story.database.sql<VersionRow[]>`
    select j.key, s.version, s.valid_from as "opensAt", s.zone_data_version as "zoneDataVersion",
      (select p.valid_to from job_schedule as p where p.job_id = j.id and p.version = s.version - 1) as "closedAt"
    from job as j join job_schedule as s on s.job_id = j.id and s.version = j.schedule_version`;
  const versions = new Map(rows.map((row) => [row.key, row]));
  for (const job of story.world.jobs.values()) {
    const row = versions.get(job.key);
    const last = job.history.at(-1);
    if (row === undefined || last === undefined) story.broken(`${job.key} has no schedule`);
    const moves = last.schedule !== null && last.schedule.kind !== "interval" && last.schedule.timeZone === input.timeZone;
    const expected = job.history.length + (moves ? 1 : 0);
    if (row.version !== expected)
      story.broken(`after the zone data changed, ${job.key} has version ${row.version} of its schedule instead of ${expected}`);
    if (moves) reopen(story, { job, row, before: input.before });
  }
  const made = await story.database.sql<{ id: string }[]>`select id from run where trigger = 'reconcile'`;
  for (const { id } of made) story.noteUnscheduled(id);
}

function reopen(story: Story, input: { readonly job: JobModel; readonly row: VersionRow; readonly before: ZoneData }): void {
  const { job, row, before } = input;
  const last = job.history.at(-1);
  const { opensAt, closedAt } = row;
  if (last === undefined || last.schedule === null || closedAt === null) return story.broken(`${job.key} was rezoned and had no schedule`);
  const { now } = story;
  if (row.zoneDataVersion !== story.zones.version) story.broken(`${job.key} is computed with ${row.zoneDataVersion}`);
  if (closedAt !== Math.max(now, last.from) && closedAt !== now + 1)
    story.broken(`the schedule of ${job.key} was closed at ${closedAt}, the clock says ${now}`);
  if (opensAt < closedAt) story.broken(`two versions of the schedule of ${job.key} are in force at once`);
  if (!countsHours(last.schedule)) {
    const was = dueTimes(last.schedule, { from: Math.max(last.from, now - 3 * day), to: closedAt, limit: 100_000 }, before);
    const passed = new Set(was.map((due) => due.local));
    for (const due of dueTimes(last.schedule, { from: closedAt, to: closedAt + 3 * day, limit: 100_000 }, story.zones)) {
      const isAgain = passed.has(due.local);
      if (isAgain && due.dueAt >= opensAt) story.broken(`${job.key}: ${due.local} was due before the zone data changed and is due again`);
      if (!isAgain && due.dueAt < opensAt) story.broken(`${job.key}: ${due.local} is left out, the zone data changed before it`);
    }
  } else if (opensAt !== closedAt) story.broken(`${job.key} counts hours and stood still from ${closedAt} to ${opensAt}`);
  last.to = closedAt;
  job.history.push({ schedule: last.schedule, from: opensAt, to: null, zones: story.zones });
  story.tally.rezonedJobs += 1;
}

/** What counts elapsed hours comes again in an hour that comes again. */
const countsHours = (schedule: JobSchedule): boolean => schedule.kind === "cron" && parseCronExpression(schedule.expression).everyPass;
