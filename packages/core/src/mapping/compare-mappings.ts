import { type FieldChange, fieldChanges } from "../catalog/workspace-diff.js";
import type { MappingError, MappingResult } from "./apply-mapping.js";

/** How another mapping treats a record: what becomes of it with the one and the other, and which fields differ. */
export interface MappingDifference {
  readonly now: MappingResult["kind"];
  readonly candidate: MappingResult["kind"];
  /** Where both map it: what differs, `key` for the record's key. */
  readonly fields: readonly FieldChange[];
  /** Why it does not fit the candidate. */
  readonly errors: readonly MappingError[];
}

/** Compares what two mappings make of one record; null when a target would get the same of either. */
export function compareMappings(now: MappingResult, candidate: MappingResult): MappingDifference | null {
  const errors = candidate.kind === "unfit" ? candidate.errors : [];
  if (now.kind !== candidate.kind) return { now: now.kind, candidate: candidate.kind, fields: [], errors };
  if (now.kind !== "mapped" || candidate.kind !== "mapped") return null;
  const shown = (result: typeof now) => ({ key: result.record.key, data: result.record.data });
  const fields = fieldChanges(shown(now), shown(candidate));
  return fields.length === 0 ? null : { now: "mapped", candidate: "mapped", fields, errors };
}
