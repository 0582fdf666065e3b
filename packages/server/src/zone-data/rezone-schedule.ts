import { dueTimes, type JobSchedule, parseCronExpression, type ZoneData } from "@quiesce/core";

/** No zone data move a local time further than this. */
const LARGEST_MOVE_MS = 2 * 86_400_000;
const MAX_DUES = 10_000;

/** What becomes of a schedule's due times near the moment at which other zone data come into force. */
export interface RezonedSchedule {
  /** The instant (epoch ms) from which the new data's due times count; after the change where local times would come a second time. */
  readonly opensAt: number;
  /** Local times that the old data had still ahead and the new ones have behind them: they would never have been due. */
  readonly passedOver: readonly string[];
}

/**
 * Other zone data that move the current offset are a clock change at the moment they come into force, and what names times of day is treated as on
 * such a night: a local time that was due already is not due again, one that is jumped over is made up for. What counts elapsed hours (an interval, a
 * cron expression with a wildcard or step hour) just goes on.
 */
export function rezoneSchedule(
  schedule: JobSchedule,
  input: { readonly before: ZoneData; readonly after: ZoneData; readonly at: number; readonly validFrom: number },
): RezonedSchedule {
  const { before, after, at } = input;
  const countsHours = schedule.kind === "interval" || (schedule.kind === "cron" && parseCronExpression(schedule.expression).everyPass);
  if (countsHours) return { opensAt: at, passedOver: [] };
  const near = { from: at - LARGEST_MOVE_MS, to: at + LARGEST_MOVE_MS, limit: MAX_DUES };
  const newDueAt = new Map(dueTimes(schedule, near, after).map((due) => [due.local, due.dueAt]));
  let opensAt = at;
  const passedOver: string[] = [];
  for (const due of dueTimes(schedule, near, before)) {
    const dueAt = newDueAt.get(due.local);
    if (dueAt === undefined) continue;
    if (due.dueAt < at && due.dueAt >= input.validFrom && dueAt >= at) opensAt = Math.max(opensAt, dueAt + 1);
    if (due.dueAt >= at && dueAt < at) passedOver.push(due.local);
  }
  return { opensAt, passedOver };
}
