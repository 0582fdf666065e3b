import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { packagedZoneData } from "@quiesce/core";
import { expect } from "vitest";
import { applyWorkspace } from "../../packages/server/src/catalog/commands.js";
import type { CatalogContext } from "../../packages/server/src/catalog/catalog-context.js";
import { masterKeyOf } from "../../packages/server/src/credentials/master-key.js";
import { type Database, openDatabase } from "../../packages/server/src/db/client.js";
import { conservation } from "../../packages/server/src/runs/ledger.js";
import { expandWindows } from "../../packages/server/src/windows/expand.js";
import { freshDatabase, type FreshDatabase } from "../database/fresh-database.js";
import { type Attempt, type RaceSettings, ServerProcess } from "./server-process.js";

/** So many integrations, and as many of them for every tag. */
export const integrationCount = 200;
const tagCount = 8;
export const tags = Array.from({ length: tagCount }, (_, n) => `t${n}`);
export const tagOf = (n: number) => `t${n % tagCount}`;

const tidyEveryMs = 3_000;

export interface RaceJob {
  readonly key: string;
  readonly integration: string;
  readonly schedule: { readonly every: string };
  readonly catchUp: "skip" | "coalesce" | "all";
}

/** One database, two or more servers on it in processes of their own, and what both of them say. */
export class Course {
  readonly database: Database;
  readonly context: CatalogContext;
  readonly servers: ServerProcess[] = [];
  readonly #fresh: FreshDatabase;
  #jobs: readonly RaceJob[] = [];
  #jobsSince = Number.NaN;
  #tidying: ReturnType<typeof setInterval> | undefined;

  private constructor(fresh: FreshDatabase) {
    this.#fresh = fresh;
    this.database = openDatabase(fresh.url, { max: 6, applicationName: "race" });
    const keys = { current: masterKeyOf(randomBytes(32)), previous: [] };
    this.context = {
      database: this.database,
      zones: packagedZoneData(),
      actor: { kind: "token", name: "racer", role: "admin", overridesFreezes: true },
      keys,
    };
  }

  static async open(): Promise<Course> {
    const course = new Course(await freshDatabase());
    await expandWindows(course.context);
    const integrations = Array.from({ length: integrationCount }, (_, n) => ({ key: `i${n + 1}`, tags: [tagOf(n + 1)] }));
    await applyWorkspace(course.context, { quiesce: 1, integrations });
    await course.database.sql`select ensure_run_partitions(app_now(), app_now() + interval '1 day')`;
    return course;
  }

