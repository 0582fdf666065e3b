import { packagedZoneData, type SampleRetention, unsaidRetention } from "@quiesce/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ControlledTime, controlTime } from "../../../../../test/database/control-time.js";
import { freshDatabase, type FreshDatabase } from "../../../../../test/database/fresh-database.js";
import { seedCatalogue } from "../../../../../test/database/seed-catalogue.js";
import type { CommandContext } from "../../command.js";
import { type Database, openDatabase } from "../../db/client.js";
import { createSampleBatch } from "../../ingest/sample-batch.js";
import { samplesKeptFrom, seriesOf, storeSamples } from "../../ingest/store-samples.js";
import { letDaysGo } from "../../retention/let-days-go.js";
import { rollUp } from "../roll-up.js";
import { setSampleRetention } from "./commands.js";
import { forgetSums } from "./forget-sums.js";
import { letSamplesGo } from "./let-samples-go.js";

const hour = 3_600_000;
const day = 24 * hour;
const midnight = Date.parse("2026-03-29T00:00:00Z");
const now = midnight + 10 * hour;
const configured = { run: 400, event_log: 30, kpi_sample: 14 };

let fresh: FreshDatabase;
let database: Database;
let time: ControlledTime;
let context: CommandContext;
let integrationId: number;

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 6, applicationName: "sample-retention-test" });
  time = await controlTime(database.sql);
  await time.set(now);
  context = { database, zones: packagedZoneData(), actor: { kind: "token", name: "ada", role: "admin" } };
  await seedCatalogue(database.sql, { integrations: [{ key: "orders" }], jobs: [] });
  const [row] = await database.sql<{ id: number }[]>`select id from integration`;
  integrationId = row?.id ?? 0;
});
afterEach(async () => {
  await database?.close();
  await fresh?.drop();
});

/** Samples at noon of each of so many days back. */
async function store(metric: string, daysBack: readonly number[], value = 1): Promise<void> {
  const seriesId = await seriesOf(database.db, { integrationId, metric });
  const batch = createSampleBatch();
  for (const back of daysBack)
    batch.add({ integration: "orders", metric, at: midnight - back * day + 12 * hour, value, ok: true, key: "" }, { seriesId, mark: 0 });
  await database.db.transaction((tx) => storeSamples(tx, batch));
}
async function sumUp(): Promise<void> {
  for (let more = true; more;) ({ more } = await rollUp({ database }));
}
const say = (metric: string | null, days: Partial<SampleRetention>, reason = "room") =>
  setSampleRetention(context, { metric, days: { ...unsaidRetention, ...days }, reason }, configured.kpi_sample);
const pass = async (most?: number) =>
  [await letDaysGo({ database }, configured), await letSamplesGo({ database }, { sampleDays: configured.kpi_sample }, most)] as const;
/** How many days back there are samples of a metric, or sums. */
async function daysOf(metric: string, table = "kpi_sample"): Promise<readonly number[]> {
  const rows = await database.sql<{ at: number }[]>`
    select r.at from ${database.sql(table)} as r join kpi_series as s on s.id = r.series_id where s.metric = ${metric} order by r.at desc`;
  return rows.map(({ at }) => Math.ceil((midnight - at) / day));
}
const count = async (table: string) =>
  (await database.sql<{ n: number }[]>`select count(*)::integer as n from ${database.sql(table)}`)[0]?.n;

const back = [1, 5, 7, 8, 10, 14, 15, 20, 29, 30, 31];

