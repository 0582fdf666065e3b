import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileConnector, postgresConnector } from "@quiesce/connectors";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freshDatabase, type FreshDatabase } from "../database/fresh-database.js";
import { type PipelineBench, pipelineBench } from "../pipeline/pipeline-bench.js";

/** With QUIESCE_TRACE_RECORDS=100000 this measures what the trace costs; without, it only looks that the trace is complete. */
const wanted = process.env["QUIESCE_TRACE_RECORDS"];
const records = Number(wanted ?? 2_000);
const rounds = wanted === undefined ? 1 : 5;

let shop: FreshDatabase;
let sql: postgres.Sql;
let folder: string;
beforeAll(async () => {
  shop = await freshDatabase({ empty: true });
  sql = postgres(shop.url, { max: 2, onnotice: () => undefined });
  folder = await mkdtemp(join(tmpdir(), "quiesce-trace-"));
  const line = (index: number) => `${index},customer number ${index},customer${index}@example.org,${index % 97}\n`;
  await writeFile(
    join(folder, "items.csv"),
    `id,name,mail,score\n${Array.from({ length: records }, (_none, index) => line(index + 1)).join("")}`,
  );
});
afterAll(async () => {
  await sql?.end();
  await shop?.drop();
  await rm(folder, { recursive: true, force: true });
});

function open(traces: boolean): Promise<PipelineBench> {
  const address = new URL(shop.url);
  const fields = {
    id: { from: "id", cast: "integer" },
    name: { from: "name" },
    mail: { from: "mail" },
    score: { from: "score", cast: "integer" },
  } as const;
  return pipelineBench({
    source: {
      connector: fileConnector,
      config: { folder, streams: [{ name: "items", path: "items.csv", format: "csv", key: ["id"], settleSeconds: 0 }] },
    },
    target: {
      connector: postgresConnector,
      secrets: address.password === "" ? {} : { password: decodeURIComponent(address.password) },
      config: {
        host: address.hostname,
        port: Number(address.port || 5432),
        database: address.pathname.slice(1),
        user: decodeURIComponent(address.username),
        ssl: "disable",
        streams: [{ name: "items", table: "customer", key: ["id"] }],
      },
    },
    stream: { mapping: { fields }, deletes: "ignore" },
    pageSize: 500,
    traces,
  });
}

async function secondsOf(on: PipelineBench): Promise<{ readonly clock: number; readonly work: number }> {
  await sql`drop table if exists customer`;
  await sql`create table customer (id bigint primary key, name text, mail text, score integer)`;
  await on.database.sql`delete from stream_state`;
  const run = await on.claim();
  const begun = { at: performance.now(), work: wanted === undefined ? 0 : await processorSeconds(on) };
  expect(await on.execute(run)).toMatchObject({ kind: "succeeded", figures: { read: records, written: records } });
  const seconds = {
    clock: (performance.now() - begun.at) / 1_000,
    work: wanted === undefined ? 0 : (await processorSeconds(on)) - begun.work,
  };
  await on.takeAway(run);
  await on.database.sql`delete from run`;
  return seconds;
}

/** Hundredths of a second that a process and those it has waited for have worked, and who started it. */
function workOf(pid: number): { readonly parent: number; readonly ticks: number } {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ")
    .map(Number);
  const [parent = 0] = fields.slice(1);
  return { parent, ticks: fields.slice(11, 15).reduce((sum, value) => sum + value, 0) };
}

/** Processor time of this process and of the whole PostgreSQL: on a machine that others use too, the clock says little. Linux only. */
async function processorSeconds(on: PipelineBench): Promise<number> {
  const { user, system } = process.cpuUsage();
  const [backend] = await on.database.sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
  const postmaster = workOf(backend?.pid ?? 0).parent;
  let ticks = workOf(postmaster).ticks;
  for (const name of readdirSync("/proc").filter((one) => /^\d+$/.test(one))) {
    try {
      const work = workOf(Number(name));
      if (work.parent === postmaster) ticks += work.ticks;
    } catch {
      // It has ended meanwhile; its work is counted with its parent's.
    }
  }
  return (user + system) / 1e6 + ticks / 100;
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

describe("the trace of a file that is copied into PostgreSQL", () => {
  it("names every record once, at a cost that is measured", { timeout: 600_000 }, async () => {
    const [without, having] = [await open(false), await open(true)];
    try {
      const seconds = { without: [] as Awaited<ReturnType<typeof secondsOf>>[], having: [] as Awaited<ReturnType<typeof secondsOf>>[] };
      for (let round = 0; round < rounds; round += 1) {
        seconds.without.push(await secondsOf(without));
        seconds.having.push(await secondsOf(having));
      }
      const [row] = await having.database.sql<{ names: number; pages: number; bytes: number }[]>`
        select (select count(distinct name)::integer from record_page cross join unnest(keys) as name) as names, count(*)::integer as pages,
          pg_total_relation_size('record_page')::float8 as bytes from record_page`;
      expect(row?.names).toBe(records);
      expect(row?.pages).toBe(Math.ceil(records / 500) * rounds);
      expect(await without.database.sql`select count(*)::integer as n from record_page`).toEqual([{ n: 0 }]);
      if (wanted === undefined) return;
      const of = (name: "clock" | "work") =>
        [median(seconds.having.map((one) => one[name])), median(seconds.without.map((one) => one[name]))] as const;
      const [slow, fast] = of("clock");
      const [more, less] = of("work");
      const perRecord = (row?.bytes ?? 0) / (records * rounds);
      process.stdout.write(
        `${Math.round(records / fast)} records/s without, ${Math.round(records / slow)} with the trace: ${((slow / fast - 1) * 100).toFixed(1)} % more time by the clock, ${((more / less - 1) * 100).toFixed(1)} % more of the processor (${((more / records) * 1e6).toFixed(1)} against ${((less / records) * 1e6).toFixed(1)} µs a record), ${perRecord.toFixed(0)} bytes a record\n`,
      );
      process.stdout.write(`${JSON.stringify(seconds)}\n`);
    } finally {
      await without.close();
      await having.close();
    }
  });
});
