import {
  type CatalogFacts,
  type HoldCoverage,
  type Reach,
  reachOfScope,
  sharedReach,
  type SharedReach,
  windowKindEffects,
  type WindowKind,
  type WindowScope,
} from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { mayHold } from "./approval-sql.js";

export const conflictKinds = ["maintenance", "freeze", "change", "manual", "credentials", "unready"] as const;
export type ConflictKind = (typeof conflictKinds)[number];

/** What else happens: an occurrence of another window, or another hold. */
export interface OtherHold {
  readonly [column: string]: unknown;
  readonly with: string;
  readonly title: string;
  readonly kind: ConflictKind;
  readonly scope: WindowScope;
  readonly coverage: HoldCoverage | null;
  readonly start: number;
  readonly end: number | null;
  /** A window that does what its kind says: approved where that is asked for, and not only observing. */
  readonly binding: boolean;
}

/** Beyond so many the later ones are not looked at. */
const maxOthers = 50_000;

export const isWindowKind = (kind: ConflictKind): kind is WindowKind => kind in windowKindEffects;

/** Many occurrences share one scope: each is worked out once, and only where it meets the plan in time. */
export function sharedByScope(facts: CatalogFacts, own: Reach): (other: OtherHold) => SharedReach | null {
  const known = new Map<string, SharedReach | null>();
  return (other) => {
    const holds = isWindowKind(other.kind) ? windowKindEffects[other.kind].holds : (other.coverage ?? "everything");
    const name = `${holds} ${JSON.stringify(other.scope)}`;
    let shared = known.get(name);
    if (shared === undefined) {
      shared = sharedReach(own, reachOfScope(facts, other.scope, holds));
      known.set(name, shared);
    }
    return shared;
  };
}

/** What else happens between two instants, touching them included; `key` names the window that is not meant. */
export async function loadOtherHolds(
  tx: Tx,
  input: { readonly key: string | null; readonly from: number; readonly to: number },
): Promise<readonly OtherHold[]> {
  return tx.execute<OtherHold>(sql`
    select * from (
      select w.key as "with", w.title, w.kind, w.scope, null as coverage, o.starts_at as start, o.ends_at as "end",
        w.mode = 'enforce' and ${mayHold} as binding
      from occurrence as o join maintenance_window as w on w.id = o.window_id
      where w.cancelled_at is null and w.key is distinct from ${input.key}::text and o.cancelled_at is null and o.closed_at is null and o.released_at is null
        and o.ends_at >= ${input.from}::timestamptz and o.starts_at <= ${input.to}::timestamptz
      union all
      -- The rest that waits for first runs belongs to its window's end.
      select h.id::text, h.reason, h.kind, h.scope, h.coverage, h.begins_at, h.expires_at, true from hold as h
      where h.kind <> 'window' and h.released_at is null and h.canary_of is null
        and (h.expires_at is null or h.expires_at >= ${input.from}::timestamptz) and h.begins_at <= ${input.to}::timestamptz) as other
    order by start, "with" limit ${maxOthers}`);
}
