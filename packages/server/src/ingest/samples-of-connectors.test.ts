import type { Kpi } from "@quiesce/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type MeasuredBench, measuredBench } from "../../../../test/server/measured-bench.js";
import { sampleFigures } from "./samples-of-connectors.js";

const start = Date.parse("2026-03-02T00:00:00Z");
const minute = 60_000;

let bench: MeasuredBench;
let ids: ReadonlyMap<string, number>;
beforeEach(async () => {
  bench = await measuredBench(start);
  const { sql } = bench.database;
  // The monitor watches the ERP, which it calls erp-host; nobody lets it watch the shop.
  await sql`insert into system_monitor (system_id, endpoint_id, resources, suppress)
    select s.id, e.id, '{erp-host}', 'notifications' from system as s, endpoint as e where s.key = 'erp' and e.key = 'nagios' on conflict (system_id, endpoint_id) do update set resources = excluded.resources`;
  await sql`insert into integration (key, name) values ('stock', 'Stock'), ('leads', 'Leads')`;
  await sql`insert into integration_system (integration_id, system_id, role)
    select i.id, s.id, 'target' from integration as i, system as s where (i.key, s.key) in (('stock', 'erp'), ('leads', 'shop'))`;
  ids = new Map((await sql<{ id: number; key: string }[]>`select id, key from endpoint`).map(({ id, key }) => [key, id]));
});
afterEach(() => bench?.close());

const take = (endpoint: string, figures: readonly Kpi[]) => sampleFigures(bench, { endpointId: ids.get(endpoint) ?? 0, figures });
const samples = async (): Promise<readonly string[]> => {
  const rows = await bench.database.sql<{ integration: string; metric: string; value: number; at: number }[]>`
    select i.key as integration, s.metric, k.value, k.at from kpi_sample as k join kpi_series as s on s.id = k.series_id
    join integration as i on i.id = s.integration_id order by i.key, s.metric, k.at, k.value`;
  return rows.map(({ integration, metric, value, at }) => `${integration} ${metric} ${value} +${(at - start) / minute}`);
};

describe("figures that a connector gives with a check", () => {
  it("without labels are of the integrations of its endpoint, and of none at a monitor", async () => {
    const figures: readonly Kpi[] = [
      { name: "queue_depth", value: 7 },
      { name: "response_ms", value: 21.5, at: new Date(start - 2 * minute).toISOString() },
      { name: "x_free_seats", value: 3 },
    ];
    expect(await take("erp-api", figures)).toEqual({ taken: 3, refused: null });
    expect(await take("nagios", figures)).toEqual({ taken: 0, refused: null });
    expect(await samples()).toEqual(["orders queue.depth 7 +0", "orders response 21.5 +-2", "orders x.free.seats 3 +0"]);
  });

  it("reach what they name, by key or as the monitor calls it, as far as the endpoint watches", async () => {
    const named = (labels: Kpi["labels"]): Kpi => ({ name: "error_rate", value: 0.5, ...(labels === undefined ? {} : { labels }) });
    await take("nagios", [named({ system: "erp-host" })]);
    const ofErp = ["orders error.rate 0.5 +0", "stock error.rate 0.5 +0"];
    expect(await samples()).toEqual(ofErp);
    await bench.time.advance(minute);
    expect(await take("nagios", [named({ system: "shop" }), named({ integration: "leads" }), named({ system: "nowhere" })])).toMatchObject({
      taken: 0,
    });
    expect(await take("nagios", [named({ integration: "stock" }), named({ system: "erp" })])).toMatchObject({ taken: 3 });
    expect(await samples()).toEqual([
      "orders error.rate 0.5 +0",
      "orders error.rate 0.5 +1",
      "stock error.rate 0.5 +0",
      "stock error.rate 0.5 +1",
      "stock error.rate 0.5 +1",
    ]);
  });

  it("that cannot be samples are left out, with the reason of the first; the others are kept", async () => {
    const figures: readonly Kpi[] = [
      { name: "tls_days_left", value: -3 },
      { name: "queue_depth", value: 7, at: "yesterday" },
      { name: "x_Ü", value: 1 },
      { name: "throughput", value: 12 },
    ];
    expect(await take("erp-api", figures)).toEqual({
      taken: 1,
      refused: expect.stringMatching(/^tls_days_left: value is a number from 0/u),
    });
    expect(await samples()).toEqual(["orders throughput 12 +0"]);
  });

  it("make no metric beyond the two hundred of an integration, and at most a thousand samples a check", async () => {
    const { sql } = bench.database;
    await sql`insert into kpi_series (integration_id, metric) select id, 'own.' || n from integration, generate_series(1, 199) as n where key = 'orders'`;
    expect(
      await take("erp-api", [
        { name: "queue_depth", value: 7 },
        { name: "throughput", value: 1 },
      ]),
    ).toMatchObject({
      taken: 1,
      refused: expect.stringMatching(/^throughput: .*200 metrics/u),
    });
    const many = Array.from({ length: 1_200 }, (_none, n): Kpi => ({ name: "queue_depth", value: n, labels: { queue: `q${n}` } }));
    expect(await take("erp-api", many)).toMatchObject({ taken: 1_000 });
  });
});
