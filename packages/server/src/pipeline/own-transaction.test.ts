import { sql } from "drizzle-orm";
import pino from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { memorySource } from "../../../../test/pipeline/memory-source.js";
import { memoryTarget } from "../../../../test/pipeline/memory-target.js";
import { type PipelineBench, pipelineBench } from "../../../../test/pipeline/pipeline-bench.js";
import { RunLostError } from "../connector-host/run-permit.js";
import type { Database } from "../db/client.js";
import type { RunToExecute } from "../scheduler/run-executor.js";
import { openPageDatabase } from "./open-page-database.js";
import { ownPageTransaction, requireOwnRunNow, together } from "./own-transaction.js";

const log = pino({ level: "silent" });
let bench: PipelineBench;
let pages: Database;
let run: RunToExecute;

beforeEach(async () => {
  bench = await pipelineBench({ source: memorySource(), target: memoryTarget() });
  pages = openPageDatabase(bench.url, 30_000);
  run = await bench.claim();
  await bench.database.sql`create table noted (place integer generated always as identity, what text not null unique)`;
});

afterEach(async () => {
  await pages.close();
  await bench.close();
});

const own = () => ({ database: bench.database, pages, run, log });
const noted = async () => (await bench.database.sql<{ what: string }[]>`select what from noted order by place`).map(({ what }) => what);
const note = (what: string) => sql`insert into noted (what) values (${what})`;

describe("a transaction of a page", () => {
  it("does nothing before the lock of its run, and keeps nothing when the run was taken away meanwhile", async () => {
    const waits = bench.database.sql.begin(async (tx) => {
      await tx`select from run where id = ${run.runId} for update`;
      const page = ownPageTransaction(own(), async (mine) => together([mine.execute(note("a")), mine.execute(note("b"))]));
      const ended = page.then(
        () => "written",
        (error: unknown) => error,
      );
      // The statement that waits is the first, so the others have not been done.
      await expect
        .poll(
          async () =>
            bench.database.sql<{ query: string }[]>`
              select query from pg_stat_activity where datname = current_database() and application_name = 'quiesce-pages' and wait_event_type = 'Lock'`,
          { timeout: 60_000 },
        )
        .toEqual([{ query: expect.stringContaining("for no key update") }]);
      await tx`update run set attempt = attempt + 1 where id = ${run.runId}`;
      return { ended };
    });
    expect(await (await waits).ended).toBeInstanceOf(RunLostError);
    expect(await noted()).toEqual([]);
  });

  it("does its statements in the order in which they were sent, however often they were prepared", async () => {
    const names = Array.from({ length: 60 }, (_none, index) => `n${index}`);
    for (let first = 0; first < names.length; first += 6)
      await ownPageTransaction(own(), async (tx) => together(names.slice(first, first + 6).map((name) => tx.execute(note(name)))));
    expect(await noted()).toEqual(names);
  });

  it("throws what the first statement threw, keeps nothing, and lets no statement stand alone behind its end", async () => {
    await ownPageTransaction(own(), async (tx) => tx.execute(note("twice")));
    const page = ownPageTransaction(own(), async (tx) => together(["before", "twice", "after"].map((name) => tx.execute(note(name)))));
    await expect(page).rejects.toMatchObject({ kind: "transient", info: { cause: { cause: { code: "23505" } } } });
    expect(await noted()).toEqual(["twice"]);
  });
});

it("a run that was taken away is noticed before anything is sent", async () => {
  await requireOwnRunNow(own());
  await bench.takeAway(run);
  await expect(requireOwnRunNow(own())).rejects.toBeInstanceOf(RunLostError);
});
