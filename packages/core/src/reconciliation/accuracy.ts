/** How the records of a stream compare. A record is counted once. */
export interface ReconciliationCounts {
  readonly equal: number;
  readonly onlySource: number;
  readonly onlyTarget: number;
  readonly different: number;
  /** They changed while they were compared, so nothing is said of them. */
  readonly changing: number;
}

export const noReconciliationCounts: ReconciliationCounts = { equal: 0, onlySource: 0, onlyTarget: 0, different: 0, changing: 0 };

/** Records that differ. */
export function differencesIn(counts: ReconciliationCounts): number {
  return counts.onlySource + counts.onlyTarget + counts.different;
}

/** Equal records of all that either side has and that stood still, 0 to 1; 1 where there are none. */
export function accuracyRatio(counts: ReconciliationCounts): number {
  const all = counts.equal + differencesIn(counts);
  return all === 0 ? 1 : counts.equal / all;
}

/** The counts of several streams. */
export function sumReconciliationCounts(all: readonly ReconciliationCounts[]): ReconciliationCounts {
  return all.reduce(
    (sum, one) => ({
      equal: sum.equal + one.equal,
      onlySource: sum.onlySource + one.onlySource,
      onlyTarget: sum.onlyTarget + one.onlyTarget,
      different: sum.different + one.different,
      changing: sum.changing + one.changing,
    }),
    noReconciliationCounts,
  );
}
