import type { ComparedFields } from "./compared-fields.js";

/** What one side of an integration offers for a comparison. */
export interface SideOffer {
  /** Digests by bucket, computed where the data is. */
  readonly digest: boolean;
  /** Keys with hashes, in their order. */
  readonly keys: boolean;
  /** Keys alone, in any order. */
  readonly listKeys: boolean;
  readonly count: boolean;
  readonly read: boolean;
  /** How many records there are, if that is known. */
  readonly records: number | null;
}

/** How sides are compared, the most telling first. */
export const reconciliationMethods = ["digest", "hashes", "keys", "counts"] as const;
/**
 * `digest`: by digests of buckets, then by keys and hashes of those that differ. `hashes`: by keys and hashes. `keys`: by keys alone, so that a
 * record with other content is not found. `counts`: by numbers alone.
 */
export type ReconciliationMethod = (typeof reconciliationMethods)[number];

/** Where a side's entries come from: its own keys with hashes, a whole read, or its list of keys. */
export type EntrySource = "keys" | "read" | "listKeys";

export type MethodVerdict =
  | { readonly kind: "digest" | "hashes" | "keys"; readonly source: EntrySource; readonly target: EntrySource }
  | { readonly kind: "counts" }
  /** Nothing can be compared; why, for each side. */
  | { readonly kind: "none"; readonly source: string; readonly target: string };

/** The best that both sides have. `maxRead`: a side with more records is not read whole. */
export function chooseMethod(facts: {
  readonly source: SideOffer;
  readonly target: SideOffer;
  readonly fields: Pick<ComparedFields, "sourceInPlace" | "targetInPlace" | "sameKeys">;
  readonly maxRead: number;
}): MethodVerdict {
  const { source, target, fields, maxRead } = facts;
  const contents = [
    contentOf(source, { inPlace: fields.sourceInPlace, maxRead }),
    contentOf(target, { inPlace: fields.targetInPlace, maxRead }),
  ] as const;
  const [ofSource, ofTarget] = contents;
  if (ofSource !== null && ofTarget !== null) {
    // What lies in buckets that do not differ is not listed, so it has to be counted.
    const digests = source.digest && source.count && fields.sourceInPlace && target.digest && target.count && fields.targetInPlace;
    return { kind: digests ? "digest" : "hashes", source: ofSource, target: ofTarget };
  }
  const keys = [keysOf(source, ofSource), keysOf(target, ofTarget)] as const;
  const [sourceKeys, targetKeys] = keys;
  // A source whose records have other keys at the target has to be read to know them.
  const isKnown = fields.sameKeys || sourceKeys === "read";
  if (sourceKeys !== null && targetKeys !== null && isKnown) return { kind: "keys", source: sourceKeys, target: targetKeys };
  if (source.count && target.count) return { kind: "counts" };
  return { kind: "none", source: lackOf(source, maxRead), target: lackOf(target, maxRead) };
}

function contentOf(side: SideOffer, { inPlace, maxRead }: { readonly inPlace: boolean; readonly maxRead: number }): "keys" | "read" | null {
  if (side.keys && inPlace) return "keys";
  return isReadable(side, maxRead) ? "read" : null;
}

function keysOf(side: SideOffer, content: "keys" | "read" | null): EntrySource | null {
  if (content !== null) return content;
  if (side.keys) return "keys";
  return side.listKeys ? "listKeys" : null;
}

function isReadable(side: SideOffer, maxRead: number): boolean {
  return side.read && (side.records === null || side.records <= maxRead);
}

function lackOf(side: SideOffer, maxRead: number): string {
  if (side.read && !isReadable(side, maxRead))
    return `it has ${side.records ?? "too many"} records, and at most ${maxRead} are read to be compared; its connector lists no keys`;
  return "its connector can neither be read nor list keys, nor do both sides count";
}
