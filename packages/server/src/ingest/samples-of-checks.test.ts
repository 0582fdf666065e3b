import { afterEach, beforeEach, expect, it } from "vitest";
import { type MeasuredBench, measuredBench } from "../../../../test/server/measured-bench.js";
import { sampleCheck } from "./samples-of-checks.js";

const start = Date.parse("2026-03-02T00:00:00Z");
const minute = 60_000;

let bench: MeasuredBench;
let target: number;
let source: number;
beforeEach(async () => {
  bench = await measuredBench(start);
  const { sql } = bench.database;
  await sql`insert into endpoint (key, name, system_id, connector) select 'shop-api', 'Shop', s.id, 'http' from system as s where s.key = 'shop'`;
  await sql`update integration set source_endpoint_id = (select id from endpoint where key = 'shop-api') where key = 'orders'`;
  const ids = new Map((await sql<{ id: number; key: string }[]>`select id, key from endpoint`).map(({ id, key }) => [key, id]));
  [target, source] = [ids.get("erp-api") ?? 0, ids.get("shop-api") ?? 0];
});
afterEach(() => bench?.close());

const check = (endpointId: number, ok: boolean) => sampleCheck(bench, { endpointId, ok, tookMs: 12.5 });
const samples = () =>
  bench.database.sql<{ ok: boolean; value: number; integration: string }[]>`
    select k.ok, k.value, i.key as integration from kpi_sample as k join kpi_series as s on s.id = k.series_id join integration as i on i.id = s.integration_id
    where s.metric = 'check' order by k.at, k.key`;

it("makes evidence of what a check said, for the integrations of the endpoint alone", async () => {
  const [watch] = await bench.database.sql<{ id: number }[]>`select id from endpoint where key = 'nagios'`;
  expect(await check(watch?.id ?? 0, true)).toBe(0);
  expect(await check(target, true)).toBe(1);
  await bench.time.advance(minute);
  await check(target, false);
  expect(await samples()).toEqual([
    { ok: true, value: 12.5, integration: "orders" },
    { ok: false, value: 12.5, integration: "orders" },
  ]);
});

it("says that an integration is there when both its endpoints are: a good check of one does not hide that the other is away", async () => {
  await check(target, false);
  await bench.time.advance(minute);
  await check(source, true);
  await bench.time.advance(minute);
  await check(target, true);
  await bench.time.advance(minute);
  await check(source, true);
  expect((await samples()).map(({ ok }) => ok)).toEqual([false, false, true, true]);
});

it("forgets after a quarter of an hour that the other one was away", async () => {
  await check(target, false);
  await bench.time.advance(16 * minute);
  await check(source, true);
  expect((await samples()).map(({ ok }) => ok)).toEqual([false, true]);
});
