import type { AuditDeed, ChainPlace, PersonalValue, SealedEntry, Sha256 } from "./audit-entry.js";
import { canonicalJson } from "./canonical-json.js";
import { personalValuesOf, withValues } from "./personal-values.js";

const canonicalVersion = 1;

/** The commitment to a value: it shows later that this was the value, and says nothing without the salt. */
export function commitmentOf(salt: string, value: string, sha256: Sha256): string {
  return sha256(`${salt}${value}`);
}

/**
 * The text of an entry that its hash is made of. Where a personal value stands is null, whether it is erased or not, and `personal` has its
 * commitment by its field: so an erasure changes nothing, and a commitment cannot be taken away.
 */
export function canonicalEntry(entry: Omit<SealedEntry, "hash">): string {
  const { id, action, subjectKind, subjectKey, position, late, ...rest } = withValues(
    entry,
    new Map(entry.personal.map(({ field }) => [field, null])),
  );
  return canonicalJson({
    version: canonicalVersion,
    position,
    sealedAt: new Date(rest.sealedAt).toISOString(),
    late,
    id,
    at: new Date(rest.at).toISOString(),
    actor: rest.actor,
    action,
    subjectKind,
    subjectKey,
    reason: rest.reason,
    before: rest.before ?? null,
    after: rest.after ?? null,
    personal: Object.fromEntries(entry.personal.map(({ field, commitment }) => [field, commitment])),
  });
}

/** SHA-256 over the hash before and the entry's canonical text. */
export function chainHash(before: string, entry: Omit<SealedEntry, "hash">, sha256: Sha256): string {
  return sha256(`${before}${canonicalEntry(entry)}`);
}

/** Puts entries behind a place in the chain, in their order. `salt` makes 32 random hex digits, new ones each time. */
export function sealDeeds(
  place: ChainPlace,
  deeds: readonly AuditDeed[],
  by: { readonly sealedAt: number; readonly isLate: (deed: AuditDeed) => boolean; readonly salt: () => string; readonly sha256: Sha256 },
): readonly SealedEntry[] {
  let { position, hash } = place;
  return deeds.map((deed) => {
    const personal = personalValuesOf(deed).map(({ field, value }): PersonalValue => {
      const salt = by.salt();
      return { field, commitment: commitmentOf(salt, value, by.sha256), salt, erasedBy: null };
    });
    position += 1;
    const entry = { ...deed, position, sealedAt: by.sealedAt, late: by.isLate(deed), personal };
    hash = chainHash(hash, entry, by.sha256);
    return { ...entry, hash };
  });
}