  async close(): Promise<void> {
    clearInterval(this.#tidying);
    for (const server of this.servers) await server.kill();
    await this.database.close();
    await this.#fresh.drop();
  }

  async start(names: readonly string[], settings: RaceSettings): Promise<void> {
    const made = names.map((name) => new ServerProcess(this.#fresh.url, name, settings));
    this.servers.push(...made);
    await Promise.all(made.map((server) => server.ready()));
    this.#tidying ??= setInterval(() => void this.#tidyUp().catch(() => undefined), tidyEveryMs);
  }

  /** Queues runs without a job that fall due over `overMs` in bursts, spread over the integrations. */
  async queueRuns(count: number, overMs: number, burstMs = 1): Promise<void> {
    await this.database.sql`
      insert into run (id, due_at, last_due_at, integration_id, bucket, trigger, state, ready_at)
      select new_run_id(due), due, due, i.id, i.bucket, 'manual', 'queued', due
      from (select n, date_trunc('milliseconds', app_now() + (floor(n * ${overMs / count / burstMs}::float8) * ${burstMs}::float8) * interval '1 millisecond') as due from generate_series(1, ${count}::integer) as n) as dues
      join integration as i on i.key = 'i' || (1 + dues.n * 7919 % ${integrationCount}::integer)`;
    await this.#tidyUp();
  }

  /** What PostgreSQL does by itself outside of tests: renews the planner's figures and takes dead rows away. */
  async #tidyUp(): Promise<void> {
    await this.database.sql`vacuum (analyze) run, job, hold_member`;
  }

  /** From now on these are due by their schedules; whatever server is up writes the due times down. */
  async addJobs(jobs: readonly RaceJob[]): Promise<void> {
    this.#jobs = jobs;
    this.#jobsSince = await this.now();
    await applyWorkspace(this.context, { quiesce: 1, jobs });
  }

  /** From now on nothing new is due by a schedule. */
  async stopJobs(): Promise<void> {
    await applyWorkspace(this.context, { quiesce: 1, jobs: this.#jobs.map((job) => ({ ...job, enabled: false })) });
  }

  /** The database's time. */
  async now(): Promise<number> {
    const [row] = await this.database.sql<{ now: number }[]>`select (extract(epoch from app_now()) * 1000)::float8 as now`;
    return row?.now ?? Number.NaN;
  }

  /** What has not ended, and by what their jobs are taken. */
  async #whatWaits(): Promise<readonly string[]> {
    const waiting = await this.database.sql`
      select r.state, r.trigger, count(*)::integer as runs, count(*) filter (where r.ready_at > app_now())::integer as "notReady", w.state as "jobsRunIs"
      from run as r left join job as j on j.id = r.job_id left join run as w on w.id = j.running_run_id
      where r.state in ('queued', 'held', 'running') group by r.state, r.trigger, w.state`;
    const holds = await this.database.sql`
      select kind, occurrence_id is not null as window, canary_of is not null as canary, count(*)::integer as n from hold where released_at is null group by 1, 2, 3`;
    return [...waiting, ...holds].map((one) => JSON.stringify(one));
  }

  async untilAllEnded(withinMs: number): Promise<void> {
    for (const giveUpAt = performance.now() + withinMs; ;) {
      const [row] = await this.database.sql<
        { open: number }[]
      >`select count(*)::integer as open from run where state in ('queued', 'held', 'running')`;
      if (row?.open === 0) return;
      if (performance.now() > giveUpAt) {
        const said = this.servers.flatMap((server) => server.errors).slice(0, 5);
        said.push(...(await this.#whatWaits()));
        throw new Error(`${row?.open} runs have not ended within ${withinMs} ms.\n${said.join("\n")}`);
      }
      await sleep(100);
    }
  }

  get attempts(): readonly Attempt[] {
    return this.servers.flatMap((server) => server.attempts);
  }

  /** No (run, attempt) twice: by the events of the claim, and by what the servers themselves say. */
  async expectNoDuplicates(): Promise<void> {
    const twice = await this.database.sql`
      select subject_key, payload ->> 'attempt' as attempt, count(*)::integer as times from event_inbox where kind = 'run.started'
      group by 1, 2 having count(*) > 1`;
    expect([...twice]).toEqual([]);
    const said = new Set<string>();
    const repeated = this.attempts.map((one) => `${one.runId}/${one.attempt}`).filter((name) => said.size === said.add(name).size);
    expect(repeated).toEqual([]);
  }

  /** Never two runs of a job at once: by the order of the events, and by when the servers that were not killed say that they ran. */
  async expectOneRunOfAJobAtATime(): Promise<void> {
    const overlapping = await this.database.sql`
      select job, at from (
        select at, kind, payload ->> 'job' as job, lag(kind) over (partition by payload ->> 'job' order by id) as before
        from event_inbox where kind in ('run.started', 'run.finished', 'run.requeued') and payload ->> 'job' is not null) as told
      where kind = 'run.started' and before = 'run.started'`;
    expect([...overlapping]).toEqual([]);
    const busyUntil = new Map<string, { readonly server: string; readonly endedAt: number }>();
    const atOnce: string[] = [];
    for (const one of this.attempts.toSorted((a, b) => a.begunAt - b.begunAt)) {
      const { job, server, begunAt, endedAt } = one;
      if (job === null || endedAt === null) continue;
      const earlier = busyUntil.get(job);
      if (earlier !== undefined && earlier.endedAt > begunAt)
        atOnce.push(`${job}: ${earlier.server} until ${earlier.endedAt}, ${server} from ${begunAt}`);
      busyUntil.set(job, { server, endedAt });
    }
    expect(atOnce).toEqual([]);
  }

  /** Every due time of the jobs is in the ledger, once, and ended. Answers how many there were. */
  async expectNothingLost(): Promise<number> {
    const range = { from: this.#jobsSince - 60_000, to: await this.now() };
    const { expected, accounted, differences } = await conservation(this.database.db, this.context.zones, range);
    expect(differences).toEqual([]);
    expect(accounted).toBe(expected);
    return expected;
  }

  /** Neither server leaves the work to the other. */
  expectShared(): readonly number[] {
    const shares = this.servers.map((server) => server.attempts.length);
    expect(Math.min(...shares)).toBeGreaterThan(this.attempts.length / 10);
    return shares;
  }
}
