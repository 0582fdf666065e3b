import { keyHash } from "@quiesce/core";
import type { SourceRecord } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import type { Database, Tx } from "../db/client.js";
import { type LetterPlace, storedKey } from "./dead-letters.js";
import type { StreamRun } from "./pipeline-run.js";
import type { DeadRecord } from "./prepare-records.js";
import { storableJson } from "./storable-json.js";
import type { WriteReport } from "./write-records.js";

/** What became of a record of a committed page, and the letter that stands for it. */
export const traceOutcomes = {
  w: "written",
  u: "unchanged",
  d: "deleted",
  s: "skipped",
  r: "unreadable",
  m: "unfit",
  x: "refused",
  q: "in-review",
} as const;
export type TraceLetter = keyof typeof traceOutcomes;

/** How a record came into its page. */
export type TraceOrigin = "read" | "missing" | "push" | "replay" | "back";

interface TracedRecord {
  readonly key: string;
  readonly letter: TraceLetter;
  readonly targetKey?: string;
  readonly remoteId?: string | undefined;
  readonly version?: string | undefined;
  readonly error?: string;
}

/** Longer reasons are cut: the dead letter has all of it. */
const MAX_ERROR_CHARACTERS = 300;
const MAX_NAME_CHARACTERS = 1_000;

/** The oldest pages go before their time when there are more than so many: half a billion records in full pages. */
const MAX_PAGES = 1_000_000;
const FORGOTTEN_AT_ONCE = 2_000;

/** A page's records with what became of them. Deletions by comparison are `missing`, what was not sent is not in it. */
export function tracedRecords(
  report: Pick<WriteReport, "done" | "dead" | "review">,
  further: { readonly dead: readonly DeadRecord[]; readonly skipped: readonly SourceRecord[] },
): readonly TracedRecord[] {
  const letterOf = { written: "w", unchanged: "u", deleted: "d" } as const;
  return [
    ...report.done.map(({ record, figure, remoteId, version }) => ({
      key: record.source.key,
      letter: letterOf[figure],
      targetKey: record.item.key,
      remoteId,
      version,
    })),
    ...further.skipped.map(({ key }) => ({ key, letter: "s" as const })),
    ...further.dead.map((letter) => failed(letter, letter.error.stage === "read" ? "r" : letter.error.stage === "map" ? "m" : "x")),
    ...report.dead.map((letter) => failed(letter, "x")),
    ...report.review.map((letter) => failed(letter, "q")),
  ];
}

function failed(letter: DeadRecord, as: TraceLetter): TracedRecord {
  return { key: letter.source.key, letter: as, error: letter.error.message };
}

/** Writes what became of a page's records, in the transaction of their results. */
export async function saveTrace(tx: Tx, run: StreamRun, origin: TraceOrigin, records: readonly TracedRecord[]): Promise<void> {
  if (!run.traces || records.length === 0) return;
  const place = { integrationId: run.run.integrationId, stream: run.stream.stream, runId: run.run.runId, mask: run.permit.mask };
  const storable = storableNames(place, records);
  const name = (text: string | undefined) => (text === undefined ? null : storable(text.slice(0, MAX_NAME_CHARACTERS)));
  const keys = records.map(({ key }) => storable(key));
  const targetKeys = records.map(({ key, targetKey }) => (targetKey === key ? null : name(targetKey)));
  const remoteIds = records.map(({ key, remoteId }) => (remoteId === key ? null : name(remoteId)));
  const versions = records.map(({ version }) => name(version));
  const errors = Object.fromEntries(
    records.flatMap(({ error }, index) =>
      error === undefined ? [] : [[index, run.permit.mask.text(error).slice(0, MAX_ERROR_CHARACTERS)]],
    ),
  );
  const hashes = new Set<number>();
  for (const names of [keys, targetKeys, remoteIds]) for (const one of names) if (one !== null) hashes.add(keyHash(one));
  await tx.execute(sql`
    insert into record_page (integration_id, stream, run_id, origin, keys, outcomes, target_keys, remote_ids, versions, errors, name_hashes)
    values (${place.integrationId}, ${place.stream}, ${place.runId}::uuid, ${origin}, ${sql.param(keys)}::text[], ${records.map(({ letter }) => letter).join("")},
      ${someOf(targetKeys)}::text[], ${someOf(remoteIds)}::text[], ${someOf(versions)}::text[],
      ${Object.keys(errors).length === 0 ? null : storableJson(errors)}::text::jsonb, ${sql.param([...hashes])}::integer[])`);
}

/** How names of a page are stored. Most pages hold neither a secret nor what PostgreSQL refuses, and looking once at all of it costs a fraction of looking at each. */
function storableNames(place: LetterPlace, records: readonly TracedRecord[]): (name: string) => string {
  const all = records
    .map(({ key, targetKey = "", remoteId = "", version = "" }) => `${key}\n${targetKey}\n${remoteId}\n${version}`)
    .join("\n");
  return storedKey(place, all) === all ? (name) => name : (name) => storedKey(place, name);
}

/** A column that says nothing is null. */
function someOf(values: readonly (string | null)[]) {
  return values.every((value) => value === null) ? null : sql.param(values);
}

/** Forgets pages that are older than wanted, or more than there may be; a bounded number at a time. Answers how many. */
export async function forgetTrace(context: { readonly database: Database }, days: number): Promise<number> {
  let forgotten = 0;
  for (let more = true; more;) {
    const rows = await context.database.db.execute(sql`
      delete from record_page where id in (
        (select id from record_page where at < app_now() - ${days}::integer * interval '1 day' order by at limit ${FORGOTTEN_AT_ONCE})
        union
        (select id from record_page where id <= (select max(id) from record_page) - ${MAX_PAGES}::bigint order by id limit ${FORGOTTEN_AT_ONCE}))
      returning id`);
    forgotten += rows.length;
    more = rows.length >= FORGOTTEN_AT_ONCE;
  }
  return forgotten;
}