describe("samples of metrics that are kept for different times", () => {
  it("each go after their own time, and sums stay as they were", async () => {
    for (const metric of ["response", "check", "queue.depth"]) await store(metric, back);
    await sumUp();
    const sums = await database.sql`select * from kpi_day order by series_id, at`;
    await say("response", { sample: 7 });
    await say("check", { sample: 30 });
    await time.advance(hour);
    const [days, gone] = await pass();
    expect(days.map(({ name }) => name)).toEqual(["kpi_sample_20260226"]);
    expect(gone).toEqual([
      { metric: null, samples: 4 },
      { metric: "response", samples: 7 },
    ]);
    expect(await daysOf("response")).toEqual([1, 5, 7]);
    expect(await daysOf("queue.depth")).toEqual([1, 5, 7, 8, 10, 14]);
    expect(await daysOf("check")).toEqual([1, 5, 7, 8, 10, 14, 15, 20, 29, 30]);
    await sumUp();
    expect(await database.sql`select * from kpi_day order by series_id, at`).toEqual(sums);
    expect(await pass()).toEqual([[], []]);
  });

  it("stay until they are summed up, day by day", async () => {
    await store("response", back);
    await say("response", { sample: 7 });
    await time.advance(hour);
    await pass();
    expect(await daysOf("response")).toEqual(back);
    await sumUp();
    // What came late, on the tenth day.
    await store("response", [10], 9);
    const late = await seriesOf(database.db, { integrationId, metric: "response" });
    await database.sql`update kpi_sample set key = 'late' where series_id = ${late} and value = 9`;
    await database.sql`insert into kpi_dirty (series_id, first_at, last_at) values (${late}, ${midnight - 10 * day + 12 * hour}::timestamptz, ${midnight - 10 * day + 12 * hour}::timestamptz)`;
    await pass();
    expect(await daysOf("response")).toEqual([1, 5, 7, 8, 10]);
    await sumUp();
    await pass();
    expect(await daysOf("response")).toEqual([1, 5, 7]);
    expect((await database.sql`select from kpi_dirty`).length).toBe(0);
  });

  it("are taken no more before the time from which on they are kept, metric by metric", async () => {
    await store("response", [1]);
    await sumUp();
    await say("response", { sample: 7 });
    await time.advance(hour);
    await pass();
    const keptFrom = await samplesKeptFrom(database.db, await time.now());
    expect(keptFrom("response")).toBe(midnight - 7 * day);
    expect(keptFrom("queue.depth")).toBe((await time.now()) - 90 * day);
    // Who was let in before that and writes only now.
    await expect(store("response", [8])).rejects.toMatchObject({ code: "QSC_SAMPLES_BUSY" });
    expect(await daysOf("response")).toEqual([1]);
    await store("queue.depth", [8]);
    // A sample that lies there all the same sums up nothing anew: the others of its minute are gone.
    const seriesId = await seriesOf(database.db, { integrationId, metric: "response" });
    const at = midnight - 9 * day;
    for (const table of ["kpi_minute", "kpi_hour", "kpi_day"])
      await database.sql`insert into ${database.sql(table)} (series_id, at, samples, good, marked, sum_millionths, min_value, max_value, histogram)
        values (${seriesId}, ${at}::timestamptz, 5, 5, 0, 5, 1, 1, '')`;
    await database.sql`select ensure_day_partition('kpi_sample', (${at}::timestamptz at time zone 'UTC')::date)`;
    await database.sql`insert into kpi_sample (series_id, slot, at, value, ok) values (${seriesId}, 0, ${at}::timestamptz, 0, true)`;
    await database.sql`insert into kpi_dirty (series_id, first_at, last_at) values (${seriesId}, ${at}::timestamptz, ${at}::timestamptz)`;
    await sumUp();
    for (const table of ["kpi_minute", "kpi_hour", "kpi_day"])
      expect(await database.sql`select samples::integer from ${database.sql(table)} where at = ${at}::timestamptz`).toEqual([
        { samples: 5 },
      ]);
  });

  it("stay gone of a metric that gets days of its own only later", async () => {
    await store("response", back);
    await sumUp();
    await say("check", { sample: 30 });
    await time.advance(hour);
    await pass();
    await say("response", { sample: 60 });
    await expect(store("response", [20])).rejects.toMatchObject({ code: "QSC_SAMPLES_BUSY" });
    expect((await samplesKeptFrom(database.db, await time.now()))("response")).toBe(midnight - 14 * day);
  });

  it("are not decided about while somebody writes them", async () => {
    await store("response", [1]);
    await sumUp();
    await say("response", { sample: 7 });
    await time.advance(hour);
    const seriesId = await seriesOf(database.db, { integrationId, metric: "response" });
    const batch = createSampleBatch();
    batch.add({ integration: "orders", metric: "response", at: midnight - 8 * day, value: 1, ok: true, key: "" }, { seriesId, mark: 0 });
    let commit = (): void => undefined;
    const mayCommit = new Promise<void>((resolve) => (commit = resolve));
    let writer = Promise.resolve();
    await new Promise<void>((written, failed) => {
      writer = database.db.transaction(async (tx) => {
        await storeSamples(tx, batch).then(() => written(), failed);
        await mayCommit;
      });
    });
    const letGo = { isOver: false };
    const letting = letSamplesGo({ database }, { sampleDays: 14 }).finally(() => (letGo.isOver = true));
    // It waits for the writer, which is seen in the locks.
    const waits = () => database.sql`select from pg_locks where locktype = 'advisory' and classid = 71058 and not granted`;
    while (!letGo.isOver && (await waits()).length === 0);
    expect(letGo.isOver).toBe(false);
    commit();
    await Promise.all([writer, letting]);
    expect(await daysOf("response")).toEqual([1, 8]);
    await sumUp();
    await pass();
    expect(await daysOf("response")).toEqual([1]);
    expect(await daysOf("response", "kpi_day")).toEqual([1, 8]);
  });

  it("go in bounded pieces, and go on where it stopped", async () => {
    await store("response", back);
    await sumUp();
    await say("response", { sample: 7 });
    await time.advance(hour);
    expect((await letSamplesGo({ database }, { sampleDays: 14 }, 2))[0]).toEqual({ metric: "response", samples: 2 });
    expect(await daysOf("response")).toEqual([1, 5, 7, 8, 10, 14, 15, 20, 29]);
    expect((await letSamplesGo({ database }, { sampleDays: 14 }))[0]).toEqual({ metric: "response", samples: 6 });
    expect(await daysOf("response")).toEqual([1, 5, 7]);
  });

  it("do not go within an hour of a change: a mistake can be taken back", async () => {
    await store("response", back);
    await store("check", back);
    await sumUp();
    await say("response", { sample: 2 });
    await say("check", { sample: 30 });
    await time.advance(hour - 1);
    expect(await pass()).toEqual([[], []]);
    await say("response", {});
    await time.advance(hour);
    await pass();
    expect(await daysOf("response")).toEqual([1, 5, 7, 8, 10, 14]);
    // Longer again: what is gone stays gone.
    await say("response", { sample: 60 });
    await time.advance(hour);
    await pass();
    expect(await daysOf("response")).toEqual([1, 5, 7, 8, 10, 14]);
    await expect(store("response", [20])).rejects.toMatchObject({ code: "QSC_SAMPLES_BUSY" });
  });

  it("a metric of which nothing is said any more is one of the others again", async () => {
    await store("response", back);
    await sumUp();
    await say("check", { sample: 30 });
    await say("response", { sample: 7 });
    await time.advance(hour);
    await pass();
    await say("response", {});
    await time.advance(hour);
    await pass();
    // It has come further than the others: until these have come as far it is remembered.
    expect(await count("kpi_retention")).toBe(3);
    await time.advance(7 * day);
    await pass();
    await pass();
    await forgetSums({ database });
    await pass();
    expect(await count("kpi_retention")).toBe(2);
    const keptFrom = await samplesKeptFrom(database.db, await time.now());
    expect(keptFrom("response")).toBe(midnight - 7 * day);
  });

  it("leave an audit entry and an event that say from when on they are kept", async () => {
    await store("response", back);
    await sumUp();
    await say("response", { sample: 7 }, "disk of the year");
    await time.advance(hour);
    await pass();
    const entries =
      await database.sql`select actor, action, reason, before, after from audit_entry where action <> 'retention.drop' order by id`;
    expect(entries).toEqual([
      {
        actor: "token:ada",
        action: "control.set-sample-retention",
        reason: "disk of the year",
        before: { metric: "response", ...unsaidRetention },
        after: { metric: "response", ...unsaidRetention, sample: 7 },
      },
      {
        actor: "system:quiesce",
        action: "retention.drop-samples",
        reason: null,
        before: { metric: "response", before: "2026-03-22T00:00:00.000Z" },
        after: null,
      },
    ]);
    expect(await database.sql`select kind from event_inbox where kind like '%sample%' order by id`).toEqual([
      { kind: "control.sample-retention-changed" },
      { kind: "retention.samples-dropped" },
    ]);
  });
});

