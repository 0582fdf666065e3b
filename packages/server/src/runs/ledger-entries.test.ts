import { type JobSchedule, packagedZoneData } from "@quiesce/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ControlledTime, controlTime } from "../../../../test/database/control-time.js";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import { type Database, openDatabase } from "../db/client.js";
import { ledgerPage, type LedgerFilter } from "./ledger-entries.js";

const start = Date.parse("2026-03-02T10:00:00Z");
const minute = 60_000;
const everyMinute: JobSchedule = { kind: "interval", everySeconds: 60, startsAt: start };
const context = () => ({ database, zones: packagedZoneData() });

let fresh: FreshDatabase;
let database: Database;
let time: ControlledTime;

/** Job a: minute 0 ran, minutes 1 to 5 are one run after a hold, 6 was skipped with 7. Job b: minute 0 only, dead. */
beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 4, applicationName: "ledger-entries-test" });
  time = await controlTime(database.sql);
  await time.set(start);
  await seedCatalogue(database.sql, {
    integrations: [{ key: "orders" }, { key: "stock" }],
    jobs: [
      { key: "a", integration: "orders", schedule: everyMinute },
      { key: "b", integration: "stock", schedule: everyMinute },
    ],
  });
  await time.set(start + 20 * minute);
  await database.sql`select ensure_run_partitions(${start}::timestamptz, ${start}::timestamptz)`;
  await row({ job: "a", minutes: [0, 0], state: "succeeded" });
  await row({ job: "a", minutes: [1, 5], state: "succeeded", heldSince: start + minute });
  await row({ job: "a", minutes: [6, 7], state: "skipped" });
  await row({ job: "b", minutes: [0, 0], state: "dead" });
});

afterEach(async () => {
  await database.close();
  await fresh.drop();
});

async function row(of: {
  readonly job: string;
  readonly minutes: readonly [number, number];
  readonly state: string;
  readonly heldSince?: number;
}): Promise<void> {
  const [first, last] = of.minutes.map((one) => start + one * minute);
  await database.sql`
    insert into run (id, due_at, last_due_at, due_count, job_id, integration_id, bucket, schedule_version, trigger, state, ready_at, attempt, started_at, finished_at,
      held_since, released_at)
    select new_run_id(${first ?? 0}::timestamptz), ${first ?? 0}::timestamptz, ${last ?? 0}::timestamptz, ${of.minutes[1] - of.minutes[0] + 1}, id, integration_id, 0, 1,
      'schedule', ${of.state}, ${first ?? 0}::timestamptz, 1, ${start + 6 * minute}::timestamptz, ${start + 7 * minute}::timestamptz, ${of.heldSince ?? null}::timestamptz,
      case when ${of.heldSince ?? null}::timestamptz is not null then ${start + 6 * minute}::timestamptz end
    from job where key = ${of.job}`;
}

const all: LedgerFilter = { job: null, integration: null, window: null, localStart: null, states: null, dueFrom: null, dueTo: null };
async function read(filter: Partial<LedgerFilter> = {}, first = 200) {
  const { edges } = await ledgerPage(context(), { ...all, ...filter }, { first });
  return edges.map(({ node }) => `${(node.dueAt - start) / minute} ${node.state}`);
}

