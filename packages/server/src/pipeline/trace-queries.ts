import { keyHash } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Database } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { activeHolds } from "../runs/active-holds.js";
import { type TraceLetter, type TraceOrigin, traceOutcomes } from "./record-trace.js";

/** What can happen to a record on its way. */
export const traceSteps = [
  "pushed",
  "held",
  "read",
  "missing",
  "replayed",
  "flowed-back",
  "mapped",
  "skipped",
  "written",
  "unchanged",
  "deleted",
  "dead-letter",
  "review",
  "discarded",
  "conflict",
] as const;
export type TraceStep = (typeof traceSteps)[number];

/** One thing that happened to a record. */
export interface TraceHop {
  readonly at: number;
  readonly step: TraceStep;
  readonly integrationId: number;
  readonly stream: string;
  readonly recordKey: string;
  readonly runId: string | null;
  /** Its names at the target, where it has others there. */
  readonly targetKey: string | null;
  readonly remoteId: string | null;
  readonly version: string | null;
  readonly message: string | null;
  readonly deadLetterId: number | null;
  /** Of a hold: which ones. */
  readonly holdIds: readonly number[];
}

/** What is known of a record, the oldest first. */
export interface Trace {
  readonly recordKey: string;
  readonly hops: readonly TraceHop[];
  /** There were more than fit; the newest are shown. */
  readonly isCut: boolean;
  /** From when on pages are kept: what happened before is not known. */
  readonly knownFrom: number | null;
}

/** Pages, letters and pushed records that one trace looks at. */
const MOST_SOURCES = 500;

/** Follows a record by any of its names: its key in the source, its key at the target, or what the target calls it. */
export async function traceRecord(
  database: Database,
  of: { readonly recordKey: string; readonly integration: string | null; readonly limit: number },
): Promise<Trace> {
  const { recordKey, limit } = of;
  const pages = await pagesOf(database, of);
  const letters = await lettersOf(database, of);
  const pushed = await pushedOf(database, of);
  const all = [...withLetters(pages.flatMap(hopsOfPage), letters), ...pushed];
  const held = await holdsBefore(database, all);
  const hops = [...held, ...all].toSorted((a, b) => a.at - b.at || order(a) - order(b));
  const isCut = hops.length > limit || pages.length === MOST_SOURCES;
  const [first] = await selectRows<{ readonly at: number | null }>(database.db, sql`select min(at) as at from record_page`);
  return { recordKey, hops: hops.slice(-limit), isCut, knownFrom: first?.at ?? null };
}

/** At one instant things are told in the order in which they are done. */
function order({ step }: TraceHop): number {
  return traceSteps.indexOf(step);
}

interface PageRecord {
  readonly at: number;
  readonly integrationId: number;
  readonly stream: string;
  readonly runId: string;
  readonly origin: TraceOrigin;
  readonly key: string;
  readonly letter: TraceLetter;
  readonly targetKey: string | null;
  readonly remoteId: string | null;
  readonly version: string | null;
  readonly error: string | null;
}

function pagesOf(database: Database, { recordKey, integration }: { readonly recordKey: string; readonly integration: string | null }) {
  return selectRows<PageRecord>(
    database.db,
    sql`
    select p.at, p.integration_id as "integrationId", p.stream, p.run_id as "runId", p.origin, k.key, substr(p.outcomes, k.n::integer, 1) as letter,
      p.target_keys[k.n] as "targetKey", p.remote_ids[k.n] as "remoteId", p.versions[k.n] as version, p.errors ->> (k.n - 1)::text as error
    from record_page as p cross join unnest(p.keys) with ordinality as k(key, n)
    where p.name_hashes @> array[${keyHash(recordKey)}]::integer[]
      and (${integration}::text is null or p.integration_id = (select i.id from integration as i where i.key = ${integration}))
      and ${recordKey} in (k.key, p.target_keys[k.n], p.remote_ids[k.n])
    order by p.id desc limit ${MOST_SOURCES}`,
  );
}

const CAME = { read: "read", missing: "missing", push: "read", replay: "replayed", back: "flowed-back" } as const satisfies {
  readonly [origin in TraceOrigin]: TraceStep;
};

function hopsOfPage(page: PageRecord): readonly TraceHop[] {
  const { at, integrationId, stream, runId, key, targetKey, remoteId, version, error } = page;
  const hop = (step: TraceStep, more: Partial<TraceHop> = {}): TraceHop => ({
    at,
    step,
    integrationId,
    stream,
    recordKey: key,
    runId,
    targetKey: null,
    remoteId: null,
    version: null,
    message: null,
    deadLetterId: null,
    holdIds: [],
    ...more,
  });
  const came = hop(CAME[page.origin]);
  const outcome = traceOutcomes[page.letter];
  if (page.origin === "back") {
    if (outcome === "refused") return [came, hop("conflict", { message: error })];
    return [came, ...(outcome === "written" || outcome === "unchanged" || outcome === "deleted" ? [hop(outcome, { version })] : [])];
  }
  switch (outcome) {
    case "written":
    case "unchanged":
    case "deleted":
      return [came, hop("mapped", { targetKey }), hop(outcome, { targetKey, remoteId, version })];
    case "skipped":
      return [came, hop("skipped", { message: "The stream passes over it: the mapping's condition, or a deletion that is ignored." })];
    case "unreadable":
    case "unfit":
      return [came, hop("dead-letter", { message: error })];
    case "refused":
      return [came, hop("mapped"), hop("dead-letter", { message: error })];
    case "in-review":
      return [came, hop("mapped"), hop("review", { message: error })];
  }
}

