import { erasedMark, type SealedEntry } from "./audit-entry.js";
import { type FieldValue, holdsWords, valueAt } from "./personal-values.js";

/** Whose values are to go: what a person did and was named in, or all that is known of a thing. */
export type ErasureScope =
  /** kind:name, as token:ada. */
  | { readonly kind: "actor"; readonly actor: string }
  | { readonly kind: "subject"; readonly subjectKind: string; readonly subjectKey: string };

/**
 * The values of an entry that an erasure takes. Of an actor: the name wherever it stands, and the free words of the entries that are the actor's own;
 * words of others may be about anybody, and stay. Of a subject: every personal value of the entries about it.
 */
export function valuesToErase(entry: SealedEntry, scope: ErasureScope): readonly string[] {
  const kept = entry.personal.flatMap(({ field, salt }): readonly FieldValue[] => {
    const value = valueAt(entry, field);
    return salt !== null && typeof value === "string" && value !== erasedMark ? [{ field, value }] : [];
  });
  if (scope.kind === "subject") return kept.map(({ field }) => field);
  const name = nameOf(scope.actor);
  const isOwn = entry.actor === scope.actor;
  return kept.flatMap(({ field, value }) => {
    const goes = holdsWords(field) ? isOwn : value === scope.actor || (field !== "/actor" && value === name);
    return goes ? [field] : [];
  });
}

/** The name of an actor without its kind. */
export function nameOf(actor: string): string {
  return actor.slice(actor.indexOf(":") + 1);
}
