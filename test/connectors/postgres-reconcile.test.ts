import { postgresConnector } from "@quiesce/connectors";
import { bucketOf, compareKeys, digestOf, joinKey, type KeyHash, recordHash } from "@quiesce/sdk";
import fc from "fast-check";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freshDatabase, type FreshDatabase } from "../database/fresh-database.js";
import { readPages, runContext } from "./run-context.js";

let database: FreshDatabase;
let sql: postgres.Sql;
let settings: Record<string, unknown>;
let secrets: Record<string, string>;

beforeAll(async () => {
  database = await freshDatabase({ empty: true });
  sql = postgres(database.url, { max: 2, onnotice: () => undefined });
  const url = new URL(database.url);
  settings = {
    host: url.hostname,
    port: Number(url.port || 5432),
    database: url.pathname.slice(1),
    user: decodeURIComponent(url.username),
    ssl: "disable",
  };
  secrets = url.password === "" ? {} : { password: decodeURIComponent(url.password) };
});
afterAll(async () => {
  await sql.end();
  await database.drop();
});

const COLUMNS = ["small", "big", "amount", "yes", "note", "code", "fixed", "day", "moment", "clock", "u"] as const;
const BUCKETS = 7;

async function endpoint(table: string, key: readonly string[] = ["id"]) {
  return runContext(postgresConnector, { config: { ...settings, streams: [{ name: "s", table, key }] }, secrets });
}

const reconcile = postgresConnector.reconcile;

/** What the engine would make of the records that it reads. */
async function expected(table: string, fields: readonly string[], key?: readonly string[]): Promise<readonly KeyHash[]> {
  const { records } = await readPages(postgresConnector, await endpoint(table, key), { stream: "s", pageSize: 1_000 });
  return records
    .map((record) => ({ key: record.key, hash: recordHash(record.data, fields) }))
    .toSorted((a, b) => compareKeys(a.key, b.key));
}

function digestsOf(pairs: readonly KeyHash[]): readonly string[] {
  return Array.from({ length: BUCKETS }, (_none, bucket) => digestOf(pairs.filter(({ key }) => bucketOf(key, BUCKETS) === bucket)));
}

async function listed(
  table: string,
  fields: readonly string[],
  options: { readonly limit: number; readonly key?: readonly string[]; readonly within?: { buckets: number; wanted: number[] } },
) {
  const x = await endpoint(table, options.key);
  const found: KeyHash[] = [];
  let after: string | undefined;
  while (true) {
    const { limit, within } = options;
    const page = (await reconcile?.keys?.(x, { stream: "s", fields, after, limit, ...(within === undefined ? {} : { within }) })) ?? [];
    found.push(...page);
    if (page.length < limit) return found;
    after = page.at(-1)?.key;
  }
}

/** Texts that look like numbers, times and JSON, and any other. */
const text = fc
  .oneof(
    fc.string({ unit: "grapheme", maxLength: 12 }),
    fc.string({ unit: "binary", maxLength: 8 }),
    fc.stringMatching(/^-?0?\d{1,32}(\.\d{0,32})?$/),
    fc.constantFrom("", "0", "-0", "-0.00", "1e3", "007", "1.50", "true", '"\\\b\f\n\r\t\u001f\u007f\u2028', "2026-01-01", "null", "5\n"),
  )
  .map((value) => value.replaceAll("\0", ""));
const decimal = fc.stringMatching(/^-?\d{1,34}(\.\d{1,34})?$/);
const moment = fc.oneof(
  fc
    .date({ min: new Date("0001-01-02"), max: new Date("9999-12-30"), noInvalidDate: true })
    .chain((date) => fc.constantFrom("", "000", "001", "120").map((micros) => date.toISOString().replace("Z", `${micros}+00`))),
  fc.constantFrom(
    "infinity",
    "-infinity",
    "0044-03-15 10:00:00+00 BC",
    "10000-01-01 00:00:00+00",
    "0001-01-01 00:00:00+00",
    "2026-01-01 00:00:10+00",
  ),
);
const row = fc.record({
  small: fc.option(fc.integer({ min: -32_768, max: 32_767 })),
  big: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String)),
  amount: fc.option(fc.oneof(decimal, fc.constantFrom("NaN", "0.00", "-0.0", "12.500"))),
  yes: fc.option(fc.boolean()),
  note: fc.option(text),
  code: fc.option(text.map((value) => Array.from(value).slice(0, 10).join(""))),
  fixed: fc.option(fc.stringMatching(/^[a-z0-9.]{0,4}$/)),
  day: fc.option(
    fc.oneof(
      fc.constantFrom("infinity", "0044-03-15 BC"),
      fc
        .date({ min: new Date("0001-01-02"), max: new Date("9999-12-30"), noInvalidDate: true })
        .map((date) => date.toISOString().slice(0, 10)),
    ),
  ),
  moment: fc.option(moment),
  clock: fc.option(moment.map((value) => value.replace("+00", ""))),
  u: fc.option(fc.uuid()),
});