interface LetterRow {
  readonly id: number;
  readonly at: number;
  readonly resolvedAt: number | null;
  readonly status: "open" | "review" | "replayed" | "discarded";
  readonly integrationId: number;
  readonly stream: string;
  readonly key: string;
  readonly runId: string;
  readonly message: string | null;
}

/** Letters say what was decided later; that they were put aside their page has said, unless it is forgotten by now. */
function lettersOf(database: Database, { recordKey, integration }: { readonly recordKey: string; readonly integration: string | null }) {
  return selectRows<LetterRow>(
    database.db,
    sql`
    select d.id, d.at, d.resolved_at as "resolvedAt", d.status, d.integration_id as "integrationId", d.stream, d.record_key as key, d.run_id as "runId",
      d.error ->> 'message' as message
    from dead_letter as d
    where d.record_key = ${recordKey} and (${integration}::text is null or d.integration_id = (select i.id from integration as i where i.key = ${integration}))
    order by d.id desc limit ${MOST_SOURCES}`,
  );
}

/** The hops of pages, those that made a letter with its number; and what the letters say beyond. */
function withLetters(pages: readonly TraceHop[], letters: readonly LetterRow[]): readonly TraceHop[] {
  const letterOf = (hop: TraceHop) =>
    letters.find(
      ({ runId, integrationId, stream, key }) =>
        runId === hop.runId && integrationId === hop.integrationId && stream === hop.stream && key === hop.recordKey,
    );
  const isSetAside = ({ step }: TraceHop) => step === "dead-letter" || step === "review";
  const told = pages.map((hop) => (isSetAside(hop) ? { ...hop, deadLetterId: letterOf(hop)?.id ?? null } : hop));
  const known = new Set(told.map((hop) => hop.deadLetterId));
  return [...told, ...letters.flatMap((letter) => hopsOfLetter(letter, known.has(letter.id)))];
}

function hopsOfLetter(letter: LetterRow, isTold: boolean): readonly TraceHop[] {
  const { id, status, at, resolvedAt, integrationId, stream, key, runId, message } = letter;
  const hop = {
    integrationId,
    stream,
    recordKey: key,
    runId,
    targetKey: null,
    remoteId: null,
    version: null,
    deadLetterId: id,
    holdIds: [],
  };
  const setAside: TraceHop = { ...hop, at, step: status === "review" ? "review" : "dead-letter", message };
  const discarded: TraceHop = {
    ...hop,
    at: resolvedAt ?? at,
    step: "discarded",
    runId: null,
    message: "The dead letter was closed: given up, or a newer version made it needless.",
  };
  return [...(isTold ? [] : [setAside]), ...(status === "discarded" ? [discarded] : [])];
}

interface PushedRow {
  readonly at: number;
  readonly integrationId: number;
  readonly stream: string;
  readonly key: string;
  readonly version: string | null;
  readonly acceptedBy: string;
  readonly waits: boolean;
}

/** What was handed in; and of what still waits, what holds it at this moment. */
async function pushedOf(
  database: Database,
  { recordKey, integration }: { readonly recordKey: string; readonly integration: string | null },
) {
  const rows = await selectRows<PushedRow>(
    database.db,
    sql`
    select r.accepted_at as at, r.integration_id as "integrationId", r.stream, r.record_key as key, r.version, r.accepted_by as "acceptedBy", r.settled_at is null as waits
    from inbox_record as r
    where r.record_key = ${recordKey} and (${integration}::text is null or r.integration_id = (select i.id from integration as i where i.key = ${integration}))
    order by r.id desc limit ${MOST_SOURCES}`,
  );
  const hops: TraceHop[] = [];
  for (const row of rows) {
    const { at, integrationId, stream, key, version, acceptedBy } = row;
    const hop = {
      at,
      integrationId,
      stream,
      recordKey: key,
      runId: null,
      targetKey: null,
      remoteId: null,
      version: null,
      deadLetterId: null,
    };
    const message = `From ${acceptedBy}${row.waits ? "; it waits" : ""}.`;
    hops.push({ ...hop, step: "pushed", version, message, holdIds: [] });
    const holds = row.waits ? await activeHolds(database.db, integrationId) : [];
    const since = Math.min(...holds.map((hold) => hold.since));
    if (holds.length > 0)
      hops.push({ ...hop, at: Math.max(at, since), step: "held", message: "It is held now.", holdIds: holds.map(({ holdId }) => holdId) });
  }
  return hops;
}

/** What had kept the runs that carried it. */
async function holdsBefore(database: Database, hops: readonly TraceHop[]): Promise<readonly TraceHop[]> {
  const carried = new Map(hops.flatMap((hop) => (hop.runId === null ? [] : [[hop.runId, hop]])));
  if (carried.size === 0) return [];
  const rows = await selectRows<{
    readonly id: string;
    readonly heldSince: number;
    readonly heldBy: readonly number[];
  }>(
    database.db,
    sql`
    select r.id, r.held_since as "heldSince", -- Only those that are there still, and that whoever asks may see.
      array(select h.id from hold as h where h.id = any (r.held_by) order by h.id) as "heldBy"
    from unnest(${sql.param([...carried.keys()])}::uuid[]) as wanted(id) join run as r on r.id = wanted.id and r.due_at = run_due_of_id(wanted.id)
    where r.held_since is not null and r.held_by is not null`,
  );
  return rows.flatMap(({ id, heldSince, heldBy }) => {
    const hop = carried.get(id);
    return hop === undefined
      ? []
      : [
          {
            ...hop,
            at: heldSince,
            step: "held" as const,
            targetKey: null,
            remoteId: null,
            version: null,
            message: null,
            deadLetterId: null,
            holdIds: heldBy,
          },
        ];
  });
}
