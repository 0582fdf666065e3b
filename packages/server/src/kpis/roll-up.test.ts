import { histogramOf, encodeHistogram, type EvidenceRun, joinEvidence, type Sample, sampleMarks } from "@quiesce/core";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import { type Database, openDatabase } from "../db/client.js";
import { createSampleBatch } from "../ingest/sample-batch.js";
import { seriesOf, storeSamples } from "../ingest/store-samples.js";
import { letDaysGo } from "../retention/let-days-go.js";
import { decodeRuns, type EncodedRun } from "./evidence-runs.js";
import { rollUp } from "./roll-up.js";

const hour = 3_600_000;
const day = 24 * hour;
let fresh: FreshDatabase;
let database: Database;
let integrationId: number;

beforeAll(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 6, applicationName: "roll-up-test" });
  await seedCatalogue(database.sql, { integrations: [{ key: "orders" }], jobs: [] });
  const [row] = await database.sql<{ id: number }[]>`select id from integration`;
  integrationId = row?.id ?? 0;
});
afterAll(async () => {
  await database?.close();
  await fresh?.drop();
});

type Measured = Pick<Sample, "at" | "value" | "ok" | "key">;

async function store(seriesId: number, samples: readonly Measured[]): Promise<number> {
  const batch = createSampleBatch();
  for (const one of samples) batch.add({ ...one, integration: "orders", metric: "x" }, { seriesId, mark: sampleMarks.fits });
  return database.db.transaction((tx) => storeSamples(tx, batch));
}

async function rollUpAll(most?: number): Promise<void> {
  for (let more = true; more;) ({ more } = await rollUp({ database }, most));
}

interface Summed {
  readonly at: number;
  readonly samples: number;
  readonly good: number;
  readonly sum: string;
  readonly min: number;
  readonly max: number;
  readonly histogram: string;
  readonly evidence: readonly EncodedRun[] | null;
}

const summed = async (table: "minute" | "hour" | "day", seriesId: number): Promise<readonly Summed[]> => [
  ...(await database.sql<Summed[]>`
    select at, samples::float8 as samples, good::float8 as good, sum_millionths::text as sum, min_value as min, max_value as max,
      encode(histogram, 'hex') as histogram, ${table === "minute" ? database.sql`null::jsonb` : database.sql`evidence`} as evidence
    from ${database.sql(`kpi_${table}`)} where series_id = ${seriesId} order by at`),
];

/** The same, from the samples themselves. */
function fromRaw(samples: readonly Measured[], spanMs: number) {
  const spans = [...new Set(samples.map(({ at }) => Math.floor(at / spanMs) * spanMs))].toSorted((a, b) => a - b);
  return spans.map((at) => {
    const group = samples.filter((one) => Math.floor(one.at / spanMs) * spanMs === at);
    const values = group.map(({ value }) => value);
    return {
      at,
      samples: group.length,
      good: group.filter(({ ok }) => ok).length,
      sum: String(values.reduce((sum, value) => sum + BigInt(Math.round(value * 1e6)), 0n)),
      min: Math.min(...values),
      max: Math.max(...values),
      histogram: Buffer.from(encodeHistogram(histogramOf(values))).toString("hex"),
    };
  });
}

const start = Math.floor(Date.now() / day) * day - 3 * day;
/** Values whose millionths are whole in any arithmetic: what rounds a half is not what this is about. */
const measured = fc.uniqueArray(
  fc.record({
    at: fc.oneof(
      fc.integer({ min: 0, max: 2 * day }),
      fc.integer({ min: 0, max: 200_000 }),
      fc.constantFrom(0, hour - 1, hour, day - 1, day),
    ),
    value: fc.integer({ min: 0, max: 1_000_000 }).map((n) => n / 8),
    ok: fc.boolean(),
    key: fc.constantFrom("", "a", "null", 'quote"and\\back', "{,}"),
  }),
  { selector: ({ at, key }) => `${at} ${key}`, maxLength: 60 },
);

