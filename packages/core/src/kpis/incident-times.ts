/** When somebody took an incident, and when it was over; null: not yet. */
export interface IncidentTimes {
  readonly openedAt: number;
  readonly acknowledgedAt: number | null;
  readonly resolvedAt: number | null;
}

/** How long something took, in ms. */
export interface TimesTaken {
  /** How many are over. */
  readonly count: number;
  readonly meanMs: number | null;
  readonly medianMs: number | null;
  readonly p90Ms: number | null;
  /** Those that are not over: how long they have taken until now is not in the figures above, which they would only make longer. */
  readonly censored: number;
  /** The longest of these until now. */
  readonly longestOpenMs: number | null;
}

/** Time to acknowledge and time to resolve of incidents, as of `now`. What was resolved before anybody took it was acknowledged then. */
export function incidentTimes(
  incidents: readonly IncidentTimes[],
  now: number,
): { readonly acknowledge: TimesTaken; readonly resolve: TimesTaken } {
  const taken = (endOf: (one: IncidentTimes) => number | null): TimesTaken => {
    const over = incidents.flatMap((one) => {
      const end = endOf(one);
      return end === null ? [] : [Math.max(0, end - one.openedAt)];
    });
    const open = incidents.filter((one) => endOf(one) === null).map(({ openedAt }) => Math.max(0, now - openedAt));
    return { ...figuresOf(over), censored: open.length, longestOpenMs: open.length === 0 ? null : Math.max(...open) };
  };
  return {
    acknowledge: taken(({ acknowledgedAt, resolvedAt }) => acknowledgedAt ?? resolvedAt),
    resolve: taken(({ resolvedAt }) => resolvedAt),
  };
}

function figuresOf(lengths: readonly number[]): Pick<TimesTaken, "count" | "meanMs" | "medianMs" | "p90Ms"> {
  const count = lengths.length;
  if (count === 0) return { count, meanMs: null, medianMs: null, p90Ms: null };
  const sorted = lengths.toSorted((a, b) => a - b);
  const middle = (count - 1) / 2;
  const median = ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
  // Nearest rank, as of histograms.
  const p90 = sorted[Math.ceil(0.9 * count) - 1] ?? 0;
  return { count, meanMs: lengths.reduce((sum, one) => sum + one, 0) / count, medianMs: median, p90Ms: p90 };
}
