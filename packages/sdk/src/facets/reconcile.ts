import type { Context } from "../context.js";

/** A part of a stream: by change time where the system has one. @experimental */
export interface ReconcileRange {
  readonly stream: string;
  /** ISO 8601 UTC; only records changed at or after it. */
  readonly from?: string;
  /** ISO 8601 UTC; only records changed before it. */
  readonly to?: string;
}

/** The key of a record with the hash of its content: `recordHash` of this package makes it, so that both sides agree. @experimental */
export interface KeyHash {
  readonly key: string;
  readonly hash: string;
}

/** Some of the buckets that keys fall into by `bucketOf(key, buckets)`. @experimental */
export interface ReconcileBuckets {
  readonly buckets: number;
  readonly wanted: readonly number[];
}

/** Comparing what two systems hold. The engine takes the best that both sides have: digests, then keys, then counts. @experimental */
export interface ReconcileCapability<C, S> {
  /** How many records there are. */
  count?(x: Context<C, S>, range: ReconcileRange): Promise<number>;
  /**
   * Keys with hashes over the named fields, in ascending order of `compareKeys` (by code points, `collate "C"` of databases), behind `after`, at most
   * `limit`. Fewer than `limit` is the end. With `within` only keys of these buckets are wanted; more do no harm.
   */
  keys?(
    x: Context<C, S>,
    request: ReconcileRange & {
      readonly fields: readonly string[];
      readonly after: string | undefined;
      readonly limit: number;
      readonly within?: ReconcileBuckets;
    },
  ): Promise<readonly KeyHash[]>;
  /**
   * One digest a bucket: the bucket of a record is `bucketOf(key, buckets)`, its digest `digestOf` over the (key, hash) pairs of the bucket, whatever their
   * order. For systems that can compute it where the data is.
   */
  digest?(
    x: Context<C, S>,
    request: ReconcileRange & { readonly fields: readonly string[]; readonly buckets: number },
  ): Promise<readonly string[]>;
}

/** Comparing what two systems hold. @experimental */
export interface ReconcileFacet<C, S> {
  readonly reconcile?: ReconcileCapability<C, S>;
}
