import { postgresConnector } from "@quiesce/connectors";
import postgres from "postgres";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { freshDatabase, type FreshDatabase } from "../database/fresh-database.js";
import { type PipelineBench, pipelineBench } from "../pipeline/pipeline-bench.js";

const ROWS = 1_000;

let erp: FreshDatabase;
let shop: FreshDatabase;
let source: postgres.Sql;
let target: postgres.Sql;
let bench: PipelineBench;

beforeAll(async () => {
  erp = await freshDatabase({ empty: true });
  shop = await freshDatabase({ empty: true });
  source = postgres(erp.url, { max: 2, onnotice: () => undefined });
  target = postgres(shop.url, { max: 2, onnotice: () => undefined });
  bench = await pipelineBench({
    source: endpoint(erp, "customer"),
    target: endpoint(shop, "buyer"),
    pageSize: 250,
    stream: {
      deletes: "apply",
      mapping: {
        fields: {
          id: { from: "id" },
          phone: { from: "tel" },
          email: { from: "email" },
          state: { from: "status", table: { "1": "new", "2": "done" } },
          credit: { from: "credit" },
        },
      },
      twoWay: {
        fields: { phone: { conflict: "newest" }, email: { conflict: "source" }, state: { conflict: "review", cast: "integer" } },
        times: {},
      },
    },
  });
}, 300_000);

function endpoint({ url }: FreshDatabase, table: string) {
  const address = new URL(url);
  return {
    connector: postgresConnector,
    secrets: address.password === "" ? {} : { password: decodeURIComponent(address.password) },
    config: {
      host: address.hostname,
      port: Number(address.port || 5432),
      database: address.pathname.slice(1),
      user: decodeURIComponent(address.username),
      ssl: "disable",
      streams: [{ name: "items", table, key: ["id"], cursorColumn: "changed", overlapSeconds: 1 }],
    },
  };
}

const touched = `create or replace function touched() returns trigger language plpgsql as 'begin if new.changed = old.changed then new.changed := clock_timestamp(); end if; return new; end';`;

beforeEach(async () => {
  await source.unsafe(`${touched} drop table if exists customer;
    create table customer (id bigint primary key, tel text, email text, status integer not null, credit numeric not null, secret text not null default 'own',
      changed timestamptz not null default clock_timestamp());
    create trigger touched before update on customer for each row execute function touched();
    insert into customer (id, tel, email, status, credit) select i, '+' || i, i || '@x', 1, i from generate_series(1, ${ROWS}) as i`);
  await target.unsafe(`${touched} drop table if exists buyer;
    create table buyer (id bigint primary key, phone text, email text, state text not null, credit numeric not null, score integer not null default 0,
      changed timestamptz not null default clock_timestamp());
    create trigger touched before update on buyer for each row execute function touched()`);
});

afterAll(async () => {
  await bench?.close();
  await source?.end();
  await target?.end();
  await erp?.drop();
  await shop?.drop();
});

test("two databases that are edited at once come to the same values, and nothing else in them is touched", async () => {
  expect(await bench.attempt()).toMatchObject({ kind: "succeeded", figures: { written: ROWS } });
  await target`update buyer set phone = '+t' || id, score = 7 where id <= 300`;
  await source`update customer set email = 's' || id, credit = -1 where id between 200 and 400`;
  await target`update buyer set state = 'done' where id between 500 and 510`;
  expect(await bench.attempt()).toMatchObject({ kind: "succeeded" });
  const [same] = await source<{ n: number }[]>`select count(*)::integer as n from customer where tel = '+t' || id and id <= 300`;
  expect(same?.n).toBe(300);
  expect((await source`select distinct secret from customer`)[0]?.["secret"]).toBe("own");
  expect((await source<{ n: number }[]>`select count(*)::integer as n from customer where status = 2`)[0]?.n).toBe(11);
  expect(
    await target`select count(*)::integer as n, min(score) as low, max(score) as high from buyer where email = 's' || id and credit = -1`,
  ).toEqual([{ n: 201, low: 0, high: 7 }]);
  // Conflicts: the newest phone, the source's address, and a state that a person decides.
  await source`update customer set tel = 'older', email = 's', status = 2 where id = 1`;
  // Later by far, not by the few milliseconds between two statements.
  await target`update buyer set phone = 'newer', email = 't', changed = clock_timestamp() + interval '1 hour' where id = 1`;
  await target`update buyer set state = 'new' where id = 505`;
  await bench.attempt();
  expect(await source`select tel, email, status from customer where id = 1`).toEqual([{ tel: "newer", email: "s", status: 2 }]);
  expect(await target`select phone, email, state from buyer where id = 1`).toEqual([{ phone: "newer", email: "s", state: "done" }]);
  expect((await source`select status from customer where id = 505`)[0]?.["status"]).toBe(1);
  // And then there is rest: what is read again because of the overlap is written nowhere.
  for (let round = 0; round < 2; round += 1) {
    const outcome = await bench.attempt();
    expect(outcome).toMatchObject({ kind: "succeeded", figures: { written: 0, deleted: 0 } });
  }
  await source`delete from customer where id between 700 and 705`;
  expect(await bench.attempt()).toMatchObject({ kind: "succeeded", figures: { deleted: 6 } });
  expect((await target`select count(*)::integer as n from buyer`)[0]?.["n"]).toBe(ROWS - 6);
});
