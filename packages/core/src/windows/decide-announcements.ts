import type { DowntimeEffect } from "../catalog/monitor-schema.js";

/** So long before its start an occurrence is announced: the monitor then keeps quiet at the start whatever happens here. */
export const announceDowntimeLeadMs = 15 * 60_000;
/** A monitor may move a start that has passed to its own now, by a clock that differs by so much at most. */
const CLOCK_TOLERANCE_MS = 60_000;

/** A downtime that should be at one monitor. Instants are epoch milliseconds. */
export interface WantedDowntime {
  /** The occurrence's name there. */
  readonly name: string;
  readonly startsAt: number;
  readonly endsAt: number;
  /** At least one; without repeats. */
  readonly resources: readonly string[];
  readonly title: string;
  readonly suppress: DowntimeEffect;
}

/** A downtime that was begun to be announced, and is not known to be gone. */
export interface BegunDowntime {
  readonly name: string;
  /** It was there as it is wanted now: what is absent has been taken away, what differs was changed there. */
  readonly isConfirmed: boolean;
}

/** One entry of a monitor's own list. A downtime may be several entries, one a resource. */
export interface ListedDowntime {
  /** Absent: somebody made it there. */
  readonly name?: string | undefined;
  readonly startsAt: number;
  readonly endsAt: number;
  readonly resources: readonly string[];
}

/** Why a monitor is told. */
export type AnnounceReason =
  /** It was not told yet, or of other times and resources. */
  | "due"
  /** It was told, and somebody or a restart took it away. */
  | "lost"
  /** It has other times or resources than it was told. */
  | "changed"
  /** It has it more than once. */
  | "doubled";

/** What is to be done about one downtime at one monitor. */
export type AnnouncementStep =
  | { readonly kind: "confirm"; readonly name: string }
  | { readonly kind: "announce"; readonly name: string; readonly why: AnnounceReason; readonly downtime: WantedDowntime }
  /** `over`: it should not be there any more. `unknown`: nobody here has begun it (a restored backup); only ours are withdrawn. */
  | { readonly kind: "withdraw"; readonly name: string; readonly why: "over" | "unknown" }
  /** Neither wanted nor there. */
  | { readonly kind: "close"; readonly name: string };

/**
 * Compares what should be at one monitor with what is, and says what to do: nothing twice, nothing forgotten, whatever was interrupted when. `isOurs`
 * tells names of this deployment from those of others, which are left alone. What must be announced comes before what is withdrawn.
 */
export function decideAnnouncements(
  facts: {
    readonly wanted: readonly WantedDowntime[];
    readonly begun: readonly BegunDowntime[];
    readonly listed: readonly ListedDowntime[];
    readonly isOurs: (name: string) => boolean;
  },
  now: number,
): readonly AnnouncementStep[] {
  const entries = new Map<string, ListedDowntime[]>();
  for (const one of facts.listed) {
    // What has ended there by itself silences nothing.
    if (one.name === undefined || one.endsAt <= now || !facts.isOurs(one.name)) continue;
    entries.set(one.name, [...(entries.get(one.name) ?? []), one]);
  }
  const begun = new Map(facts.begun.map((one) => [one.name, one]));
  const wanted = new Set(facts.wanted.map((one) => one.name));
  const told = facts.wanted.map((downtime): AnnouncementStep => {
    const { name } = downtime;
    const found = entries.get(name) ?? [];
    const difference = differenceOf(downtime, found, now);
    if (difference === null) return { kind: "confirm", name };
    return { kind: "announce", name, why: begun.get(name)?.isConfirmed === true ? difference : "due", downtime };
  });
  const names = new Set([...begun.keys(), ...entries.keys()]);
  const ended = [...names]
    .filter((name) => !wanted.has(name))
    .toSorted()
    .map((name): AnnouncementStep => {
      if (!entries.has(name)) return { kind: "close", name };
      return { kind: "withdraw", name, why: begun.has(name) ? "over" : "unknown" };
    });
  return [...told, ...ended];
}

function differenceOf(wanted: WantedDowntime, found: readonly ListedDowntime[], now: number): Exclude<AnnounceReason, "due"> | null {
  if (found.length === 0) return "lost";
  const resources = found.flatMap((one) => one.resources);
  const distinct = new Set(resources);
  const isSame =
    found.every((one) => hasTimes(wanted, one, now)) &&
    distinct.size === wanted.resources.length &&
    wanted.resources.every((name) => distinct.has(name));
  if (!isSame) return "changed";
  return resources.length > distinct.size ? "doubled" : null;
}

/** To the second, as monitors keep them; a start that has passed says nothing any more. */
function hasTimes(wanted: WantedDowntime, found: ListedDowntime, now: number): boolean {
  const second = (instant: number): number => Math.floor(instant / 1_000);
  if (second(wanted.endsAt) !== second(found.endsAt)) return false;
  const hasBegun = wanted.startsAt <= now && found.startsAt <= now + CLOCK_TOLERANCE_MS;
  return hasBegun || second(wanted.startsAt) === second(found.startsAt);
}
