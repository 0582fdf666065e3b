/** A record of one side: its key, and the hash of its compared fields. Where only keys are compared every hash is empty. */
export interface SideEntry {
  readonly key: string;
  readonly hash: string;
}

/** How a record differs: it is at one side only, or with other content at the two. */
export const differenceKinds = ["only-source", "only-target", "different"] as const;
export type DifferenceKind = (typeof differenceKinds)[number];

/** A record that differs, with its hash at either side; null where it is absent. */
export interface Difference {
  readonly key: string;
  readonly source: string | null;
  readonly target: string | null;
}

export type Comparison = { readonly kind: "equal"; readonly key: string } | ({ readonly kind: DifferenceKind } & Difference);

/** Which order keys have: negative when the left one comes first. */
export type KeyOrder = (left: string, right: string) => number;

/**
 * Compares two lists of records, both in ascending order of the key and each key once, record by record: nothing is kept but the two at hand. A list
 * out of order throws a RangeError that names the side and its keys.
 */
export async function* compareSides(
  sides: { readonly source: AsyncIterable<SideEntry>; readonly target: AsyncIterable<SideEntry> },
  order: KeyOrder,
): AsyncGenerator<Comparison, void, void> {
  const source = inOrder(sides.source, "source", order);
  const target = inOrder(sides.target, "target", order);
  try {
    let [left, right] = [await nextOf(source), await nextOf(target)];
    while (left !== null || right !== null) {
      const place = left === null ? 1 : right === null ? -1 : order(left.key, right.key);
      const here = place <= 0 ? left : null;
      const there = place >= 0 ? right : null;
      yield compared(here, there);
      if (here !== null) left = await nextOf(source);
      if (there !== null) right = await nextOf(target);
    }
  } finally {
    await source.return();
    await target.return();
  }
}

/** What kind of difference it is; null for none. */
export function differenceOf(source: string | null, target: string | null): DifferenceKind | null {
  if (source === target) return null;
  if (target === null) return "only-source";
  return source === null ? "only-target" : "different";
}

function compared(here: SideEntry | null, there: SideEntry | null): Comparison {
  const source = here?.hash ?? null;
  const target = there?.hash ?? null;
  const key = here?.key ?? there?.key ?? "";
  const kind = differenceOf(source, target);
  return kind === null ? { kind: "equal", key } : { kind, key, source, target };
}

async function* inOrder(
  entries: AsyncIterable<SideEntry>,
  side: "source" | "target",
  order: KeyOrder,
): AsyncGenerator<SideEntry, void, void> {
  let last: string | undefined;
  for await (const entry of entries) {
    if (last !== undefined && order(last, entry.key) >= 0)
      throw new RangeError(
        `The ${side} gave the key ${JSON.stringify(entry.key.slice(0, 80))} behind ${JSON.stringify(last.slice(0, 80))}, expected each key once, in ascending order by code points.`,
      );
    last = entry.key;
    yield entry;
  }
}

async function nextOf(entries: AsyncGenerator<SideEntry, void, void>): Promise<SideEntry | null> {
  const step = await entries.next();
  return step.done === true ? null : step.value;
}

/** The buckets whose digests differ, from 0. Lists of other lengths than `buckets` throw a RangeError. */
export function differingBuckets(source: readonly string[], target: readonly string[], buckets: number): readonly number[] {
  for (const [side, digests] of [
    ["source", source],
    ["target", target],
  ] as const) {
    if (digests.length !== buckets)
      throw new RangeError(`The ${side} gave ${digests.length} digests, expected one for each of ${buckets} buckets.`);
  }
  return source.flatMap((digest, bucket) => (digest === target[bucket] ? [] : [bucket]));
}
