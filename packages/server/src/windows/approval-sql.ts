import { type SQL, sql } from "drizzle-orm";

/** The window `w` needs no approval, or has it: only then do its occurrences get holds. */
export const mayHold: SQL = sql`(w.approval is null or w.approval ->> 'state' = 'approved')`;

/** Nobody has approved the window `w`, and the occurrence `o` has no hold from a time when somebody had. */
export const isUnapproved: SQL = sql`(not ${mayHold} and not exists (select from hold as h where h.occurrence_id = o.id))`;
