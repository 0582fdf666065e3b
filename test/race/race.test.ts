import { DomainError, packagedZoneData, type WindowScope } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CommandContext, inTransaction } from "../../packages/server/src/command.js";
import { type Database, openDatabase } from "../../packages/server/src/db/client.js";
import { createWindow } from "../../packages/server/src/windows/commands.js";
import { pause, resume } from "../../packages/server/src/windows/hold-commands.js";
import { endWindowEarly } from "../../packages/server/src/windows/occurrence-commands.js";
import { expandWindows } from "../../packages/server/src/windows/expand.js";
import { lockCatalogue, lockDispatch } from "../../packages/server/src/windows/locks.js";
import { refreshMembership } from "../../packages/server/src/windows/membership.js";
import { freshDatabase, type FreshDatabase } from "../database/fresh-database.js";
import { type Begun, type RaceSettings, ServerProcess } from "./server-process.js";

const integrations = 200;
const tags = ["t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7"];
const usual: RaceSettings = { runMs: 2, maxConcurrentRuns: 200, lease: { leaseMs: 30_000, marginMs: 10_000, renewEveryMs: 5_000 } };

let fresh: FreshDatabase;
let database: Database;
let context: CommandContext;
let servers: ServerProcess[];

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 6, applicationName: "race" });
  context = { database, zones: packagedZoneData(), actor: { kind: "token", name: "racer", role: "admin" } };
  servers = [];
  await database.sql`insert into integration (key, name, tags) select 'i' || n, 'i' || n, array['t' || n % ${tags.length}::integer] from generate_series(1, ${integrations}::integer) as n`;
  await database.sql`select ensure_run_partitions(app_now(), app_now() + interval '1 day')`;
  await expandWindows(context);
});

afterEach(async () => {
  for (const server of servers) await server.kill();
  await database.close();
  await fresh.drop();
});

async function startServers(names: readonly string[], settings: RaceSettings): Promise<void> {
  const made = names.map((name) => new ServerProcess(fresh.url, name, settings));
  servers.push(...made);
  await Promise.all(made.map((server) => server.ready()));
}

/** Queues runs that fall due over `overMs` in bursts, as cron's full minutes make them, spread over the integrations. */
async function queueRuns(count: number, overMs: number, burstMs = 1): Promise<void> {
  await database.sql`
    insert into run (id, due_at, last_due_at, integration_id, bucket, trigger, state, ready_at)
    select new_run_id(due), due, due, i.id, i.bucket, 'manual', 'queued', due
    from (select n, date_trunc('milliseconds', app_now() + (floor(n * ${overMs / count / burstMs}::float8) * ${burstMs}::float8) * interval '1 millisecond') as due from generate_series(1, ${count}::integer) as n) as dues
    join integration as i on i.key = 'i' || (1 + dues.n * 7919 % ${integrations}::integer)`;
  await database.sql`analyze run`;
}

/** The database's time and what is committed by then, as seen by whoever has just got an answer. */
async function acknowledged(): Promise<{ readonly at: number; readonly snapshot: string }> {
  const [row] = await database.sql<{ at: number; snapshot: string }[]>`
    select (extract(epoch from clock_timestamp()) * 1000)::float8 as at, pg_current_snapshot()::text as snapshot`;
  if (row === undefined) throw new Error("The clock did not answer.");
  return row;
}

const now = async (): Promise<number> => {
  const [row] = await database.sql<{ now: number }[]>`select (extract(epoch from clock_timestamp()) * 1000)::float8 as now`;
  return row?.now ?? Number.NaN;
};

const pauseFor = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

async function untilAllEnded(withinMs: number): Promise<void> {
  for (const giveUpAt = performance.now() + withinMs; ;) {
    const [row] = await database.sql<
      { open: number }[]
    >`select count(*)::integer as open from run where state in ('queued', 'held', 'running')`;
    if (row?.open === 0) return;
    if (performance.now() > giveUpAt)
      throw new Error(
        `${row?.open} runs have not ended within ${withinMs} ms.\n${servers
          .flatMap((server) => server.errors)
          .slice(0, 5)
          .join("\n")}`,
      );
    await pauseFor(100);
  }
}

/** No (run, attempt) twice: by the events of the claim, and by what the servers themselves say. */
async function expectNoDuplicates(): Promise<void> {
  const twice = await database.sql`
    select subject_key, payload ->> 'attempt' as attempt, count(*)::integer as times from event_inbox where kind = 'run.started'
    group by 1, 2 having count(*) > 1`;
  expect([...twice]).toEqual([]);
  const said = new Map<string, Begun>();
  for (const begun of servers.flatMap((server) => server.begun)) {
    const name = `${begun.runId}/${begun.attempt}`;
    expect(said.get(name), `${name} was begun twice`).toBeUndefined();
    said.set(name, begun);
  }
}

