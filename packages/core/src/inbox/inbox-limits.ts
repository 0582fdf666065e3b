/** How much may be pushed at once, and how much may wait. Whoever sends more hears which limit it was. */
export const inboxLimits = {
  recordsOfRequest: 1_000,
  bytesOfRequest: 8 * 1_048_576,
  /** Of one record's JSON, as UTF-8. */
  bytesOfRecord: 262_144,
  /** A longer key could not stand in an index. As UTF-8. */
  bytesOfKey: 1_000,
  charactersOfId: 200,
  /** Of one integration. */
  waitingRecords: 100_000,
  waitingBytes: 256 * 1_048_576,
} as const;

export type InboxLimits = { readonly [name in keyof typeof inboxLimits]: number };

/** So long at least a record that is pushed again under the same id is known. */
export const deduplicationHours = 72;
