import DataLoader from "dataloader";
import { groupRows } from "../db/group-rows.js";
import type { RequestContext } from "./request-context.js";

/** A relation that is read for all parents of a batch in one statement. */
export interface Batched<Key, Row> {
  many(context: RequestContext, parent: Key): Promise<readonly Row[]>;
  one(context: RequestContext, parent: Key): Promise<Row | null>;
}

/** At most this many parents in one statement. */
const MAX_BATCH = 1_000;

/**
 * Groups the questions of one tick. Like the node loaders it remembers nothing afterwards: a subscription's context lives as long as its socket.
 */
export function batched<Key, Row>(
  load: (parents: readonly Key[], context: RequestContext) => Promise<readonly Row[]>,
  parentOf: (row: Row) => Key,
): Batched<Key, Row> {
  const loaders = new WeakMap<RequestContext, DataLoader<Key, readonly Row[]>>();
  const loaderOf = (context: RequestContext) => {
    const known = loaders.get(context);
    if (known !== undefined) return known;
    const loader = new DataLoader<Key, readonly Row[]>(
      async (parents) => {
        const groups = groupRows(await load([...new Set(parents)], context), parentOf);
        return parents.map((parent) => groups.get(parent) ?? []);
      },
      { cache: false, maxBatchSize: MAX_BATCH },
    );
    loaders.set(context, loader);
    return loader;
  };
  return {
    many: (context, parent) => loaderOf(context).load(parent),
    one: async (context, parent) => (await loaderOf(context).load(parent))[0] ?? null,
  };
}
