import { type Connector, type Context, defineConnector, type WriteIdempotency, type WriteItem, type WriteResult, z } from "@quiesce/sdk";

/** A vendor's system in memory that takes records. */
export interface MemoryTarget {
  readonly connector: Connector;
  /** What it holds, by key. */
  readonly rows: Map<string, WriteItem["data"]>;
  /** Every item that was applied, repetitions included. */
  readonly applied: WriteItem[];
  /** May answer for an item instead of applying it. */
  refuse: (item: WriteItem) => Extract<WriteResult, { ok: false }>["error"] | undefined;
  /** Called before and after each batch; throwing makes the call fail. */
  before: (x: Context, items: readonly WriteItem[]) => void | Promise<void>;
  after: (x: Context, items: readonly WriteItem[]) => void | Promise<void>;
}

/** Makes one with the given promise about repetitions. */
export function memoryTarget(options: { readonly idempotency?: WriteIdempotency; readonly maxBatch?: number } = {}): MemoryTarget {
  const rows = new Map<string, WriteItem["data"]>();
  const applied: WriteItem[] = [];
  const applyItem = (item: WriteItem): WriteResult => {
    const error = target.refuse(item);
    if (error !== undefined) return { key: item.key, ok: false, error };
    const unchanged = item.op === "delete" ? !rows.has(item.key) : JSON.stringify(rows.get(item.key)) === JSON.stringify(item.data);
    applied.push(item);
    if (item.op === "delete") rows.delete(item.key);
    else rows.set(item.key, item.data);
    return { key: item.key, ok: true, ...(unchanged ? { unchanged } : {}) };
  };
  const target: MemoryTarget = {
    rows,
    applied,
    refuse: () => undefined,
    before: () => undefined,
    after: () => undefined,
    connector: defineConnector({
      apiVersion: 1,
      id: "memory-target",
      version: "1.0.0",
      displayName: "Memory",
      stability: "experimental",
      config: z.object({}),
      secrets: z.object({ password: z.string().optional() }),
      egress: () => [],
      write: {
        idempotency: options.idempotency ?? "upsert",
        maxBatch: options.maxBatch ?? 100,
        apply: async (x, _stream, items) => {
          if (new Set(items.map((item) => item.key)).size !== items.length) throw new Error("two items of one key in a batch");
          await target.before(x, items);
          const results = items.map(applyItem);
          await target.after(x, items);
          return results;
        },
      },
    }),
  };
  return target;
}
