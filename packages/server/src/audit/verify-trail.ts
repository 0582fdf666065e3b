import { type ChainCheck, type ChainPlace, type ChainProblem, maxChainProblems, missing, verifyChain } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Database, Tx } from "../db/client.js";
import { type ChainState, chainState, ordersOf, sealedEntries } from "./chain-store.js";
import { sha256 } from "./sha256.js";

export interface TrailCheck extends ChainCheck {
  /** Nothing follows. */
  readonly isEnd: boolean;
  readonly chain: ChainState;
}

/** Checks the next entries behind a place, and at the end of the trail that it is where the chain was left. In one snapshot, so that sealing meanwhile is no problem. */
export function verifyTrail(
  database: Database,
  from: ChainPlace,
  options: { readonly limit: number; readonly toleratesLate?: boolean },
): Promise<TrailCheck> {
  return database.db.transaction((tx) => verifyIn(tx, from, options), { isolationLevel: "repeatable read", accessMode: "read only" });
}

async function verifyIn(
  tx: Tx,
  from: ChainPlace,
  { limit, toleratesLate = false }: { readonly limit: number; readonly toleratesLate?: boolean },
): Promise<TrailCheck> {
  const chain = await chainState(tx);
  const entries = await sealedEntries(tx, sql`e.position > ${from.position}`, limit);
  const check = verifyChain(from, entries, { sha256, orders: await ordersOf(tx, entries), toleratesLate });
  const isEnd = entries.length < limit && check.checked === entries.length;
  const problem = isEnd ? endProblem(check.place, chain) : null;
  return { ...check, problems: [...check.problems, ...(problem === null ? [] : [problem])].slice(0, maxChainProblems), isEnd, chain };
}

function endProblem(place: ChainPlace, chain: ChainState): ChainProblem | null {
  if (place.position < chain.position) return missing(place.position + 1, chain.position);
  if (place.position > chain.position) {
    const message = `The trail was known up to position ${place.position}, and ends at ${chain.position}: its end was deleted, or the chain set back.`;
    return { kind: "missing", position: chain.position + 1, entryId: null, field: null, message };
  }
  if (place.hash === chain.hash) return null;
  const message = `The last entry, at position ${place.position}, has another hash than the chain was left with.`;
  return { kind: "edited", position: place.position, entryId: null, field: null, message };
}
