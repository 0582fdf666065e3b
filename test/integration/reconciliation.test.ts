import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { fileConnector, postgresConnector } from "@quiesce/connectors";
import fc from "fast-check";
import postgres from "postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { reconcileIntegration, resyncDifferences } from "../../packages/server/src/reconciliation/commands.js";
import { reconciliationsByIds, streamsOfReconciliations } from "../../packages/server/src/reconciliation/queries.js";
import { freshDatabase, type FreshDatabase } from "../database/fresh-database.js";
import { type BenchEndpoint, type PipelineBench, pipelineBench } from "../pipeline/pipeline-bench.js";

let shop: FreshDatabase;
let sql: postgres.Sql;
let base: Record<string, unknown>;
let secrets: Record<string, string>;
let folder: string;

beforeAll(async () => {
  shop = await freshDatabase({ empty: true });
  sql = postgres(shop.url, { max: 2, onnotice: () => undefined });
  const url = new URL(shop.url);
  base = {
    host: url.hostname,
    port: Number(url.port || 5432),
    database: url.pathname.slice(1),
    user: decodeURIComponent(url.username),
    ssl: "disable",
  };
  secrets = url.password === "" ? {} : { password: decodeURIComponent(url.password) };
  folder = await mkdtemp(join(tmpdir(), "quiesce-reconcile-"));
}, 300_000);
afterAll(async () => {
  await sql.end();
  await shop.drop();
  await rm(folder, { recursive: true, force: true });
});

const table = (name: string): BenchEndpoint => ({
  connector: postgresConnector,
  secrets,
  config: { ...base, streams: [{ name: "items", table: name, key: ["id"] }] },
});
const same = { fields: { id: { from: "id" }, title: { from: "title" }, price: { from: "price" }, at: { from: "at" } } };

/** Compares, and answers the one stream's result with the differences that were kept. */
async function compared(bench: PipelineBench) {
  const { id } = await reconcileIntegration(bench.context, { integration: "orders", reason: null });
  const outcome = await bench.attempt();
  return { id, outcome, ...(await resultOf(bench, id)) };
}

async function resultOf(bench: PipelineBench, id: number) {
  const [view] = await reconciliationsByIds(bench.database, [id]);
  const [stream] = await streamsOfReconciliations(bench.database, [id]);
  const kept = await bench.database.sql<{ key: string; kind: string; state: string }[]>`
    select key, kind, state from reconciliation_difference where reconciliation_id = ${id} order by key collate "C"`;
  return { state: view?.state, stream, kept: kept.map((one) => ({ ...one })) };
}

const numbered = (keys: readonly string[], kind: string, state = "open") => keys.map((key) => ({ key, kind, state }));
const byKey = (a: { key: string }, b: { key: string }) => (a.key < b.key ? -1 : 1);

