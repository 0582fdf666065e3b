import { hash } from "node:crypto";
import { sortedText } from "@quiesce/core";
import type { Cursor, SourceRecord } from "@quiesce/sdk";

/** Systems that keep such keys allow 255 characters. */
const MAX_LENGTH = 255;

/** The page that records were read with. */
interface PageOrigin {
  readonly integration: string;
  readonly stream: string;
  /** Where the page began. */
  readonly from: Cursor | null;
  readonly runId: string;
}

/**
 * The keys of a page's records, each as it was read: `integration:stream:key:version`, equal for every repetition of one change, different for the
 * next change. A record without a version is known by its content and the place it was read from, so that a value that comes back (A, B, A) is three
 * changes, and a page that is read again is not.
 */
export function idempotencyKeysOf(page: PageOrigin): (record: SourceRecord) => string {
  const place = `${page.integration}:${page.stream}:`;
  const from = sortedText(page.from);
  return (record) => limitedKey(`${place}${record.key}:${versionOf(record, from, page.runId)}`);
}

/** A key that is too long ends with a digest of all of it. */
export function limitedKey(whole: string): string {
  if (whole.length <= MAX_LENGTH) return whole;
  const digest = hash("sha256", whole, "hex");
  return `${whole.slice(0, MAX_LENGTH - digest.length - 1)}:${digest}`;
}

function versionOf(record: SourceRecord, from: string, runId: string): string {
  const deletion = record.op === "delete";
  if (record.version !== undefined) return deletion ? `${record.version}-deleted` : record.version;
  // Deleting twice does no harm; deleting a record that came back must not look like a repetition.
  if (deletion) return `deleted-${record.at ?? runId}`;
  return hash("sha256", `[${sortedText(record.data)},${sortedText(record.at ?? null)},${from}]`, "hex").slice(0, 32);
}
