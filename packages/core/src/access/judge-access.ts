/** What is worth a word about how a principal uses its credentials. */
export type UnusualAccess =
  | { readonly kind: "access.new-network"; readonly network: string; readonly knownNetworks: number }
  | { readonly kind: "access.after-silence"; readonly silentDays: number }
  | { readonly kind: "access.denials"; readonly count: number; readonly withinSeconds: number }
  | { readonly kind: "access.searching"; readonly count: number; readonly withinSeconds: number }
  | { readonly kind: "access.bulk-read"; readonly count: number; readonly withinSeconds: number };

export type UnusualAccessKind = UnusualAccess["kind"];

/** So long without any use is silence. */
export const silentDays = 30;
const DAY_MS = 86_400_000;

/** What is counted of a principal, and how much of it within which time is unusual. */
export const unusualCounts = {
  /** Refused for want of a right: somebody tries what a stolen token may do. */
  "access.denials": { most: 20, withinSeconds: 60 },
  /** Asked for what is not there, or not theirs: somebody guesses names. */
  "access.searching": { most: 60, withinSeconds: 60 },
  /** Contents of records read: somebody carries them off. */
  "access.bulk-read": { most: 2_000, withinSeconds: 3_600 },
} as const satisfies { readonly [kind in UnusualAccessKind]?: { readonly most: number; readonly withinSeconds: number } };

export type CountedAccess = keyof typeof unusualCounts;

/** A network that a principal came from, and when it was last seen there, in epoch milliseconds. */
export interface KnownNetwork {
  readonly network: string;
  readonly lastSeenAt: number;
}

/** What is unusual about a principal that comes from a network now. The first network of all is where it lives. */
export function judgeArrival(
  arrival: { readonly network: string; readonly known: readonly KnownNetwork[] },
  now: number,
): readonly UnusualAccess[] {
  const { network, known } = arrival;
  if (known.length === 0) return [];
  const isNew = known.every((one) => one.network !== network);
  const silentMs = now - Math.max(...known.map(({ lastSeenAt }) => lastSeenAt));
  return [
    ...(isNew ? [{ kind: "access.new-network", network, knownNetworks: known.length } as const] : []),
    ...(silentMs >= silentDays * DAY_MS ? [{ kind: "access.after-silence", silentDays: Math.floor(silentMs / DAY_MS) } as const] : []),
  ];
}

/** So many within a time that began at a moment, in milliseconds of any steady clock. */
export interface AccessTally {
  readonly sinceMs: number;
  readonly count: number;
}

/** Counts on, and says so at the one moment at which a count becomes unusual. */
export function countAccess(
  kind: CountedAccess,
  before: AccessTally | undefined,
  more: { readonly count: number; readonly nowMs: number },
): { readonly tally: AccessTally; readonly found: UnusualAccess | null } {
  const { most, withinSeconds } = unusualCounts[kind];
  const goesOn = before !== undefined && more.nowMs - before.sinceMs < withinSeconds * 1_000;
  const tally = { sinceMs: goesOn ? before.sinceMs : more.nowMs, count: (goesOn ? before.count : 0) + more.count };
  const crossed = tally.count >= most && tally.count - more.count < most;
  return { tally, found: crossed ? { kind, count: tally.count, withinSeconds } : null };
}
