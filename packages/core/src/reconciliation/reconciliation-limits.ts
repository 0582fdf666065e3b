/** How much one comparison may take in and keep. */
export const RECONCILIATION_LIMITS = {
  /** A side that has to be read whole to be compared may have so many records in a stream. */
  readRecords: 2_000_000,
  /** Keys asked for at once. */
  keysOfPage: 20_000,
  buckets: 1_024,
  /** Differences that are kept by key, a stream; what is beyond is counted only. */
  differences: 100_000,
  /** Differences of each kind that are shown with their values. */
  samples: 20,
  /** A side that is compared by its own hashes is read, to show values, if it has no more records than this. */
  sampledRecords: 100_000,
  /** Comparisons that are kept, an integration. */
  kept: 200,
} as const;
