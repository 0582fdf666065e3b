import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { packagedZoneData } from "@quiesce/core";
import { applyWorkspace } from "../../packages/server/src/catalog/commands.js";
import type { CatalogContext } from "../../packages/server/src/catalog/catalog-context.js";
import { inTransaction } from "../../packages/server/src/command.js";
import { masterKeyOf } from "../../packages/server/src/credentials/master-key.js";
import { type Database, openDatabase, type Tx } from "../../packages/server/src/db/client.js";
import { expandWindows } from "../../packages/server/src/windows/expand.js";
import { type ControlledTime, controlTime } from "../database/control-time.js";
import { freshDatabase, type FreshDatabase } from "../database/fresh-database.js";

/** Where a transaction can be kept: at its commit, with everything decided, every lock taken and nothing to be seen of it by others. */
const curtains = { claims: 1, commands: 2 } as const;
type Curtain = keyof typeof curtains;

/** Somebody with one connection of its own, known to PostgreSQL by its name. */
export interface Actor {
  readonly name: string;
  readonly database: Database;
  readonly context: CatalogContext;
}

/** What an actor has begun. */
export interface Underway<T> {
  readonly by: Actor;
  readonly answer: Promise<T>;
  readonly isAnswered: () => boolean;
}

const lookForMs = 10_000;

/**
 * One database on which real commands and real claims meet in an order that the test chooses. Nobody sleeps and hopes: PostgreSQL itself says
 * who waits for whom.
 */
export class Stage {
  readonly time: ControlledTime;
  readonly database: Database;
  readonly #fresh: FreshDatabase;
  readonly #curtainHolder: Database;
  readonly #actors: Actor[] = [];
  readonly #releases: (() => void)[] = [];

  private constructor(fresh: FreshDatabase, database: Database, time: ControlledTime) {
    this.#fresh = fresh;
    this.database = database;
    this.time = time;
    this.#curtainHolder = openDatabase(fresh.url, { max: 1, applicationName: "the curtain" });
  }

  /** A catalogue of the given document, at `startsAt` by the database's clock. */
  static async open(startsAt: number, workspace: object): Promise<Stage> {
    const fresh = await freshDatabase();
    const database = openDatabase(fresh.url, { max: 2, applicationName: "the audience" });
    const stage = new Stage(fresh, database, await controlTime(database.sql));
    await stage.time.set(startsAt);
    await stage.#hangCurtains();
    const context = stage.#contextOf("the audience", database);
    await expandWindows(context);
    await applyWorkspace(context, workspace);
    return stage;
  }

  async close(): Promise<void> {
    for (const release of this.#releases) release();
    await this.#curtainHolder.sql`select pg_advisory_unlock_all()`;
    await Promise.all([...this.#actors, { database: this.database }].map((one) => one.database.close()));
    await this.#curtainHolder.close();
    await this.#fresh.drop();
  }

  get url(): string {
    return this.#fresh.url;
  }

  actor(name: string): Actor {
    const database = openDatabase(this.#fresh.url, { max: 1, applicationName: name });
    const actor = { name, database, context: this.#contextOf(name, database) };
    this.#actors.push(actor);
    return actor;
  }

  begin<T>(by: Actor, work: (context: CatalogContext) => Promise<T>): Underway<T> {
    let isAnswered = false;
    const answer = work(by.context).finally(() => (isAnswered = true));
    // Whoever began it looks at its failure when the scene is over.
    answer.catch(() => undefined);
    return { by, answer, isAnswered: () => isAnswered };
  }

  /** Waits until it has answered or waits for somebody, and says which. */
  async look(one: Underway<unknown>): Promise<string> {
    for (const giveUpAt = performance.now() + lookForMs; performance.now() < giveUpAt; await sleep(2)) {
      if (one.isAnswered()) return "answered";
      const blockers = await this.database.sql<{ name: string }[]>`
        select distinct other.application_name as name
        from pg_stat_activity as own cross join unnest(pg_blocking_pids(own.pid)) as blocking(pid) join pg_stat_activity as other on other.pid = blocking.pid
        where own.application_name = ${one.by.name} and own.datname = current_database() order by 1`;
      if (blockers.length > 0) return `waits for ${blockers.map((blocker) => blocker.name).join(" and ")}`;
    }
    throw new Error(`${one.by.name} neither answered nor waited for anybody within ${lookForMs} ms.`);
  }

  /** From now on those of this kind wait at their commit. */
  async draw(curtain: Curtain): Promise<void> {
    await this.#curtainHolder.sql`select pg_advisory_lock(${curtainClass}::integer, ${curtains[curtain]}::integer)`;
  }

  async lift(curtain: Curtain): Promise<void> {
    await this.#curtainHolder.sql`select pg_advisory_unlock(${curtainClass}::integer, ${curtains[curtain]}::integer)`;
  }

  /** An actor's transaction that has done its work and stays open until it is let go. */
  async keep(by: Actor, work: (tx: Tx) => Promise<unknown>): Promise<() => Promise<void>> {
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    this.#releases.push(release);
    let ended: Promise<void> = Promise.resolve();
    await new Promise<void>((resolve, reject) => {
      ended = inTransaction(by.context, async (tx) => {
        await work(tx);
        resolve();
        await released;
      });
      ended.catch(reject);
    });
    return async () => {
      release();
      await ended;
    };
  }

  /** Claims wait for their locks longer than any scene takes, instead of a quarter of a second. */
  async makeClaimsPatient(): Promise<void> {
    const found = await this.database.sql<
      { name: string }[]
    >`select oid::regprocedure::text as name from pg_proc where proname = 'claim_runs'`;
    for (const { name } of found) await this.database.sql.unsafe(`alter function ${name} set lock_timeout = '20s'`);
  }

  #contextOf(name: string, database: Database): CatalogContext {
    const keys = { current: masterKeyOf(randomBytes(32)), previous: [] };
    return { database, zones: packagedZoneData(), actor: { kind: "token", name, role: "admin", overridesFreezes: true }, keys };
  }

  /** Whatever claims or commands do, they tell it in events; a deferred trigger on these is as late as a transaction can be kept. */
  async #hangCurtains(): Promise<void> {
    await this.database.sql.unsafe(`
      create function wait_at_curtain() returns trigger language plpgsql as $$
      begin
        perform pg_advisory_xact_lock_shared(${curtainClass},
          case when new.kind in ('run.started', 'run.held') then ${curtains.claims} else ${curtains.commands} end);
        return null;
      end $$;
      create constraint trigger curtain after insert on event_inbox deferrable initially deferred for each row execute function wait_at_curtain()`);
  }
}

/** Of no advisory lock that the product takes. */
const curtainClass = 4_711;