describe("postgres to postgres", () => {
  let bench: PipelineBench;
  const ROWS = 2_000;

  beforeAll(async () => {
    bench = await pipelineBench({
      source: table("article"),
      target: table("copy"),
      stream: { mapping: same, deletes: "apply" },
      pageSize: 100,
    });
  }, 300_000);
  afterAll(() => bench?.close());
  beforeEach(async () => {
    await sql.unsafe(`drop table if exists article, copy;
      create table article (id bigint primary key, title text, price numeric, at timestamptz);
      insert into article select i, 'title ' || i, i / 4.0, timestamptz '2026-01-01 00:00Z' + make_interval(secs => i) from generate_series(1, ${ROWS}) as i;
      create table copy (id bigint primary key, title text, price numeric(12, 4), at timestamptz, local text);
      insert into copy select id, title, price, at, 'of its own' from article`);
  });

  test("equal tables are equal by their digests, and not one key is listed", async () => {
    const { outcome, stream, kept, state } = await compared(bench);
    expect(outcome).toMatchObject({ kind: "succeeded" });
    expect(state).toBe("done");
    expect(stream).toMatchObject({
      method: "digest",
      equal: ROWS,
      sourceRecords: ROWS,
      targetRecords: ROWS,
      onlySource: 0,
      onlyTarget: 0,
      different: 0,
      changing: 0,
    });
    expect(kept).toEqual([]);
  });

  test("differences of each kind are found exactly, and a resync repairs exactly these", async () => {
    await sql`delete from copy where id in (3, 1500)`;
    await sql`insert into copy (id, title) values (9001, 'nobody knows it'), (9002, 'nor it')`;
    await sql`update copy set title = 'other' where id = 7`;
    await sql`update copy set price = null where id = 1999`;
    await sql`update copy set at = at + interval '1 microsecond' where id = 42`;
    const { id, stream, kept } = await compared(bench);
    expect(stream).toMatchObject({ method: "digest", equal: ROWS - 5, onlySource: 2, onlyTarget: 2, different: 3, changing: 0 });
    expect(kept).toEqual(
      [
        ...numbered(["3", "1500"], "only-source"),
        ...numbered(["9001", "9002"], "only-target"),
        ...numbered(["7", "1999", "42"], "different"),
      ].toSorted(byKey),
    );
    await sql`create table touched (id bigint)`;
    await sql.unsafe(`create or replace function note() returns trigger language plpgsql as $$ begin insert into touched values (coalesce(new.id, old.id)); return coalesce(new, old); end $$;
      create trigger note before insert or update or delete on copy for each row execute function note()`);
    await resyncDifferences(bench.context, { id, confirmDeletions: false, reason: "test" });
    expect(await bench.attempt()).toMatchObject({ kind: "succeeded", figures: { read: 5, written: 5, deleted: 2, dead: 0 } });
    const touched = await sql<{ id: string }[]>`select distinct id from touched order by id`;
    expect(touched.map((one) => Number(one.id))).toEqual([3, 7, 42, 1500, 1999, 9001, 9002]);
    await sql`drop table touched; `;
    await sql.unsafe("drop trigger note on copy");
    expect((await resultOf(bench, id)).kept.every((one) => one.state === "repaired")).toBe(true);
    expect((await compared(bench)).stream).toMatchObject({ equal: ROWS, onlySource: 0, onlyTarget: 0, different: 0 });
    await expect(resyncDifferences(bench.context, { id, confirmDeletions: false, reason: "test" })).rejects.toMatchObject({
      code: "QSC_RECONCILIATION_NO_DIFFERENCES",
    });
  });

  test("more deletions than the stream's limit want a person, and everything else is written all the same", async () => {
    await sql`insert into copy (id, title) select i, 'x' from generate_series(5001, 5900) as i`;
    await sql`delete from copy where id = 1`;
    const { id } = await compared(bench);
    await resyncDifferences(bench.context, { id, confirmDeletions: false, reason: "test" });
    const refused = await bench.attempt();
    expect(refused).toMatchObject({ kind: "failed", failure: { kind: "contract" }, figures: { written: 1, deleted: 0 } });
    expect(JSON.stringify(refused)).toContain("900 of 2899 records are at the target and not at the source (31 %)");
    expect((await sql`select from copy where id > 5000`).length).toBe(900);
    await resyncDifferences(bench.context, { id, confirmDeletions: true, reason: "meant" });
    expect(await bench.attempt()).toMatchObject({ kind: "succeeded", figures: { deleted: 900 } });
    expect((await sql`select from copy`).length).toBe(ROWS);
  });

  test("whatever differs between two tables is found, no more and no less", async () => {
    const change = fc.record({ id: fc.integer({ min: 1, max: ROWS + 50 }), kind: fc.constantFrom("remove", "other", "add") });
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(change, { selector: (one) => one.id, maxLength: 30 }), async (changes) => {
        await sql`truncate copy`;
        await sql`insert into copy select id, title, price, at from article`;
        const wanted: { key: string; kind: string; state: string }[] = [];
        for (const { id, kind } of changes) {
          if (id > ROWS) await sql`insert into copy (id) values (${id})`;
          else if (kind === "remove") await sql`delete from copy where id = ${id}`;
          else await sql`update copy set price = ${kind === "other" ? "-1" : "-2.5"} where id = ${id}`;
          wanted.push({
            key: String(id),
            kind: id > ROWS ? "only-target" : kind === "remove" ? "only-source" : "different",
            state: "open",
          });
        }
        expect((await compared(bench)).kept).toEqual(wanted.toSorted(byKey));
      }),
      { numRuns: 8 },
    );
  });
});