describe("the ledger", () => {
  it("lists every due time in exactly one state, also those that one run stands for", async () => {
    expect(await read({ job: "a" })).toEqual([
      "6 skipped",
      "7 skipped",
      "1 succeeded",
      "2 coalesced",
      "3 coalesced",
      "4 coalesced",
      "5 coalesced",
      "0 succeeded",
    ]);
    expect(await read({ integration: "stock" })).toEqual(["0 dead"]);
  });

  it("says why in words", async () => {
    const { edges } = await ledgerPage(
      context(),
      { ...all, job: "a", dueFrom: start + 2 * minute, dueTo: start + 3 * minute },
      { first: 10 },
    );
    expect(edges.map(({ node }) => node.why)).toEqual([
      "Held by a hold from 2026-03-02T10:01:00Z to 2026-03-02T10:06:00Z. Stands in the run that was due at 2026-03-02T10:01:00Z. Ran from 2026-03-02T10:06:00Z for 1m.",
    ]);
    expect(edges.map(({ node }) => node.facts)).toMatchObject([
      { state: "succeeded", dueAt: start + minute, heldSince: start + minute, releasedAt: start + 6 * minute, attempt: 1, rootDueAt: null },
    ]);
  });

  it("filters by the state of each due time, not of the run that stands for it", async () => {
    expect(await read({ states: ["succeeded"] })).toEqual(["1 succeeded", "0 succeeded"]);
    expect(await read({ states: ["coalesced"] })).toEqual(["2 coalesced", "3 coalesced", "4 coalesced", "5 coalesced"]);
    expect(await read({ states: ["dead", "skipped"] })).toEqual(["6 skipped", "7 skipped", "0 dead"]);
  });

  it("shows what an occurrence of a window covers, before pages are cut", async () => {
    const sql = database.sql;
    await sql`insert into maintenance_window (key, title, series, scope, owner, reason, created_by, expanded_until)
      values ('patch', 'Patch', '{}', '{}', 'erp-team', 'patch', 'test', ${start}::timestamptz)`;
    const starts = ["2026-03-02T10:00:00", "2026-03-09T10:00:00"];
    for (const [week, localStart] of starts.entries()) {
      const at = start + week * 7 * 24 * 60 * minute;
      await sql`insert into occurrence (window_id, local_start, local_end, starts_at, ends_at, window_version, zone_data_version)
        select id, ${localStart}, ${localStart}, ${at}::timestamptz, ${at + 10 * minute}::timestamptz, 1, 'test' from maintenance_window`;
      await sql`insert into hold (kind, scope, owner, reason, begins_at, occurrence_id)
        select 'window', '{}', 'erp-team', 'patch', starts_at, id from occurrence where local_start = ${localStart}`;
    }
    // The first covers stock, the second both.
    await sql`insert into hold_member (hold_id, integration_id, begins_at, mode, path)
      select h.id, i.id, h.begins_at, 'enforce', 'all' from hold as h join occurrence as o on o.id = h.occurrence_id, integration as i
      where i.key = 'stock' or o.local_start = ${starts[1] ?? ""}`;
    expect(await read({ window: "patch", localStart: starts[0] ?? null }, 1)).toEqual(["0 dead"]);
    expect((await read({ window: "patch", localStart: starts[1] ?? null })).length).toBe(9);
    expect((await read({ window: "patch" })).length).toBe(9);
    expect(await read({ window: "another" })).toEqual([]);
    expect(await read({ window: "patch", localStart: "2026-03-16T10:00:00" })).toEqual([]);
  });

  it("cuts a range at both ends of the period", async () => {
    expect(await read({ dueFrom: start + 3 * minute, dueTo: start + 5 * minute })).toEqual(["3 coalesced", "4 coalesced"]);
    expect(await read({ dueFrom: start + 5 * minute, dueTo: start + 7 * minute })).toEqual(["6 skipped", "5 coalesced"]);
  });

  it("looks at nothing before what is kept", async () => {
    await database.sql`update control set runs_retained_from = ${start + 4 * minute}::timestamptz`;
    expect(await read({ job: "a" })).toEqual(["6 skipped", "7 skipped", "4 coalesced", "5 coalesced"]);
  });

  it.each([1, 2, 3, 4, 8])("reads the same in pages of %i, and counts the same", async (first) => {
    for (const filter of [{}, { states: ["coalesced"] as const }, { dueFrom: start + 3 * minute, dueTo: start + 7 * minute }]) {
      const whole = await read(filter);
      const paged: string[] = [];
      let after: string | null = null;
      do {
        const page: Awaited<ReturnType<typeof ledgerPage>> = await ledgerPage(context(), { ...all, ...filter }, { first, after });
        expect(await page.countAll()).toBe(whole.length);
        paged.push(...page.edges.map(({ node }) => `${(node.dueAt - start) / minute} ${node.state}`));
        after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
      } while (after !== null);
      expect(paged).toEqual(whole);
    }
  });

  it("refuses what is no cursor", async () => {
    for (const after of ["x", "", Buffer.from("[1,2,3]").toString("base64url")])
      await expect(ledgerPage(context(), all, { after })).rejects.toMatchObject({ code: "QSC_GRAPHQL_CURSOR_INVALID" });
  });
});