describe("what PostgreSQL computes is what the engine would of the records it reads", () => {
  test("digests in SQL, of every type it knows, whatever the values", async () => {
    await sql`drop table if exists everything`;
    await sql`create table everything (id text primary key, small int2, big int8, amount numeric, yes boolean, note text, code varchar(40), fixed char(6), day date, moment timestamptz, clock timestamp, u uuid)`;
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(
            text.filter((key) => key !== ""),
            row,
          ),
          { maxLength: 12 },
        ),
        async (pairs) => {
          const rows = [...new Map(pairs)].map(([id, data]) => ({ id, ...data }));
          await sql`truncate everything`;
          await sql`insert into everything select * from jsonb_populate_recordset(null::everything, ${JSON.stringify(rows)}::text::jsonb)`;
          const fields = [...COLUMNS, "a \"quoted' field that is absent"];
          const pairsExpected = await expected("everything", fields);
          const x = await endpoint("everything");
          expect(await reconcile?.digest?.(x, { stream: "s", fields, buckets: BUCKETS })).toEqual(digestsOf(pairsExpected));
          expect(await listed("everything", fields, { limit: 5 })).toEqual(pairsExpected);
          expect(await reconcile?.count?.(x, { stream: "s" })).toBe(rows.length);
        },
      ),
      { numRuns: 30, endOnFailure: true },
    );
  }, 300_000);

  test.each([
    ["a text that looks like a time", "note text", "'2026-01-01T10:00:00+02:00'"],
    ["a text that is no time though it looks like one", "note text", "'2026-02-30 10:00'"],
    ["JSON", "note jsonb", `'{"b": [1.50, null], "a": null}'`],
    ["a float", "note float8", "1e-7"],
    ["a list", "note integer[]", "'{1,2}'"],
  ])("digests with %s, row by row", async (_what, column, value) => {
    await sql.unsafe(`drop table if exists special; create table special (id integer primary key, ${column});
      insert into special select i, ${value} from generate_series(1, 50) as i; insert into special values (51, null)`);
    const pairs = await expected("special", ["note"]);
    const x = await endpoint("special");
    expect(await reconcile?.digest?.(x, { stream: "s", fields: ["note"], buckets: BUCKETS })).toEqual(digestsOf(pairs));
  });

  test("keys of several columns, in pages, and only of the buckets that are asked for", async () => {
    await sql.unsafe(`drop table if exists pairs; create table pairs (a text, b integer, v text, primary key (a, b));
      insert into pairs select x, i, x || i from unnest(array['|', '\\', 'a|b', 'ä', E'\\U0001F600', E'\\uffff']) as x, generate_series(1, 9) as i`);
    const key = ["a", "b"];
    const pairs = await expected("pairs", ["v"], key);
    expect(pairs.map((one) => one.key)).toContain(joinKey(["a|b", "3"]));
    for (const limit of [1, 7, 100]) expect(await listed("pairs", ["v"], { limit, key })).toEqual(pairs);
    const wanted = [0, 3];
    const some = pairs.filter((one) => wanted.includes(bucketOf(one.key, BUCKETS)));
    expect(some.length).toBeGreaterThan(0);
    expect(await listed("pairs", ["v"], { limit: 4, key, within: { buckets: BUCKETS, wanted } })).toEqual(some);
    expect(await reconcile?.digest?.(await endpoint("pairs", key), { stream: "s", fields: ["v"], buckets: BUCKETS })).toEqual(
      digestsOf(pairs),
    );
  });

  test("a row without a value in its key is refused", async () => {
    await sql.unsafe(
      "drop table if exists keyless; create table keyless (id text, v text); insert into keyless values ('a', 'x'), (null, 'y')",
    );
    const x = await endpoint("keyless");
    await expect(reconcile?.keys?.(x, { stream: "s", fields: ["v"], after: undefined, limit: 10 })).rejects.toThrow(
      /without a value in its key/,
    );
    await expect(reconcile?.digest?.(x, { stream: "s", fields: ["v"], buckets: BUCKETS })).rejects.toThrow(/without a value in its key/);
  });
});
