import { type ChainPlace, chainStart, DomainError, type SealedEntry } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Database, Tx } from "../db/client.js";
import { placeAt, sealedEntries } from "./chain-store.js";

export const maxExported = 500;

/** A piece of the chain, whole: what a period needs to be checked without the server. */
export interface TrailPiece {
  /** Where the piece begins: the first entry was sealed on this hash. */
  readonly startsAfter: ChainPlace;
  readonly entries: readonly SealedEntry[];
  /** Nothing of the period follows. */
  readonly isEnd: boolean;
}

/**
 * The entries of a period with their salts, in the order of the chain: from the first that was written in it to the last. In between may be some of other
 * times, because the chain has no holes.
 */
export function exportTrail(
  database: Database,
  range: {
    readonly from?: number | null | undefined;
    readonly to?: number | null | undefined;
    readonly after?: number | null | undefined;
    readonly first: number;
  },
): Promise<TrailPiece> {
  const { first } = range;
  if (first < 1 || first > maxExported)
    throw new DomainError("QSC_GRAPHQL_PAGE_SIZE", `first is ${first}; an export has 1 to ${maxExported} entries a page.`, {
      field: "first",
    });
  return database.db.transaction(
    async (tx) => {
      const { begins, ends } = await boundsOf(tx, range);
      const startsAfter = (await placeAt(tx, range.after ?? begins - 1)) ?? chainStart;
      const entries = await sealedEntries(tx, sql`e.position > ${startsAfter.position} and e.position <= ${ends}`, first);
      return { startsAfter, entries, isEnd: entries.length < first };
    },
    { isolationLevel: "repeatable read", accessMode: "read only" },
  );
}

async function boundsOf(
  tx: Tx,
  { from, to }: { readonly from?: number | null | undefined; readonly to?: number | null | undefined },
): Promise<{ readonly begins: number; readonly ends: number }> {
  const [row] = await tx.execute<{ begins: number; ends: number }>(sql`
    select coalesce(min(position), 1) as begins, coalesce(max(position), 0) as ends from audit_entry
    where position is not null and at >= ${from ?? Number.NEGATIVE_INFINITY}::timestamptz and at < ${to ?? Number.POSITIVE_INFINITY}::timestamptz`);
  return row ?? { begins: 1, ends: 0 };
}
