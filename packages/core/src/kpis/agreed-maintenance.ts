import { intersectIntervals, type Interval, mergeIntervals, subtractIntervals, uniteIntervals } from "../time/intervals.js";
import { lengthOfIntervals } from "./availability.js";

/** What was agreed with those who use a service about maintenance that its availability does not answer for. */
export interface MaintenanceAgreement {
  /** Maintenance is announced at least so long before it begins. */
  readonly minimumNoticeMs: number;
  /** At most so much of it a calendar month, within the service's schedule; null: no limit. */
  readonly monthlyAllowanceMs: number | null;
  /** Only what somebody approved before it began counts; otherwise also what needs nobody's approval. */
  readonly needsApproval: boolean;
}

/** A stretch of maintenance as it was planned. What went on after `end` is downtime like any other. */
export interface PlannedMaintenance {
  readonly key: string;
  /** Its window's name for people. */
  readonly title: string;
  readonly start: number;
  readonly end: number;
  /** When it was made known as it took place; null: never. */
  readonly announcedAt: number | null;
  /** `not-needed`: no policy asks for it. */
  readonly approval: "not-needed" | "pending" | "approved" | "rejected";
}

/** Why maintenance is taken out of the net figure, or is not. */
export type MaintenanceReason = "counts" | "not-approved" | "not-announced" | "short-notice" | "allowance-used-up" | "allowance-in-part";

export interface MaintenanceVerdict {
  readonly maintenance: PlannedMaintenance;
  readonly reason: MaintenanceReason;
  /** The part that is taken out; what several cover is named by the first of them. */
  readonly counted: readonly Interval[];
}

/**
 * Which maintenance the agreement takes out of the net availability (M), each with its reason. The allowance of a month goes to what comes first; time
 * that two windows cover, and time out of schedule, costs none. `months` are the calendar months of the agreement's zone, whole ones: what is in
 * none of them does not count.
 */
export function agreedMaintenance(input: {
  readonly agreement: MaintenanceAgreement;
  readonly maintenance: readonly PlannedMaintenance[];
  readonly months: readonly { readonly start: number; readonly end: number }[];
  readonly schedule: readonly Interval[];
}): readonly MaintenanceVerdict[] {
  const { agreement, months } = input;
  const schedule = mergeIntervals(input.schedule);
  let counted: readonly Interval[] = [];
  const left = new Map(months.map((month) => [month, agreement.monthlyAllowanceMs ?? Number.POSITIVE_INFINITY]));
  const ordered = input.maintenance.toSorted((a, b) => a.start - b.start || a.end - b.end || (a.key < b.key ? -1 : 1));
  return ordered.map((maintenance): MaintenanceVerdict => {
    const refusal = refusalOf(maintenance, agreement);
    if (refusal !== null) return { maintenance, reason: refusal, counted: [] };
    const own: Interval[] = [];
    let wanted = false;
    let cut = false;
    for (const month of months) {
      const fresh = subtractIntervals(intersectIntervals([{ start: maintenance.start, end: maintenance.end }], [month]), counted);
      const room = left.get(month) ?? 0;
      const taken = firstOf(fresh, schedule, room);
      const spent = lengthOfIntervals(intersectIntervals(taken, schedule));
      left.set(month, room - spent);
      wanted ||= fresh.length > 0;
      cut ||= lengthOfIntervals(taken) < lengthOfIntervals(fresh);
      own.push(...taken);
    }
    counted = uniteIntervals(counted, own);
    const reason = !cut ? "counts" : own.length === 0 && wanted ? "allowance-used-up" : "allowance-in-part";
    return { maintenance, reason, counted: mergeIntervals(own) };
  });
}

function refusalOf(maintenance: PlannedMaintenance, agreement: MaintenanceAgreement): MaintenanceReason | null {
  const { approval, announcedAt, start } = maintenance;
  const isApproved = approval === "approved" || (approval === "not-needed" && !agreement.needsApproval);
  if (!isApproved) return "not-approved";
  if (announcedAt === null) return "not-announced";
  return start - announcedAt < agreement.minimumNoticeMs ? "short-notice" : null;
}

/** The first of the stretches, until `roomMs` of the schedule is in them. */
function firstOf(stretches: readonly Interval[], schedule: readonly Interval[], roomMs: number): readonly Interval[] {
  const taken: Interval[] = [];
  let room = roomMs;
  for (const stretch of stretches) {
    const { end } = stretch;
    const within = intersectIntervals([stretch], schedule);
    const lengthMs = lengthOfIntervals(within);
    if (lengthMs <= room) {
      taken.push(stretch);
      room -= lengthMs;
      continue;
    }
    const stop = instantAfter(within, room);
    if (stop > stretch.start) taken.push({ start: stretch.start, end: Math.min(stop, end ?? stop) });
    break;
  }
  return taken;
}

/** The instant at which so many milliseconds of the stretches are over. */
function instantAfter(stretches: readonly Interval[], lengthMs: number): number {
  let rest = lengthMs;
  for (const { start, end } of stretches) {
    const own = (end ?? Number.POSITIVE_INFINITY) - start;
    if (rest < own) return start + rest;
    rest -= own;
  }
  return stretches.at(-1)?.end ?? 0;
}
