import { bucketOf, compareKeys, digestOf, recordHash, type KeyHash } from "../../index.js";
import { exampleConnector } from "../example/example-connector.js";
import type { ExampleContext } from "../example/example-request.js";
import { mutant, own, type Mutant } from "./mutant.js";

const reconcile = own(exampleConnector.reconcile);
const count = own(reconcile.count?.bind(reconcile));
const keys = own(reconcile.keys?.bind(reconcile));
const digest = own(reconcile.digest?.bind(reconcile));
const read = own(exampleConnector.read?.bind(exampleConnector));

type KeysRequest = Parameters<typeof keys>[1];

function compares(members: Partial<typeof reconcile>): { readonly reconcile: typeof reconcile } {
  return { reconcile: { ...reconcile, ...members } };
}

const all = (x: ExampleContext, request: KeysRequest): Promise<readonly KeyHash[]> =>
  keys(x, { ...request, after: undefined, limit: 10_000 });

/** Every key of the orders that were read, deleted ones too, hashed over what `data` leaves. */
async function hashed(
  x: ExampleContext,
  request: KeysRequest,
  change: { readonly deleted?: boolean; readonly fields?: readonly string[] },
): Promise<readonly KeyHash[]> {
  const found: KeyHash[] = [];
  for await (const { records } of read(x, { stream: request.stream, cursor: null, pageSize: 100 }))
    for (const { key, data, op } of records)
      if (op !== "delete" || change.deleted === true) found.push({ key, hash: recordHash(data, change.fields ?? request.fields) });
  return found
    .toSorted((left, right) => compareKeys(left.key, right.key))
    .filter(({ key }) => request.after === undefined || compareKeys(key, request.after) > 0)
    .slice(0, request.limit);
}

/** Faults of comparisons. */
export const comparingMutants: readonly Mutant[] = [
  mutant(
    "reconcile: count is the number of records",
    "counts no more than a page",
    compares({ count: async (x, request) => Math.min(10, await count(x, request)) }),
  ),
  mutant(
    "reconcile: count is the number of records",
    "counts what is deleted",
    compares({
      count: async (x, request) => (await hashed(x, { ...request, fields: [], after: undefined, limit: 10_000 }, { deleted: true })).length,
    }),
  ),
  mutant(
    "reconcile: pages of 100 give every key once, in order, with its hash",
    "orders keys as numbers",
    compares({ keys: async (x, request) => (await keys(x, request)).toSorted((left, right) => Number(left.key) - Number(right.key)) }),
  ),
  mutant(
    "reconcile: pages of 5 give every key once, in order, with its hash",
    "begins a page with the key that the last one ended with",
    compares({
      keys: async (x, request) => {
        const { after } = request;
        const found = await all(x, request);
        return found.filter(({ key }) => after === undefined || compareKeys(key, after) >= 0).slice(0, request.limit);
      },
    }),
  ),
  mutant(
    "reconcile: pages of 2 give every key once, in order, with its hash",
    "gives more keys than were asked for",
    compares({ keys: (x, request) => keys(x, { ...request, limit: request.limit + 1 }) }),
  ),
  mutant(
    "reconcile: pages of 1 give every key once, in order, with its hash",
    "ends after a few pages",
    compares({ keys: async (x, request) => (request.after === "12" ? [] : keys(x, request)) }),
  ),
  mutant(
    "reconcile: pages of 100 give every key once, in order, with its hash",
    "hashes JSON in a form of its own",
    compares({
      keys: async (x, request) => (await keys(x, request)).map(({ key, hash }) => ({ key, hash: recordHash({ hash }, ["hash"]) })),
    }),
  ),
  mutant(
    "reconcile: a hash tells a change of the fields, and of nothing else",
    "hashes the time of the change as well",
    compares({ keys: (x, request) => hashed(x, request, { fields: [...request.fields, "at"] }) }),
  ),
  mutant(
    "reconcile: a hash tells a change of the fields, and of nothing else",
    "hashes the key alone",
    compares({ keys: (x, request) => hashed(x, request, { fields: ["id"] }) }),
  ),
  mutant(
    "reconcile: keys of wanted buckets are all there",
    "leaves out keys of a wanted bucket",
    compares({
      keys: async (x, request) => {
        const { within } = request;
        const found = await keys(x, request);
        return within === undefined ? found : found.filter(({ key }) => bucketOf(key, within.buckets) === within.wanted[0]).slice(1);
      },
    }),
  ),
  mutant(
    "reconcile: a hash is that of what read gives",
    "compares something else than it reads",
    compares({ keys: (x, request) => hashed(x, request, { fields: ["N"] }) }),
  ),
  mutant(
    "reconcile: what is deleted is in no comparison",
    "lists keys of what is deleted",
    compares({ keys: (x, request) => hashed(x, request, { deleted: true }) }),
  ),
  mutant(
    "reconcile: a digest a bucket is digestOf over its keys and hashes",
    "has a digest for each bucket that holds something",
    compares({ digest: async (x, request) => (await digest(x, request)).filter((one) => one !== "") }),
  ),
  mutant(
    "reconcile: a digest a bucket is digestOf over its keys and hashes",
    "spreads keys over buckets in its own way",
    compares({
      digest: async (x, request) => {
        const pairs = await all(x, { ...request, after: undefined, limit: 10_000 });
        return Array.from({ length: request.buckets }, (_none, bucket) =>
          digestOf(pairs.filter(({ key }) => Number(key) % request.buckets === bucket)),
        );
      },
    }),
  ),
  mutant(
    "reconcile: a stream that there is not is config",
    "has nothing to compare in a stream that there is not",
    compares({ count: async (x, request) => (request.stream === "orders" ? count(x, request) : 0) }),
  ),
  mutant(
    "reconcile: a range of time is kept to, or refused as config",
    "compares everything, whatever the range",
    compares({ count: (x, { stream }) => count(x, { stream }), keys: (x, { from: _from, to: _to, ...request }) => keys(x, request) }),
  ),
];