describe("sums of metrics that are kept for different times", () => {
  const long = [1, 30, 40, 60, 700, 801, 900];
  async function sums(metric: string): Promise<void> {
    const seriesId = await seriesOf(database.db, { integrationId, metric });
    for (const table of ["kpi_minute", "kpi_hour", "kpi_day"])
      await database.sql`
        insert into ${database.sql(table)} (series_id, at, samples, good, marked, sum_millionths, min_value, max_value, histogram)
        select ${seriesId}, ${midnight}::timestamptz - d * interval '1 day' + interval '12 hours', 1, 1, 0, 1, 1, 1, '' from unnest(${long}::integer[]) as d`;
  }

  it("each go after their own time, and as usual where nothing is said", async () => {
    await sums("response");
    await sums("our.own");
    await database.sql`update kpi_progress set samples_kept_from = ${midnight - 14 * day}::timestamptz`;
    await say("our.own", { sample: 2, minute: 20, hour: 50, day: 750 });
    await time.advance(hour);
    await forgetSums({ database });
    expect(await daysOf("response", "kpi_minute")).toEqual([1, 30]);
    expect(await daysOf("response", "kpi_hour")).toEqual([1, 30, 40, 60, 700]);
    expect(await daysOf("response", "kpi_day")).toEqual(long);
    expect(await daysOf("our.own", "kpi_minute")).toEqual([1]);
    expect(await daysOf("our.own", "kpi_hour")).toEqual([1, 30, 40]);
    expect(await daysOf("our.own", "kpi_day")).toEqual([1, 30, 40, 60, 700]);
    expect(await forgetSums({ database })).toBe(0);
  });

  it("stay as long as a sample could still change them", async () => {
    await sums("response");
    expect(await forgetSums({ database })).toBe(0);
    await database.sql`update kpi_progress set samples_kept_from = ${midnight - 50 * day}::timestamptz`;
    await forgetSums({ database });
    expect(await daysOf("response", "kpi_minute")).toEqual([1, 30, 40]);
  });
});

it.each([
  [null, { minute: 34 }, "room", "QSC_SAMPLE_RETENTION_INVALID"],
  ["response", { sample: 7 }, " ", "QSC_SAMPLE_RETENTION_INVALID"],
  ["No Metric", { sample: 7 }, "room", "QSC_SAMPLE_RETENTION_INVALID"],
])("for how long %o is kept is not %o (%o)", async (metric, days, reason, code) => {
  await expect(say(metric, days, reason)).rejects.toMatchObject({ code });
  expect(await count("audit_entry")).toBe(0);
});

it("two hundred metrics have days of their own, and no more", async () => {
  await database.sql`insert into kpi_retention (metric, sample_days) select 'm' || n, 7 from generate_series(1, 200) as n`;
  await expect(say("response", { sample: 7 })).rejects.toMatchObject({ code: "QSC_SAMPLE_RETENTION_FULL" });
  await say("m1", { sample: 8 });
});
