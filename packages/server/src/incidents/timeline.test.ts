import { afterEach, beforeEach, expect, it } from "vitest";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import { incidentBench, type IncidentBench } from "../../../../test/server/incident-bench.js";
import { noteIncident } from "./commands.js";
import { timelinePage } from "./timeline.js";

let bench: IncidentBench;
beforeEach(async () => {
  bench = await incidentBench(Date.parse("2026-03-02T10:00:00Z"));
});
afterEach(() => bench?.close());

it("of the kinds that are asked for alone, page by page, and of all when none is named", async () => {
  await bench.says("erp");
  await bench.says("shop");
  await bench.pass(60);
  for (const text of ["one", "two", "three"]) await noteIncident(bench.context, { id: 1, text });
  const { database } = bench;
  const kindsOf = async (kinds: Parameters<typeof timelinePage>[2]["kinds"]) =>
    (await timelinePage(database, 1, { first: 50, after: null, kinds })).edges.map(({ node }) => node.kind);
  expect(new Set(await kindsOf(["alert-fired"]))).toEqual(new Set(["alert-fired"]));
  expect(new Set(await kindsOf(["entry"]))).toEqual(new Set(["entry"]));
  expect(await kindsOf([])).toEqual([]);
  const all = await kindsOf(null);
  expect(all.filter((kind) => kind === "alert-fired")).toHaveLength(2);
  expect(all.filter((kind) => kind === "entry").length).toBeGreaterThan(3);
  const first = await timelinePage(database, 1, { first: 2, after: null, kinds: ["entry"] });
  const second = await timelinePage(database, 1, { first: 50, after: first.pageInfo.endCursor, kinds: ["entry"] });
  const texts = [...first.edges, ...second.edges].map(({ node }) => node.text);
  expect(texts.slice(-3)).toEqual(["one", "two", "three"]);
  expect(new Set(texts).size).toBe(texts.length);
});

it("names the integration and the state of a run that failed", async () => {
  await bench.says("erp");
  await bench.pass(60);
  const { sql } = bench.database;
  await seedCatalogue(sql, { integrations: [], jobs: [{ key: "orders-often", integration: "orders" }] });
  await sql`select ensure_run_partitions(app_now() - interval '1 day', app_now())`;
  await sql`
    insert into run (id, due_at, last_due_at, job_id, integration_id, bucket, trigger, state, ready_at, finished_at, error)
    select new_run_id(app_now()), app_now(), app_now(), j.id, i.id, i.bucket, 'manual', 'failed', app_now(), app_now(), '{"kind": "unavailable", "message": "HTTP 503"}'
    from job as j join integration as i on i.id = j.integration_id`;
  const { edges } = await timelinePage(bench.database, 1, { first: 50, after: null, kinds: ["run-failed"] });
  expect(edges.map(({ node }) => node.data)).toEqual([
    { integration: "orders", state: "failed", error: { kind: "unavailable", message: "HTTP 503" } },
  ]);
});
