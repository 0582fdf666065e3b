import { hash } from "node:crypto";
import { sortedText } from "@quiesce/core";
import type { Cursor, SourceRecord } from "@quiesce/sdk";

/** Systems that keep such keys allow 255 characters. */
const MAX_LENGTH = 255;

/** The place that records were read at. */
export interface ReadPlace {
  /** Where their page began. */
  readonly from: Cursor | null;
  /** How often the stream had been read to its end before. */
  readonly round: number;
}

/** The place of records that no page was read for. */
export const NOWHERE: ReadPlace = { from: null, round: 0 };

/** The page that records were read with. */
interface PageOrigin extends ReadPlace {
  readonly integration: string;
  readonly stream: string;
  readonly runId: string;
}

/**
 * The keys of a page's records, each as it was read: `integration:stream:key:version`, equal for every repetition of one change, different for the
 * next change. A record without a version is known by its content and the place and round it was read in, and within its page by how many of its key
 * came before: so a value that comes back (A, B, A) is three changes, and a page that is read again is not.
 */
export function idempotencyKeysOf(page: PageOrigin, records: readonly SourceRecord[]): (record: SourceRecord) => string {
  const stream = `${page.integration}:${page.stream}:`;
  const place = `${sortedText(page.from)}${page.round === 0 ? "" : `,${page.round}`}`;
  // Most targets know a record by its own key, and never ask.
  let earlier: ReadonlyMap<SourceRecord, number> | undefined;
  return (record) => {
    earlier ??= earlierOfKey(records);
    return limitedKey(`${stream}${record.key}:${versionOf(record, place, page.runId)}${ordinal(earlier.get(record))}`);
  };
}

/** Of records without a version: how many of the same key come before them, where any do. */
function earlierOfKey(records: readonly SourceRecord[]): ReadonlyMap<SourceRecord, number> {
  const counts = new Map<string, number>();
  const earlier = new Map<SourceRecord, number>();
  for (const record of records) {
    if (record?.version !== undefined) continue;
    const count = counts.get(record?.key) ?? 0;
    if (count > 0) earlier.set(record, count);
    counts.set(record?.key, count + 1);
  }
  return earlier;
}

function ordinal(earlier: number | undefined): string {
  return earlier === undefined ? "" : `#${earlier + 1}`;
}

/** A key that is too long ends with a digest of all of it. */
export function limitedKey(whole: string): string {
  if (whole.length <= MAX_LENGTH) return whole;
  const digest = hash("sha256", whole, "hex");
  return `${whole.slice(0, MAX_LENGTH - digest.length - 1)}:${digest}`;
}

function versionOf(record: SourceRecord, place: string, runId: string): string {
  const deletion = record.op === "delete";
  if (record.version !== undefined) return deletion ? `${record.version}-deleted` : record.version;
  // Deleting twice does no harm; deleting a record that came back must not look like a repetition.
  if (deletion) return `deleted-${record.at ?? runId}`;
  return hash("sha256", `[${sortedText(record.data)},${sortedText(record.at ?? null)},${place}]`, "hex").slice(0, 32);
}
