import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileConnector, postgresConnector } from "@quiesce/connectors";
import postgres from "postgres";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runNow } from "../../packages/server/src/runs/commands.js";
import { freshDatabase, type FreshDatabase } from "../database/fresh-database.js";
import { type BenchEndpoint, type PipelineBench, pipelineBench } from "../pipeline/pipeline-bench.js";

let shop: FreshDatabase;
let sql: postgres.Sql;
let folder: string;
let bench: PipelineBench | undefined;

beforeAll(async () => {
  shop = await freshDatabase({ empty: true });
  sql = postgres(shop.url, { max: 2, onnotice: () => undefined });
});
afterAll(async () => {
  await sql?.end();
  await shop?.drop();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "quiesce-deletion-"));
  await sql`drop table if exists article, copy`;
  await sql`create table article (id bigint primary key, updated_at timestamptz not null default clock_timestamp())`;
  await sql`create table copy (id bigint primary key)`;
});
afterEach(async () => {
  await bench?.close();
  await rm(folder, { recursive: true, force: true });
});

/** A real table, found again by the list of its keys. */
function table(name: string, cursor: object): BenchEndpoint {
  const address = new URL(shop.url);
  const secrets = address.password === "" ? {} : { password: decodeURIComponent(address.password) };
  return {
    connector: postgresConnector,
    secrets,
    config: {
      host: address.hostname,
      port: Number(address.port || 5432),
      database: address.pathname.slice(1),
      user: decodeURIComponent(address.username),
      ssl: "disable",
      streams: [{ name: "items", table: name, key: ["id"], ...cursor }],
    },
  };
}

const writeCsv = (ids: readonly number[]) => writeFile(join(folder, "items.csv"), `id\n${ids.map((id) => `${id}\n`).join("")}`);
const upTo = (count: number) => Array.from({ length: count }, (_value, index) => index + 1);
const left = async () => (await sql<{ n: number }[]>`select count(*)::integer as n from copy`)[0]?.n;

async function open(source: BenchEndpoint, deleteLimit = { percent: 20, records: 50 }): Promise<PipelineBench> {
  bench = await pipelineBench({
    source,
    target: table("copy", {}),
    stream: { mapping: { fields: { id: { from: "id" } } }, deleteLimit },
    pageSize: 500,
  });
  return bench;
}

const fileSource = (): BenchEndpoint => ({
  connector: fileConnector,
  config: { folder, streams: [{ name: "items", path: "items.csv", format: "csv", key: ["id"], settleSeconds: 0 }] },
});

describe("a source that shows far less than before", () => {
  it("deletes nothing: an emptied table fails the run and says how to confirm, and one confirmed run deletes it", async () => {
    await sql`insert into article (id) select generate_series(1, 300)`;
    const on = await open(table("article", { cursorColumn: "updated_at", overlapSeconds: 0 }));
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { written: 300 } });
    await sql`truncate article`;
    const refused = await on.attempt();
    expect(refused).toMatchObject({ kind: "failed", failure: { kind: "contract", rule: { retry: false } }, figures: { deleted: 0 } });
    expect(JSON.stringify(refused)).toContain("300 of 300 known keys (100 %)");
    expect(JSON.stringify(refused)).toContain("quiesce run orders-sync --confirm-deletions");
    expect(await left()).toBe(300);
    // Refused again, however often: only a confirmation lets it pass, and for one run alone.
    expect(await on.attempt()).toMatchObject({ kind: "failed" });
    await runNow(on.context, { job: "orders-sync", reason: "the shop was closed", confirmDeletions: true });
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { deleted: 300 } });
    expect(await left()).toBe(0);
    const [audit] = await on.database.sql`select after from audit_entry where action = 'run.request' order by id desc limit 1`;
    expect(audit?.["after"]).toMatchObject({ confirmDeletions: true });
    await sql`insert into article (id) select generate_series(1, 200)`;
    await on.attempt();
    await sql`truncate article`;
    expect(await on.attempt()).toMatchObject({ kind: "failed", figures: { deleted: 0 } });
    expect(await left()).toBe(200);
  });

  it("deletes nothing of a file that lost most of its lines, and still brings what is new in it", async () => {
    await writeCsv(upTo(400));
    const on = await open(fileSource());
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { written: 400 } });
    await writeCsv([1, 2, 3, 9_999]);
    expect(await on.attempt()).toMatchObject({ kind: "failed", failure: { kind: "contract" } });
    expect(await left()).toBe(401);
    expect(await sql`select from copy where id = 9999`).toHaveLength(1);
  });

  it("deletes up to the bound without a question", async () => {
    await writeCsv(upTo(400));
    const on = await open(fileSource());
    await on.attempt();
    await writeCsv(upTo(320));
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { deleted: 80 } });
    await writeCsv(upTo(255));
    expect(await on.attempt()).toMatchObject({ kind: "failed" });
    expect(await left()).toBe(320);
  });

  it("is let delete by a stream whose limit says so", async () => {
    await writeCsv(upTo(100));
    const on = await open(fileSource(), { percent: 100, records: 0 });
    await on.attempt();
    await writeCsv([1]);
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { deleted: 99 } });
    expect(await left()).toBe(1);
  });
});
