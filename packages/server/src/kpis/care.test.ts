import { afterEach, beforeEach, expect, it } from "vitest";
import { type MeasuredBench, measuredBench } from "../../../../test/server/measured-bench.js";
import { moveIncident } from "../incidents/commands.js";
import { readIncidentTimes } from "./read-incident-times.js";
import { readSecurityScore } from "./read-security-score.js";

const start = Date.parse("2026-03-02T10:00:00Z");
const hour = 3_600_000;
const day = 24 * hour;

let bench: MeasuredBench;
beforeEach(async () => {
  bench = await measuredBench(start);
});
afterEach(() => bench?.close());

const times = (more: { readonly system?: string; readonly team?: string } = {}) =>
  readIncidentTimes(bench.database, {
    period: { start: start - hour, end: start + day },
    system: more.system ?? null,
    team: more.team ?? null,
  });

it("reads MTTA and MTTR from incidents, and lists those that are open", async () => {
  await bench.says("erp");
  await bench.says("archive");
  await bench.pass(60);
  expect(await bench.incidents()).toHaveLength(2);
  const [opened] = await bench.database.sql<{ at: number }[]>`select max(opened_at) as at from incident`;
  await bench.time.set((opened?.at ?? 0) + 10 * 60_000);
  const step = (id: number, to: "acknowledged" | "resolved") =>
    moveIncident(bench.context, { id, to, reason: "mended", evenIfFiring: true });
  const erp = (await bench.incidents()).find(({ root }) => root === "erp")?.id ?? 0;
  await step(erp, "acknowledged");
  await bench.time.advance(20 * 60_000);
  await step(erp, "resolved");
  const found = await times();
  expect(found).toMatchObject({ incidents: 2, acknowledge: { count: 1, meanMs: 600_000, censored: 1 } });
  expect(found.resolve).toMatchObject({ count: 1, medianMs: 1_800_000, p90Ms: 1_800_000, censored: 1, longestOpenMs: 1_800_000 });
  expect(found.open).toHaveLength(1);
  expect(await times({ system: "erp" })).toMatchObject({ incidents: 1, open: [] });
  expect(await times({ team: "erp-team" })).toMatchObject({ incidents: 1 });
  for (const nowhere of [{ system: "nowhere" }, { team: "nobody" }])
    await expect(times(nowhere)).rejects.toMatchObject({ code: "QSC_KPI_SCOPE" });
  await expect(
    readIncidentTimes(bench.database, { period: { start: start + day, end: start }, system: null, team: null }),
  ).rejects.toMatchObject({ code: "QSC_KPI_PERIOD" });
});

it("reads the security score of the endpoints on a route from findings, credentials and reviews", async () => {
  const { sql } = bench.database;
  const score = () => readSecurityScore({ seen: bench.database, whole: bench.database }, { integration: "orders" });
  const partsOf = async () => new Map((await score()).parts.map(({ part, value }) => [part, value]));
  await sql`update endpoint set config = '{"url": "https://erp.example"}' where key = 'erp-api'`;
  // Nobody has looked yet.
  expect((await partsOf()).get("tls")).toBe(0);
  const finding = (kind: string, expiresAt: number | null) => sql`
    insert into endpoint_finding (endpoint_id, kind, origin, severity, message, found_at, checked_at, expires_at)
    select id, ${kind}, 'https://erp.example', 'info', 'm', app_now(), app_now(), ${expiresAt}::timestamptz from endpoint where key = 'erp-api'`;
  await finding("certificate-expiry", start + 60 * day);
  await sql`insert into endpoint_secret (endpoint_id, name, sealed, source, fingerprint) select id, 'password', '{}', 'env:P', 'f' from endpoint where key = 'erp-api'`;
  const [review] = await sql<{ id: number }[]>`
    insert into access_review (title, subjects, unused_days, reviewers, due_at, opened_by) values ('r', '{person}', 90, '{}', app_now(), 't') returning id`;
  for (const [n, outcome] of ["kept", "revoked"].entries())
    await sql`insert into access_review_item (review_id, subject, principal_id, snapshot, decision, reason, decided_by, decided_at, outcome, applied_at)
      values (${review?.id ?? 0}, 'person', ${n + 1}, ${sql.json({ suggestions: [{ decision: "revoke" }] })}, 'keep', 'r', 'somebody', app_now(), ${outcome}, app_now())`;
  await sql`update access_review set closing_at = app_now(), closed_by = 't', closed_at = app_now(), closed_entry_id = 1 where id = ${review?.id ?? 0}`;
  const parts = await partsOf();
  expect(Object.fromEntries(parts)).toEqual({
    "credential-age": 1,
    tls: 1,
    certificate: 1,
    "access-review": 1,
    "least-privilege": 0.5,
    "encrypted-endpoints": 1,
  });
  expect(await score()).toMatchObject({ score: 92.5, endpoints: 1, caps: [] });
  await finding("plain-text", null);
  expect(await score()).toMatchObject({ score: 49, caps: [{ reason: "plain-text-credential" }] });
  await bench.time.advance(8 * day);
  expect((await partsOf()).get("encrypted-endpoints")).toBe(0);
});
