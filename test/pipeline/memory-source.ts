import {
  type Connector,
  type Context,
  type Cursor,
  defineConnector,
  type Page,
  type ReadRequest,
  type SourceRecord,
  z,
} from "@quiesce/sdk";

/** A vendor's system in memory: a log of changes that is read by position, and what exists now. */
export interface MemorySource {
  readonly connector: Connector;
  put(key: string, data?: SourceRecord["data"]): void;
  remove(key: string): void;
  /** Gives exactly this record at the next read, however broken it is. */
  putRaw(record: unknown): void;
  /** Called before every page and every list of keys; throwing makes the call fail. */
  onPage: (x: Context, page: number) => void | Promise<void>;
  /** Ends the listing of keys after its first page, without saying that it is complete. */
  breakListing: boolean;
  /** How many reads ended by clean-up, be it at the end or before. */
  readonly released: number;
}

/** Makes one; `deletes` says how deletions show. */
export function memorySource(
  options: {
    readonly deletes?: "snapshot" | "tombstone";
    readonly cursor?: "incremental" | "log" | "none";
    readonly listKeys?: boolean;
    /** Its next page may be asked for before one is committed. */
    readonly ahead?: boolean;
    /** Whether its records say which version they are; yes when left out. */
    readonly versions?: boolean;
  } = {},
): MemorySource {
  const { deletes = "snapshot", cursor = "incremental", ahead = false, versions = true } = options;
  const log: SourceRecord[] = [];
  const present = new Set<string>();
  let released = 0;
  let version = 0;
  const visible = (): readonly SourceRecord[] => {
    if (cursor !== "none") return log;
    const latest = new Map(log.map((record) => [record.key, record]));
    return [...latest.values()].filter((record) => present.has(record.key));
  };
  async function* read(x: Context, request: ReadRequest): AsyncGenerator<Page, void, void> {
    let position = cursorPosition(request.cursor);
    try {
      for (let page = 1; ; page += 1) {
        await source.onPage(x, page);
        const all = visible();
        const records = all.slice(position, position + request.pageSize);
        position += records.length;
        const more = position < all.length;
        yield { records, cursor: cursor === "none" && !more ? {} : { position }, more, ahead };
        if (!more) return;
      }
    } finally {
      released += 1;
    }
  }
  const source: MemorySource = {
    connector: defineConnector({
      apiVersion: 1,
      id: "memory-source",
      version: "1.0.0",
      displayName: "Memory",
      stability: "experimental",
      config: z.object({}),
      secrets: z.object({ token: z.string().optional() }),
      egress: () => [],
      check: async () => ({ status: "up" }),
      streams: async () => [{ name: "items", schema: {}, key: ["id"], cursor, deletes }],
      read,
      ...(options.listKeys === false
        ? {}
        : {
            listKeys: async function* (x, request) {
              const keys = [...present].toSorted();
              await source.onPage(x, 0);
              yield {
                keys: source.breakListing ? keys.slice(0, 1) : keys,
                cursor: { after: String(request.pageSize) },
                more: source.breakListing,
              };
            },
          }),
    }),
    put(key, data = {}) {
      version += 1;
      present.add(key);
      log.push({ key, ...(versions ? { version: String(version) } : {}), data: { id: key, ...data } });
    },
    remove(key) {
      version += 1;
      present.delete(key);
      if (deletes === "tombstone") log.push({ key, op: "delete", version: String(version), data: {} });
    },
    putRaw: (record) => void log.push(record as SourceRecord),
    onPage: () => undefined,
    breakListing: false,
    get released() {
      return released;
    },
  };
  return source;
}

function cursorPosition(cursor: Cursor | null): number {
  const position = cursor?.["position"];
  return typeof position === "number" ? position : 0;
}
