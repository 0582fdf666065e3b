import { createHash } from "node:crypto";
import { sortedJson } from "@quiesce/core";
import type { Cursor, SourceRecord } from "@quiesce/sdk";

/** Systems that keep such keys allow 255 characters. */
const MAX_LENGTH = 255;

/**
 * `integration:stream:key:version`: equal for every repetition of one change, different for the next change. A record without a version is known
 * by its content and the place it was read from, so that a value that comes back (A, B, A) is three changes, and a page that is read again is not.
 */
export function idempotencyKey(options: {
  readonly integration: string;
  readonly stream: string;
  /** The record as it was read. */
  readonly record: SourceRecord;
  /** Where its page began. */
  readonly from: Cursor | null;
  readonly runId: string;
}): string {
  const { record } = options;
  return limitedKey(`${options.integration}:${options.stream}:${record.key}:${versionOf(options)}`);
}

/** A key that is too long ends with a digest of all of it. */
export function limitedKey(whole: string): string {
  if (whole.length <= MAX_LENGTH) return whole;
  const digest = createHash("sha256").update(whole).digest("hex");
  return `${whole.slice(0, MAX_LENGTH - digest.length - 1)}:${digest}`;
}

function versionOf(options: { readonly record: SourceRecord; readonly from: Cursor | null; readonly runId: string }): string {
  const { record, from, runId } = options;
  const deletion = record.op === "delete";
  if (record.version !== undefined) return deletion ? `${record.version}-deleted` : record.version;
  // Deleting twice does no harm; deleting a record that came back must not look like a repetition.
  if (deletion) return `deleted-${record.at ?? runId}`;
  const content = JSON.stringify(sortedJson([record.data, record.at ?? null, from]));
  return createHash("sha256").update(content).digest("hex").slice(0, 32);
}
