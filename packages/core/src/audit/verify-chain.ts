import { type ChainPlace, erasedMark, erasureAction, type SealedEntry, type Sha256 } from "./audit-entry.js";
import { chainHash, commitmentOf } from "./chain-hash.js";
import { valueAt } from "./personal-values.js";

/** What can be wrong with an entry: it is not there, stands at another place, was put in, was changed, or lost a value without an order. */
export const chainProblemKinds = ["missing", "reordered", "inserted", "edited", "erased"] as const;

/** Something wrong with the chain, at the first place where it shows. */
export interface ChainProblem {
  readonly kind: (typeof chainProblemKinds)[number];
  readonly position: number;
  /** The entry that stands there; null when none does. */
  readonly entryId: number | null;
  /** The field, where one can be told. */
  readonly field: string | null;
  readonly message: string;
}

/** So many are named at once: whoever has to look begins at the first. */
export const maxChainProblems = 20;

/** What an erasure's own entry says it took: values as `entry field`. */
export type OrderedErasures = ReadonlyMap<number, ReadonlySet<string>>;

export interface ChainCheck {
  /** Up to here; the next page goes on from it. */
  readonly place: ChainPlace;
  readonly checked: number;
  readonly problems: readonly ChainProblem[];
}

/** The name of a value in an erasure's order. */
export function erasedValue(entryId: number, field: string): string {
  return `${entryId} ${field}`;
}

/** What an entry orders to be erased; nothing unless it is such an order. */
export function orderedBy(entry: { readonly action: string; readonly after: unknown }): ReadonlySet<string> {
  const values: unknown = entry.action === erasureAction ? (entry.after as { readonly values?: unknown } | null)?.values : undefined;
  if (!Array.isArray(values)) return new Set();
  return new Set(
    values.flatMap((one: unknown) =>
      Array.isArray(one) && typeof one[0] === "number" && typeof one[1] === "string" ? [erasedValue(one[0], one[1])] : [],
    ),
  );
}

/**
 * Checks the entries that follow a place, in order of their positions. After something wrong it goes on from the hashes as they stand, so that every
 * bad entry is named and none for the fault of another. `orders` has the erasures that the entries name; without it they are not looked at. An entry that
 * was late stays late: `toleratesLate` is for whoever looks again and again and has said so once.
 */
export function verifyChain(
  from: ChainPlace,
  entries: readonly SealedEntry[],
  options: { readonly sha256: Sha256; readonly orders?: OrderedErasures; readonly toleratesLate?: boolean },
): ChainCheck {
  const problems: ChainProblem[] = [];
  let place = from;
  let checked = 0;
  for (const [index, entry] of entries.entries()) {
    if (problems.length >= maxChainProblems) break;
    const around = { place, neighbours: entries, next: entries[index + 1], ...options };
    const problem = entry.position === place.position + 1 ? problemOf(entry, around) : gapBefore(entry, around);
    if (problem !== null) problems.push(problem);
    place = { position: entry.position, hash: entry.hash };
    checked += 1;
  }
  return { place, checked, problems };
}

/** An entry that does not stand right behind the one before. Nothing says what its hash was made on, so it is checked by those that follow. */
function gapBefore(entry: SealedEntry, { place, neighbours }: Surroundings): ChainProblem {
  const expected = place.position + 1;
  const isElsewhere = entry.position < expected || neighbours.some(({ position }) => position === expected);
  if (!isElsewhere) return missing(expected, entry.position - 1);
  const message = `Entry ${entry.id} of position ${entry.position} stands where position ${expected} should: entries were put into another order.`;
  return { kind: "reordered", position: entry.position, entryId: entry.id, field: null, message };
}

/** Entries that should be there, up to where the chain is known to go, and are not. */
export function missing(first: number, last: number): ChainProblem {
  const what = first === last ? `The entry at position ${first} is` : `The entries at positions ${first} to ${last} are`;
  return { kind: "missing", position: first, entryId: null, field: null, message: `${what} missing: deleted after sealing.` };
}

interface Surroundings {
  readonly place: ChainPlace;
  readonly neighbours: readonly SealedEntry[];
  readonly next: SealedEntry | undefined;
  readonly sha256: Sha256;
  readonly orders?: OrderedErasures;
  readonly toleratesLate?: boolean;
}

function problemOf(entry: SealedEntry, around: Surroundings): ChainProblem | null {
  const at = { position: entry.position, entryId: entry.id, field: null };
  const named = `Entry ${entry.id} at position ${entry.position}`;
  const personal = personalProblem(entry, around);
  if (chainHash(around.place.hash, entry, around.sha256) === entry.hash) {
    if (personal !== null) return personal;
    return entry.late && around.toleratesLate !== true ? lateEntry(entry) : null;
  }
  const wasAt = formerPosition(entry, around);
  if (wasAt !== null)
    return {
      ...at,
      kind: "reordered",
      message: `${named} is unchanged, but was sealed at position ${wasAt}: entries were put into another order.`,
    };
  if (around.next !== undefined && fitsAt(around.next, { position: entry.position, hash: around.place.hash }, around.sha256))
    return { ...at, kind: "inserted", message: `${named} was inserted after sealing: what follows it was sealed in its place.` };
  if (personal !== null) return personal;
  return {
    ...at,
    kind: "edited",
    message: `${named} (${entry.action}) does not fit its hash: it, or its place, was changed after sealing.`,
  };
}

/** What is wrong with an entry that was late. */
export function lateEntry({ id, position, at }: Pick<SealedEntry, "id" | "position" | "at">): ChainProblem {
  const message = `Entry ${id} at position ${position} appeared long after its own time, ${new Date(at).toISOString()}: no command of Quiesce writes so. It was inserted by hand.`;
  return { kind: "inserted", position, entryId: id, field: null, message };
}

/** A value against its commitment. An erased one must be gone, and on somebody's order. */
function personalProblem(entry: SealedEntry, { sha256, orders }: Surroundings): ChainProblem | null {
  for (const { field, commitment, salt, erasedBy } of entry.personal) {
    const value = valueAt(entry, field);
    const at = { position: entry.position, entryId: entry.id, field };
    const named = `${field} of entry ${entry.id} at position ${entry.position}`;
    if (salt !== null) {
      if (typeof value !== "string" || commitmentOf(salt, value, sha256) !== commitment)
        return { ...at, kind: "edited", message: `${named} is not the value that was sealed.` };
      continue;
    }
    if (value !== erasedMark) return { ...at, kind: "edited", message: `${named} was erased, and has a value all the same.` };
    const isOrdered = erasedBy !== null && (orders === undefined || orders.get(erasedBy)?.has(erasedValue(entry.id, field)) === true);
    if (!isOrdered) return { ...at, kind: "erased", message: `${named} was erased, and no entry of the trail orders it.` };
  }
  return null;
}

/** Where else among its neighbours the entry fits as it is; null: nowhere. */
function formerPosition(entry: SealedEntry, { neighbours, sha256 }: Surroundings): number | null {
  for (const [index, other] of neighbours.entries()) {
    if (other.position === entry.position) continue;
    const candidates = [neighbours[index - 1]?.hash, other.hash];
    for (const hash of candidates)
      if (hash !== undefined && chainHash(hash, { ...entry, position: other.position }, sha256) === entry.hash) return other.position;
  }
  return null;
}

function fitsAt(entry: SealedEntry, at: { readonly position: number; readonly hash: string }, sha256: Sha256): boolean {
  return chainHash(at.hash, { ...entry, position: at.position }, sha256) === entry.hash;
}