describe("sums of samples", () => {
  it("law: are those of the samples, for every aggregate, in whatever order and in whatever batches they arrive", async () => {
    let n = 0;
    await fc.assert(
      fc.asyncProperty(measured, fc.array(fc.nat(20), { maxLength: 8 }), fc.integer({ min: 1, max: 5 }), async (offsets, cuts, most) => {
        const seriesId = await seriesOf(database.db, { integrationId, metric: n++ % 2 === 0 ? `law-${n}` : "check" });
        await database.sql`delete from kpi_sample where series_id = ${seriesId}`;
        await database.sql`delete from kpi_hour where series_id = ${seriesId}`;
        for (const table of ["kpi_minute", "kpi_day"]) await database.sql`delete from ${database.sql(table)} where series_id = ${seriesId}`;
        const samples = offsets.map((one) => ({ ...one, at: start + one.at }));
        let at = 0;
        for (const cut of [...cuts, samples.length]) {
          await store(seriesId, samples.slice(at, at + cut));
          if (cut % 2 === 0) await rollUp({ database }, most);
          at += cut;
        }
        // Once more what was there already.
        expect(await store(seriesId, samples.slice(0, 3))).toBe(0);
        await rollUpAll(most);
        const plain = (rows: readonly Summed[]) => rows.map(({ evidence: _evidence, ...row }) => row);
        expect(plain(await summed("minute", seriesId))).toEqual(fromRaw(samples, 60_000));
        expect(plain(await summed("hour", seriesId))).toEqual(fromRaw(samples, hour));
        expect(plain(await summed("day", seriesId))).toEqual(fromRaw(samples, day));
      }),
      { numRuns: 25 },
    );
  }, 300_000);

  it("law: the evidence of a day is that of its results one after the other, whatever order they arrive in", async () => {
    const seriesId = await seriesOf(database.db, { integrationId, metric: "check" });
    const results = fc.uniqueArray(fc.record({ at: fc.integer({ min: 0, max: 120 }), ok: fc.boolean() }), {
      selector: ({ at }) => at,
      minLength: 1,
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(results, fc.nat(60), async (list, cut) => {
        for (const table of ["kpi_sample", "kpi_minute", "kpi_hour", "kpi_day"])
          await database.sql`delete from ${database.sql(table)} where series_id = ${seriesId}`;
        const samples = list.map(({ at, ok }) => ({ at: start + 2 * hour + at * 90_000, ok, value: 1, key: "" }));
        await store(seriesId, samples.slice(cut));
        await rollUpAll();
        await store(seriesId, samples.slice(0, cut));
        await rollUpAll();
        const ordered = samples.toSorted((a, b) => a.at - b.at);
        const expected = joinEvidence(ordered.map(({ at, ok }): EvidenceRun[] => [{ ok, first: at, last: at, count: 1 }]));
        const [whole] = await summed("day", seriesId);
        expect(decodeRuns(whole?.evidence ?? [])).toEqual(expected);
      }),
      { numRuns: 25 },
    );
  });

  it("are made by one server at a time, and whoever comes meanwhile leaves the work to it", async () => {
    const seriesId = await seriesOf(database.db, { integrationId, metric: "busy" });
    await store(seriesId, [{ at: start, value: 1, ok: true, key: "" }]);
    await database.db.transaction(async (other) => {
      await other.execute("select pg_advisory_xact_lock(lock_class_kpi_rollup(), 0)");
      expect(await rollUp({ database })).toEqual({ stretches: 0, more: false });
    });
    expect((await rollUp({ database })).stretches).toBe(1);
  });

  it("stay when the samples go, and the samples stay until they are summed up", async () => {
    const seriesId = await seriesOf(database.db, { integrationId, metric: "old" });
    const at = start - 20 * day;
    await store(seriesId, [{ at, value: 5, ok: true, key: "" }]);
    const name = `kpi_sample_${new Date(at).toISOString().slice(0, 10).replaceAll("-", "")}`;
    const days = { run: 400, event_log: 30, kpi_sample: 7 };
    expect(await letDaysGo({ database }, days)).toContainEqual({ name, rows: 1, result: "waiting" });
    await rollUpAll();
    expect(await letDaysGo({ database }, days)).toContainEqual({ name, rows: 1, result: "dropped" });
    // A mark from before what is kept sums up nothing anew: it would find no samples.
    await database.sql`insert into kpi_dirty (series_id, first_at, last_at) values (${seriesId}, ${at}::timestamptz, ${at}::timestamptz)`;
    await rollUpAll();
    expect(await summed("day", seriesId)).toMatchObject([{ samples: 1, max: 5 }]);
  });
});
