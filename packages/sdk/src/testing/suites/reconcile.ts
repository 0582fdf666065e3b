import { bucketOf, compareKeys, digestOf, recordHash, type KeyHash, type ReconcileCapability } from "../../index.js";
import {
  comparedStream,
  must,
  optionsMissing,
  rejectedAs,
  show,
  withFilledBench,
  type Bench,
  type ConformanceCase,
  type SuiteCases,
} from "../conformance-case.js";
import type { ReadOptions, ReconcileOptions, SeedRow, Subject } from "../conformance-options.js";
import { readPart } from "../read-pages.js";
import { SEED_ROWS } from "../seed-rows.js";

const LIMITS = [1, 2, 5, 100];
const BUCKETS = [1, 4, 64];
const MIDDLE = SEED_ROWS[6] ?? { id: "", at: new Date(0), n: 0 };

interface Comparing<T> extends Bench<T> {
  readonly subject: Subject<T>;
  readonly options: ReconcileOptions<T>;
  readonly source: Pick<ReadOptions<T>, "stream" | "seed" | "remove" | "keyOf">;
  readonly reconcile: ReconcileCapability<unknown, unknown>;
  /** What must be there, in the order of keys. */
  readonly expected: (rows: readonly SeedRow[]) => readonly KeyHash[];
  /** All keys on pages of this size. */
  readonly keys: (limit?: number) => Promise<readonly KeyHash[]>;
}

/** Both sides of a comparison hash alike: what the connector says of its records is what `recordHash`, `bucketOf` and `digestOf` say. */
export function reconcileCases<T>(subject: Subject<T>): SuiteCases {
  const { reconcile } = subject.connector;
  if (reconcile === undefined) return { skipped: "the connector compares nothing by itself" };
  const { reconcile: options, read } = subject.options;
  if (options === undefined) return optionsMissing("reconcile", "it names the fields to compare, and what rows hold in them");
  const source = options.source ?? read;
  if (source === undefined)
    return optionsMissing("reconcile", "without options.read its source says which stream it is and how to fill it");
  const one = (name: string, work: (comparing: Comparing<T>) => Promise<void>): ConformanceCase => ({
    suite: "reconcile",
    name: `reconcile: ${name}`,
    run: () =>
      withFilledBench(subject, async (bench) => {
        const expected = (rows: readonly SeedRow[]): readonly KeyHash[] =>
          rows
            .map((row) => ({ key: source.keyOf?.(row) ?? row.id, hash: recordHash(options.data(row), options.fields) }))
            .toSorted((left, right) => compareKeys(left.key, right.key));
        const keys = async (limit = 100): Promise<readonly KeyHash[]> => pagesOfKeys({ ...bench, reconcile, options, source }, limit);
        await work({ ...bench, subject, options, source, reconcile, expected, keys });
      }),
  });
  return [
    ...(reconcile.count === undefined ? [] : [one("count is the number of records", counts)]),
    ...(reconcile.keys === undefined ? [] : keyCases(one, subject)),
    ...(reconcile.digest === undefined ? [] : [one("a digest a bucket is digestOf over its keys and hashes", digests)]),
    one("a stream that there is not is config", refusesUnknown),
    one("a range of time is kept to, or refused as config", keepsRange),
  ];
}

function keyCases<T>(
  one: (name: string, work: (comparing: Comparing<T>) => Promise<void>) => ConformanceCase,
  subject: Subject<T>,
): readonly ConformanceCase[] {
  const { connector, options } = subject;
  return [
    ...LIMITS.map((limit) =>
      one(`pages of ${limit} give every key once, in order, with its hash`, async ({ keys, expected }) =>
        mustBe(await keys(limit), expected(SEED_ROWS), `Pages of ${limit}`),
      ),
    ),
    one("a hash tells a change of the fields, and of nothing else", followsChanges),
    one("keys of wanted buckets are all there", keepsBuckets),
    ...(connector.read === undefined || options.reconcile?.source !== undefined
      ? []
      : [one("a hash is that of what read gives", agreesWithRead)]),
    ...((options.reconcile?.source ?? options.read)?.remove === undefined
      ? []
      : [one("what is deleted is in no comparison", followsDeletions)]),
  ];
}

async function pagesOfKeys<T>(
  { reconcile, options, source, context }: Pick<Comparing<T>, "reconcile" | "options" | "source" | "context">,
  limit: number,
): Promise<readonly KeyHash[]> {
  const found: KeyHash[] = [];
  const { stream } = source;
  for (let after: string | undefined; ; after = found.at(-1)?.key) {
    const page: readonly KeyHash[] = (await reconcile.keys?.(await context(), { stream, fields: options.fields, after, limit })) ?? [];
    must(page.length <= limit, `reconcile.keys was asked for ${limit} keys at most, and gave ${page.length}.`);
    found.push(...page.map(({ key, hash }) => ({ key, hash })));
    if (page.length < limit) return found;
    must(
      found.length <= SEED_ROWS.length * 3,
      `reconcile.keys on pages of ${limit} finds no end: after ${found.length} keys it stands at ${show(found.at(-1))}.`,
    );
  }
}

function mustBe(found: readonly KeyHash[], expected: readonly KeyHash[], what: string): void {
  const [keys, wanted] = [found.map(({ key }) => key), expected.map(({ key }) => key)];
  must(show(keys) === show(wanted), `${what} give the keys ${show(keys)}, expected ${show(wanted)} in the order of compareKeys.`);
  for (const [index, { key, hash }] of expected.entries())
    must(
      found[index]?.hash === hash,
      `${what} give ${key} the hash ${show(found[index]?.hash)}, expected ${hash}: recordHash over the fields alone, in the form of comparableValue.`,
    );
}

