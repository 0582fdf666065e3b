import { type Connector, type Context, defineConnector, type JsonObject, type WriteItem, type WriteResult, z } from "@quiesce/sdk";

/** A vendor's system in memory that is read and written, by people too. */
export interface MemorySide {
  readonly connector: Connector;
  /** What it holds, by key. */
  readonly rows: Map<string, JsonObject>;
  /** Every item that was applied, repetitions included. */
  readonly applied: WriteItem[];
  /** Somebody changes a record there, or makes one. */
  edit(key: string, data: JsonObject): void;
  remove(key: string): void;
  /** May answer for an item instead of applying it. */
  refuse: (item: WriteItem) => Extract<WriteResult, { ok: false }>["error"] | undefined;
  before: (x: Context, items: readonly WriteItem[]) => void | Promise<void>;
  after: (x: Context, items: readonly WriteItem[]) => void | Promise<void>;
  onPage: () => void | Promise<void>;
}

/** Makes one. A write changes the fields it names and leaves the rest; with versions it refuses one that was made for another version. */
export function memorySide(id: string, options: { readonly versions?: boolean; readonly tombstones?: boolean } = {}): MemorySide {
  const { versions = true, tombstones = false } = options;
  const rows = new Map<string, JsonObject>();
  const changes = new Map<string, number>();
  let position = 0;
  const touch = (key: string): void => {
    position += 1;
    changes.set(key, position);
  };
  const versionOf = (key: string) => (versions ? { version: String(changes.get(key)) } : {});
  const apply = (item: WriteItem): WriteResult => {
    const { key } = item;
    const error = side.refuse(item);
    if (error !== undefined) return { key, ok: false, error };
    const now = rows.get(key);
    if (versions && item.ifVersion !== undefined && item.ifVersion !== String(changes.get(key)))
      return { key, ok: false, error: { kind: "conflict", message: "It was changed." } };
    side.applied.push(item);
    if (item.op === "delete") {
      if (rows.delete(key)) touch(key);
      return { key, ok: true, ...(now === undefined ? { unchanged: true } : {}) };
    }
    const data = { ...now, ...item.data };
    if (JSON.stringify(data) === JSON.stringify(now)) return { key, ok: true, unchanged: true, ...versionOf(key) };
    rows.set(key, data);
    touch(key);
    return { key, ok: true, ...versionOf(key) };
  };
  const side: MemorySide = {
    rows,
    applied: [],
    edit(key, data) {
      rows.set(key, { ...(rows.get(key) ?? { id: key }), ...data });
      touch(key);
    },
    remove(key) {
      if (rows.delete(key)) touch(key);
    },
    refuse: () => undefined,
    before: () => undefined,
    after: () => undefined,
    onPage: () => undefined,
    connector: defineConnector({
      apiVersion: 1,
      id,
      version: "1.0.0",
      displayName: "Memory",
      stability: "experimental",
      config: z.object({}),
      secrets: z.object({}),
      egress: () => [],
      streams: async () => [
        { name: "items", schema: {}, key: ["id"], cursor: "incremental", deletes: tombstones ? "tombstone" : "snapshot" },
      ],
      read: async function* (_x, request) {
        let from = Number(request.cursor?.["position"] ?? 0);
        for (let more = true; more;) {
          await side.onPage();
          const changed = [...changes].filter(([key, at]) => at > from && (tombstones || rows.has(key))).toSorted(([, a], [, b]) => a - b);
          const page = changed.slice(0, request.pageSize);
          more = changed.length > page.length;
          from = page.at(-1)?.[1] ?? from;
          const records = page.map(([key]) => {
            const data = rows.get(key);
            return data === undefined ? { key, op: "delete" as const, data: {}, ...versionOf(key) } : { key, data, ...versionOf(key) };
          });
          yield { records, cursor: { position: from }, more };
        }
      },
      ...(tombstones
        ? {}
        : {
            listKeys: async function* () {
              yield { keys: [...rows.keys()], cursor: {}, more: false };
            },
          }),
      write: {
        idempotency: "upsert",
        maxBatch: 100,
        apply: async (x, _stream, items) => {
          await side.before(x, items);
          const results = items.map(apply);
          await side.after(x, items);
          return results;
        },
      },
    }),
  };
  return side;
}