/** From when on (acknowledged) until when an integration was held for certain. */
interface Covered {
  readonly integration: string;
  readonly from: number;
  to: number;
  readonly by: string;
  /** What was committed when the hold was acknowledged; null for a window that was saved before it began. */
  readonly snapshot: string | null;
}

/**
 * Starts that were committed after a hold over their integration was acknowledged, although they carry a time before it: whoever asked "is anything
 * in flight?" at that moment was told no. Their times alone would not show them.
 */
async function hiddenStarts(covered: readonly Covered[]): Promise<readonly unknown[]> {
  const rows = JSON.stringify(covered.filter((one) => one.snapshot !== null));
  return database.sql`
    select c.by, c."from", e.subject_key, e.at from jsonb_to_recordset(${rows}::text::jsonb) as c(integration text, "from" float8, snapshot text, by text)
    join event_inbox as e on e.kind = 'run.started' and e.integration_key = c.integration
      and e.at < to_timestamp(c."from" / 1000) and e.at > to_timestamp(c."from" / 1000) - interval '5 seconds'
    where not pg_visible_in_snapshot(e.xmin::text::xid8, c.snapshot::pg_snapshot)`;
}

/** Changes what is held while runs fall due, and writes down what was promised when. */
class Writer {
  readonly covered: Covered[] = [];
  readonly #tagsOf = new Map<string, string>();
  acts = 0;

  constructor() {
    for (let n = 1; n <= integrations; n += 1) this.#tagsOf.set(`i${n}`, `t${n % tags.length}`);
  }

  async act(): Promise<void> {
    this.acts += 1;
    const dice = Math.random();
    if (dice < 0.5) await this.#pauseAndResume(dice < 0.3 ? { integrations: [this.#anyIntegration()] } : { tags: [this.#anyTag()] });
    else await this.#window();
  }

  #anyIntegration = () => `i${1 + Math.floor(Math.random() * integrations)}`;
  #anyTag = () => tags[Math.floor(Math.random() * tags.length)] ?? "t0";
  #under = (scope: WindowScope) =>
    [...this.#tagsOf]
      .filter(([key, tag]) => scope.integrations?.includes(key) === true || scope.tags?.includes(tag) === true)
      .map(([key]) => key);

  #open(keys: readonly string[], from: number, by: string, snapshot: string | null): readonly Covered[] {
    const opened = keys.map((integration) => ({ integration, from, to: Number.POSITIVE_INFINITY, by, snapshot }));
    this.covered.push(...opened);
    return opened;
  }

  async #pauseAndResume(scope: WindowScope): Promise<void> {
    const { holdId } = await pause(context, { scope, until: null, reason: "race" });
    const { at, snapshot } = await acknowledged();
    const opened = [...this.#open(this.#under(scope), at, `pause ${holdId}`, snapshot)];
    await pauseFor(5 + Math.random() * 25);
    const [tag] = scope.tags ?? [];
    if (tag !== undefined) opened.push(...(await this.#joinAndLeave(tag, holdId)));
    const ends = await now();
    for (const one of opened) one.to = Math.min(one.to, ends);
    await resume(context, { holdId, reason: "race" });
  }

  /** An integration gains the tag that is held: from the answer on it is held as well. */
  async #joinAndLeave(tag: string, holdId: number): Promise<readonly Covered[]> {
    const key = this.#anyIntegration();
    const before = this.#tagsOf.get(key) ?? "";
    if (before === tag) return [];
    await this.#retag(key, tag);
    const { at, snapshot } = await acknowledged();
    const opened = this.#open([key], at, `pause ${holdId} by a new tag`, snapshot);
    await pauseFor(10);
    const ends = await now();
    for (const one of opened) one.to = ends;
    await this.#retag(key, before);
    return opened;
  }

  async #retag(key: string, tag: string): Promise<void> {
    await inTransaction(context, async (tx) => {
      await lockCatalogue(tx);
      await tx.execute(sql`update integration set tags = array[${tag}] where key = ${key}`);
      await lockDispatch(tx, await refreshMembership(tx));
    });
  }

