import type { ZoneData } from "../time/zone-data.js";
import { type DueTime, dueTimes } from "./due-times.js";
import type { JobSchedule } from "./job-schedule.js";

/** A due time that other zone data move; null: the one data have no such time. */
export interface MovedDue {
  readonly local: string;
  readonly before: number | null;
  readonly after: number | null;
}

/** No zone data move a local time further than this. */
const LARGEST_MOVE_MS = 2 * 86_400_000;
/** Due times of one schedule that are looked at. */
const MAX_COMPARED = 10_000;

/**
 * The due times of a schedule in [from, to) that other zone data move, by time. What is due at the same instant by both has not moved, whatever its local
 * time is called: a job of every hour of the day just goes on. `truncated`: the schedule is due more often than is looked at.
 */
export function movedDues(
  schedule: JobSchedule,
  input: { readonly before: ZoneData; readonly after: ZoneData; readonly from: number; readonly to: number },
): { readonly moved: readonly MovedDue[]; readonly truncated: boolean } {
  const wide = { from: input.from - LARGEST_MOVE_MS, to: input.to + LARGEST_MOVE_MS, limit: MAX_COMPARED };
  const before = dueTimes(schedule, wide, input.before);
  const after = dueTimes(schedule, wide, input.after);
  const truncated = before.length === MAX_COMPARED || after.length === MAX_COMPARED;
  // Where the lists are cut, only the time that both cover can be compared.
  const to = truncated
    ? Math.min(input.to, (before.at(-1)?.dueAt ?? input.to) - LARGEST_MOVE_MS, (after.at(-1)?.dueAt ?? input.to) - LARGEST_MOVE_MS)
    : input.to;
  const isAsked = (instant: number) => instant >= input.from && instant < to;
  const [instantsBefore, instantsAfter] = [new Set(before.map((due) => due.dueAt)), new Set(after.map((due) => due.dueAt))];
  const nameOf = (due: DueTime) => `${due.local} ${due.pass}`;
  const names = new Map<string, { readonly local: string; readonly before?: number; readonly after?: number }>();
  for (const due of before) names.set(nameOf(due), { local: due.local, before: due.dueAt });
  for (const due of after) names.set(nameOf(due), { ...names.get(nameOf(due)), local: due.local, after: due.dueAt });
  const moved: MovedDue[] = [];
  for (const { local, before: was, after: is } of names.values()) {
    const isGone = was !== undefined && !instantsAfter.has(was);
    const hasCome = is !== undefined && !instantsBefore.has(is);
    if (!isGone && !hasCome) continue;
    if ((was !== undefined && isAsked(was)) || (is !== undefined && isAsked(is)))
      moved.push({ local, before: was ?? null, after: is ?? null });
  }
  return { moved: moved.toSorted((a, b) => (a.before ?? a.after ?? 0) - (b.before ?? b.after ?? 0)), truncated };
}
