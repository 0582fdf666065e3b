/** SHA-256 of a text's UTF-8 bytes, 64 hex digits. Core has no cryptography of its own. */
export type Sha256 = (text: string) => string;

/** Who did what to which thing, as a command wrote it. Instants are epoch milliseconds. */
export interface AuditDeed {
  readonly id: number;
  readonly at: number;
  /** kind:name, as token:ada. */
  readonly actor: string;
  readonly action: string;
  readonly subjectKind: string;
  readonly subjectKey: string;
  readonly reason: string | null;
  readonly before: unknown;
  readonly after: unknown;
}

/** A value that names a person, or may: in the chain stands only its commitment, SHA-256 of salt and value. */
export interface PersonalValue {
  /** Where it stands, as a JSON pointer (RFC 6901) into the entry: /actor, /reason, /after/requestedBy. */
  readonly field: string;
  readonly commitment: string;
  /** 32 hex digits, random for each value; null once the value is erased: nobody can try values against the commitment then. */
  readonly salt: string | null;
  /** The entry that ordered the erasure. */
  readonly erasedBy: number | null;
}

/** An entry in its place in the chain. */
export interface SealedEntry extends AuditDeed {
  /** 1 for the first, dense. */
  readonly position: number;
  readonly hash: string;
  readonly sealedAt: number;
  /** Its time was long past when it appeared: no command writes so. */
  readonly late: boolean;
  readonly personal: readonly PersonalValue[];
}

/** A place in the chain: up to here. */
export interface ChainPlace {
  readonly position: number;
  readonly hash: string;
}

/** Before the first entry. */
export const chainStart: ChainPlace = { position: 0, hash: "0".repeat(64) };

/** What stands where a value was erased. */
export const erasedMark = "erased";

/** The action of the entry that orders an erasure; its `after.values` lists [entry, field] of all that it took. */
export const erasureAction = "audit.erase";