  /** A window that begins with the next second, saved just before; or that has begun already when it is saved. */
  async #window(): Promise<void> {
    const scope = { integrations: [this.#anyIntegration(), this.#anyIntegration()] };
    const begins = Math.floor((await now()) / 1_000) * 1_000 + (Math.random() < 0.6 ? 1_000 : 0);
    const local = (ms: number) => new Date(ms).toISOString().slice(0, 19);
    const key = `w${this.acts}-${Math.floor(Math.random() * 1e9)}`;
    await createWindow(context, {
      key,
      title: key,
      scope,
      owner: "race",
      reason: "race",
      series: { start: local(begins), end: local(begins + 2_000), timeZone: "UTC" },
    });
    const { at, snapshot } = await acknowledged();
    const opened = this.#open(this.#under(scope), Math.max(at, begins), key, at >= begins ? snapshot : null);
    for (const one of opened) one.to = begins + 2_000;
    await pauseFor(Math.max(0, begins - (await now())) + Math.random() * 300);
    if (Math.random() < 0.5) return;
    const ends = await now();
    for (const one of opened) one.to = Math.min(one.to, ends);
    await endWindowEarly(context, { key, reason: "race" }).catch((error: unknown) => {
      // On a busy machine it may have reached its own end first.
      if (!(error instanceof DomainError)) throw error;
    });
  }
}

describe("two servers on one database", () => {
  it("share 20,000 due runs without a duplicate", async () => {
    await queueRuns(20_000, 1);
    await startServers(["north", "south"], { ...usual, runMs: 0, maxConcurrentRuns: 500 });
    await untilAllEnded(90_000);
    const [row] = await database.sql<{ ended: number; attempts: number }[]>`
      select count(*) filter (where state = 'succeeded')::integer as ended, max(attempt) as attempts from run`;
    expect(row).toEqual({ ended: 20_000, attempts: 1 });
    await expectNoDuplicates();
    const shares = servers.map((server) => server.begun.length);
    console.log(`Race: 20,000 runs shared as ${shares.join(" and ")}`);
    expect(Math.min(...shares)).toBeGreaterThan(1_000);
  });

  it("start nothing inside a hold that was acknowledged", async () => {
    const lastsMs = 20_000;
    await startServers(["north", "south"], usual);
    await queueRuns(12_000, lastsMs, 250);
    const writer = new Writer();
    const stopAt = performance.now() + lastsMs;
    const write = async () => {
      while (performance.now() < stopAt) await writer.act();
    };
    await Promise.all([write(), write(), write(), write(), write()]);
    await untilAllEnded(60_000);
    const starts = await database.sql<
      { integration: string; at: number }[]
    >`select integration_key as integration, at from event_inbox where kind = 'run.started'`;
    const byIntegration = new Map<string, Covered[]>();
    for (const one of writer.covered) byIntegration.set(one.integration, [...(byIntegration.get(one.integration) ?? []), one]);
    const inside = starts.flatMap((start) =>
      (byIntegration.get(start.integration) ?? [])
        .filter((one) => start.at >= one.from && start.at < one.to)
        .map((one) => ({ ...start, by: one.by, sinceMs: start.at - one.from })),
    );
    const [held] = await database.sql<{ n: number }[]>`select count(*)::integer as n from event_inbox where kind = 'run.held'`;
    const hidden = await hiddenStarts(writer.covered);
    console.log(
      `Race: ${starts.length} starts, ${writer.acts} holds opened over ${writer.covered.length} integrations, ${held?.n} runs held; ${inside.length} starts inside, ${hidden.length} committed behind an acknowledgement`,
    );
    expect(held?.n).toBeGreaterThan(50);
    expect(writer.acts).toBeGreaterThan(40);
    expect(inside).toEqual([]);
    expect([...hidden]).toEqual([]);
    await expectNoDuplicates();
  });

  it("lose nothing when one of them is killed again and again", async () => {
    const settings: RaceSettings = { runMs: 20, maxConcurrentRuns: 50, lease: { leaseMs: 2_000, marginMs: 400, renewEveryMs: 300 } };
    const runs = 4_000;
    await startServers(["north-0", "south-0"], settings);
    await queueRuns(runs, 9_000);
    let alive = [...servers];
    for (let kills = 1; kills <= 8; kills += 1) {
      await pauseFor(1_200);
      const [victim, survivor] = alive;
      if (victim === undefined || survivor === undefined) throw new Error("There are two servers.");
      await victim.kill();
      const successor = new ServerProcess(fresh.url, `${victim.name.split("-")[0]}-${kills}`, settings);
      servers.push(successor);
      await successor.ready();
      alive = [survivor, successor];
    }
    await untilAllEnded(40_000);
    const states = await database.sql<{ state: string; n: number; again: number }[]>`
      select state, count(*)::integer as n, count(*) filter (where attempt > 1)::integer as again from run group by state`;
    console.log(`Race: 8 kills, ${runs} runs, ${states[0]?.again} of them begun again`);
    expect(states.map(({ state, n }) => ({ state, n }))).toEqual([{ state: "succeeded", n: runs }]);
    expect(states[0]?.again).toBeGreaterThan(0);
    await expectNoDuplicates();
  });
});
