import { DomainError } from "@quiesce/core";
import { type SQL, sql } from "drizzle-orm";
import type { Database } from "./client.js";
import { selectRows } from "./select-rows.js";

const DEFAULT_PAGE_SIZE = 50;
const MAX_PAGE_SIZE = 200;

export interface PageArgs {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
}

/** A column that a list is ordered by; the last one is unique, so that no page skips or repeats an item. */
export interface SortKey<Row> {
  readonly column: SQL;
  readonly type: "text" | "bigint" | "timestamptz" | "uuid";
  of(row: Row): string | number;
}

/** A list that can be read in pages. */
export interface PagedQuery<Row> {
  readonly columns: SQL;
  /** Tables and joins. */
  readonly from: SQL;
  readonly where: readonly SQL[];
  readonly sort: readonly SortKey<Row>[];
  readonly direction: "asc" | "desc";
}

/** A page in the shape of a Relay connection. */
export interface Page<Row> {
  readonly edges: { readonly cursor: string; readonly node: Row }[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
  readonly countAll: () => Promise<number>;
}

/** How many items a connection field asks for; also its weight in the complexity of an operation. */
export function pageSize(first: number | null | undefined): number {
  const size = first ?? DEFAULT_PAGE_SIZE;
  if (size < 0 || size > MAX_PAGE_SIZE) {
    throw new DomainError("QSC_GRAPHQL_PAGE_SIZE", `first is ${size}; a page has 0 to ${MAX_PAGE_SIZE} items.`, { field: "first" });
  }
  return size;
}

/** Reads one page by its keys, not by an offset: items that come and go meanwhile move no page boundary. */
export async function readPage<Row>(database: Database, args: PageArgs, query: PagedQuery<Row>): Promise<Page<Row>> {
  const size = pageSize(args.first);
  const after = args.after === undefined || args.after === null ? [] : [behind(query, args.after)];
  const order = query.direction === "asc" ? sql`asc` : sql`desc`;
  const rows = await selectRows<Row>(
    database.db,
    sql`
    select ${query.columns} from ${query.from} where ${conjunction([...query.where, ...after])}
    order by ${sql.join(
      query.sort.map(({ column }) => sql`${column} ${order}`),
      sql`, `,
    )} limit ${size + 1}`,
  );
  const edges = rows.slice(0, size).map((node) => ({ cursor: encodeCursor(query, node), node }));
  return {
    edges,
    pageInfo: {
      hasNextPage: rows.length > size,
      hasPreviousPage: after.length > 0,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    countAll: async () => {
      const [row] = await database.db.execute<{ n: number }>(
        sql`select count(*)::float8 as n from ${query.from} where ${conjunction(query.where)}`,
      );
      return row?.n ?? 0;
    },
  };
}

function conjunction(conditions: readonly SQL[]): SQL {
  return conditions.length === 0
    ? sql`true`
    : sql.join(
        conditions.map((condition) => sql`(${condition})`),
        sql` and `,
      );
}

function encodeCursor<Row>(query: PagedQuery<Row>, row: Row): string {
  return Buffer.from(JSON.stringify(query.sort.map((key) => key.of(row))), "utf8").toString("base64url");
}

function behind<Row>(query: PagedQuery<Row>, cursor: string): SQL {
  const values = decodeCursor(cursor, query);
  const columns = sql.join(
    query.sort.map(({ column }) => column),
    sql`, `,
  );
  const than = sql.join(
    query.sort.map(({ type }, index) => sql`${values[index]}::${sql.raw(type)}`),
    sql`, `,
  );
  return query.direction === "asc" ? sql`(${columns}) > (${than})` : sql`(${columns}) < (${than})`;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function decodeCursor<Row>(cursor: string, query: PagedQuery<Row>): readonly (string | number)[] {
  const refusal = new DomainError(
    "QSC_GRAPHQL_CURSOR_INVALID",
    "This is not a cursor of this list. Pass `endCursor` of the page before, unchanged, with the same orderBy.",
    { field: "after" },
  );
  let values: unknown;
  try {
    values = JSON.parse(Buffer.from(cursor.slice(0, 2_000), "base64url").toString("utf8"));
  } catch {
    throw refusal;
  }
  if (!Array.isArray(values) || values.length !== query.sort.length) throw refusal;
  return query.sort.map(({ type }, index) => {
    const value: unknown = values[index];
    const fits =
      type === "text"
        ? typeof value === "string"
        : type === "uuid"
          ? typeof value === "string" && UUID.test(value)
          : Number.isSafeInteger(value);
    if (!fits || (typeof value !== "string" && typeof value !== "number")) throw refusal;
    return value;
  });
}