async function counts<T>({ reconcile, context, source, system }: Comparing<T>): Promise<void> {
  const count = async (): Promise<number | undefined> => reconcile.count?.(await context(), { stream: source.stream });
  const before = await count();
  must(before === SEED_ROWS.length, `There are ${SEED_ROWS.length} records, count says ${show(before)}.`);
  if (source.remove === undefined) return;
  await source.remove(system, MIDDLE.id);
  const after = await count();
  must(after === SEED_ROWS.length - 1, `One of ${SEED_ROWS.length} records was deleted, count says ${show(after)}.`);
}

async function followsChanges<T>({ keys, expected, source, system }: Comparing<T>): Promise<void> {
  const later = new Date(MIDDLE.at.getTime() + 1_000);
  await source.seed(system, [{ ...MIDDLE, at: later }]);
  mustBe(await keys(), expected(SEED_ROWS), "After a change of another field the pages");
  const changed = { ...MIDDLE, at: later, n: 1_000 + MIDDLE.n };
  await source.seed(system, [changed]);
  const rows = SEED_ROWS.map((row) => (row.id === changed.id ? changed : row));
  mustBe(await keys(), expected(rows), "After a change of a compared field the pages");
}

async function keepsBuckets<T>({ reconcile, options, source, context, expected }: Comparing<T>): Promise<void> {
  for (const wanted of [[0], [1, 3]]) {
    const within = { buckets: 4, wanted };
    const request = { stream: source.stream, fields: options.fields, after: undefined, limit: 100, within };
    const found = (await reconcile.keys?.(await context(), request)) ?? [];
    // More than is wanted does no harm.
    const own = found.filter(({ key }) => wanted.includes(bucketOf(key, 4))).map(({ key, hash }) => ({ key, hash }));
    mustBe(
      own,
      expected(SEED_ROWS).filter(({ key }) => wanted.includes(bucketOf(key, 4))),
      `Keys of the buckets ${show(wanted)} of 4`,
    );
  }
}

async function agreesWithRead<T>({ subject, options, source, context, keys }: Comparing<T>): Promise<void> {
  const { records } = await readPart(subject.connector, await context(), { stream: source.stream, pageSize: 100 });
  const hashes = new Map((await keys()).map(({ key, hash }) => [key, hash]));
  for (const { key, data } of records.filter(({ op }) => op !== "delete"))
    must(
      hashes.get(key) === recordHash(data, options.fields),
      `read gives ${key} as ${show(data)}, whose hash is ${recordHash(data, options.fields)}; reconcile.keys says ${show(hashes.get(key))}.`,
    );
}

async function followsDeletions<T>({ keys, expected, source, system }: Comparing<T>): Promise<void> {
  await source.remove?.(system, MIDDLE.id);
  mustBe(await keys(), expected(SEED_ROWS.filter(({ id }) => id !== MIDDLE.id)), "After a deletion the pages");
}

async function digests<T>({ reconcile, options, source, context, expected }: Comparing<T>): Promise<void> {
  const pairs = expected(SEED_ROWS);
  for (const buckets of BUCKETS) {
    const found = await reconcile.digest?.(await context(), { stream: source.stream, fields: options.fields, buckets });
    const wanted = Array.from({ length: buckets }, (_none, bucket) =>
      digestOf(pairs.filter(({ key }) => bucketOf(key, buckets) === bucket)),
    );
    must(found?.length === buckets, `Asked for ${buckets} buckets, digest gave ${show(found?.length)}.`);
    for (const [bucket, digest] of wanted.entries())
      must(found[bucket] === digest, `Of ${buckets} buckets, ${bucket} has the digest ${show(found[bucket])}, expected ${show(digest)}.`);
  }
}

async function refusesUnknown<T>({ reconcile, options, context }: Comparing<T>): Promise<void> {
  const x = await context();
  const unknown = { stream: "no-such-stream", fields: options.fields };
  if (reconcile.count !== undefined) await rejectedAs("count of a stream that there is not", ["config"], reconcile.count(x, unknown));
  if (reconcile.keys !== undefined)
    await rejectedAs("keys of a stream that there is not", ["config"], reconcile.keys(x, { ...unknown, after: undefined, limit: 10 }));
  if (reconcile.digest !== undefined)
    await rejectedAs("digest of a stream that there is not", ["config"], reconcile.digest(x, { ...unknown, buckets: 4 }));
}

async function keepsRange<T>({ subject, reconcile, options, context, expected }: Comparing<T>): Promise<void> {
  const range = { stream: comparedStream(subject), from: MIDDLE.at.toISOString() };
  const rows = SEED_ROWS.filter(({ at }) => at >= MIDDLE.at);
  const within = async <R>(what: string, work: Promise<R>, look: (found: R) => void): Promise<void> => {
    const outcome = await work.then((found) => ({ found })).catch(() => undefined);
    if (outcome === undefined) await rejectedAs(`${what} of a range`, ["config"], work);
    else look(outcome.found);
  };
  if (reconcile.count !== undefined)
    await within("count", reconcile.count(await context(), range), (found) =>
      must(
        found === rows.length,
        `${rows.length} records changed from ${range.from} on, count says ${found}. Throw config if ranges cannot be told.`,
      ),
    );
  if (reconcile.keys !== undefined)
    await within("keys", reconcile.keys(await context(), { ...range, fields: options.fields, after: undefined, limit: 100 }), (found) =>
      mustBe(found, expected(rows), "Keys of a range"),
    );
}