describe("file to postgres", () => {
  test("the mapped file is compared with the table, whatever form its values have, and mended", async () => {
    const lines = Array.from(
      { length: 500 },
      (_, n) => `A${n},Äpfel ${n},${n}.50,2026-01-01T0${n % 9}:00:00+02:00,${n % 50 === 49 ? "draft" : "open"}`,
    );
    await writeFile(join(folder, "articles.csv"), `sku,name,amount,since,state\n${lines.join("\n")}\n`);
    await sql.unsafe(
      "drop table if exists stock; create table stock (sku text primary key, title text, amount numeric, since timestamptz, origin text)",
    );
    const bench = await pipelineBench({
      source: {
        connector: fileConnector,
        config: { folder, streams: [{ name: "items", path: "articles.csv", format: "csv", key: ["sku"], settleSeconds: 0 }] },
      },
      target: { connector: postgresConnector, secrets, config: { ...base, streams: [{ name: "items", table: "stock", key: ["sku"] }] } },
      stream: {
        mapping: {
          fields: {
            sku: { from: "sku" },
            title: { from: "name" },
            amount: { from: "amount", cast: "number" },
            since: { from: "since" },
            origin: { const: "file" },
          },
          when: "state != 'draft'",
        },
        deletes: "apply",
      },
      pageSize: 50,
    });
    try {
      expect(await bench.attempt()).toMatchObject({ kind: "succeeded", figures: { written: 490, skipped: 10 } });
      expect((await compared(bench)).stream).toMatchObject({
        method: "hashes",
        sourceRecords: 490,
        targetRecords: 490,
        equal: 490,
        onlySource: 0,
        onlyTarget: 0,
        different: 0,
      });
      await sql`delete from stock where sku in ('A3', 'A4')`;
      await sql`update stock set amount = amount + 0.01 where sku = 'A100'`;
      await sql`update stock set since = since + interval '1 second' where sku = 'A200'`;
      await sql`insert into stock values ('B1', 'stray', 1, now(), 'file')`;
      await sql`insert into stock values ('A49', 'was no draft once', 1, now(), 'file')`;
      const { id, stream, kept } = await compared(bench);
      expect(stream).toMatchObject({ equal: 486, onlySource: 2, onlyTarget: 2, different: 2 });
      expect(kept).toEqual(
        [
          ...numbered(["A3", "A4"], "only-source"),
          ...numbered(["A49", "B1"], "only-target"),
          ...numbered(["A100", "A200"], "different"),
        ].toSorted(byKey),
      );
      const hundred = stream?.samples.find((one) => one.key === "A100");
      expect(hundred).toMatchObject({
        kind: "different",
        fields: ["amount"],
        source: { amount: 100.5, title: "Äpfel 100" },
        target: { amount: "100.51" },
      });
      await resyncDifferences(bench.context, { id, confirmDeletions: false, reason: "test" });
      expect(await bench.attempt()).toMatchObject({ kind: "succeeded", figures: { written: 4, deleted: 2 } });
      expect((await compared(bench)).stream).toMatchObject({ equal: 490, onlySource: 0, onlyTarget: 0, different: 0 });
    } finally {
      await bench.close();
    }
  });
});

test("100,000 records of a file are compared with a table in bounded memory", async () => {
  const COUNT = 100_000;
  const lines = Array.from({ length: COUNT }, (_none, n) =>
    JSON.stringify({ id: n, title: `title of the record ${n}`, price: n / 8, at: "2026-01-01T00:00:00Z" }),
  );
  await writeFile(join(folder, "many.jsonl"), `${lines.join("\n")}\n`);
  await sql.unsafe(`drop table if exists many; create table many (nr bigint primary key, title text, price numeric, at timestamptz);
    insert into many select i, 'title of the record ' || i, i / 8.0, '2026-01-01T00:00:00Z' from generate_series(0, ${COUNT - 1}) as i;
    delete from many where nr = 77777; update many set title = 'x' where nr in (1, 99999); insert into many (nr) values (-1)`);
  const bench = await pipelineBench({
    source: {
      connector: fileConnector,
      config: { folder, streams: [{ name: "items", path: "many.jsonl", format: "jsonl", key: ["id"], settleSeconds: 0 }] },
    },
    target: { connector: postgresConnector, secrets, config: { ...base, streams: [{ name: "items", table: "many", key: ["nr"] }] } },
    // The names differ, so the file has to be read and mapped.
    stream: { mapping: { fields: { nr: { from: "id" }, title: { from: "title" }, price: { from: "price" }, at: { from: "at" } } } },
    pageSize: 500,
  });
  // What is garbage already is no measure.
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const heap = () => {
    collect();
    return process.memoryUsage().heapUsed / 1_048_576;
  };
  const before = heap();
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, heap());
  }, 2_000);
  const began = performance.now();
  try {
    const { stream, kept } = await compared(bench);
    const seconds = (performance.now() - began) / 1_000;
    console.log(
      `compared ${COUNT} with ${COUNT} records in ${seconds.toFixed(1)} s; its live heap grew by at most ${(most - before).toFixed(0)} MiB`,
    );
    expect(stream).toMatchObject({ method: "hashes", equal: COUNT - 3, onlySource: 1, onlyTarget: 1, different: 2 });
    expect(kept.map((one) => one.key)).toEqual(["-1", "1", "77777", "99999"]);
    // A page of 20,000 keys with their hashes, and of as many rows while they are hashed.
    expect(most - before).toBeLessThan(80);
  } finally {
    clearInterval(watch);
    await bench.close();
  }
});
