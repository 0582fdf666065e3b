import { sql as query } from "drizzle-orm";
import { afterEach, beforeEach, expect, it } from "vitest";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { clock } from "../clock.js";
import { type Database, openDatabase } from "./client.js";

const idleMs = 300;

let fresh: FreshDatabase;
let database: Database;
let other: Database;

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 1, applicationName: "guard-test", idleInTransactionTimeoutMs: idleMs });
  other = openDatabase(fresh.url, { max: 1, applicationName: "guard-test" });
  await other.sql`create table thing (name text)`;
});

afterEach(async () => {
  await database.sql.end({ timeout: 0 });
  await other.close();
  await fresh.drop();
});

const pauseMs = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The one place of the pool works again, and nothing of the transaction was kept. */
async function expectRecovery(): Promise<void> {
  await pauseMs(idleMs);
  // postgres.js may tell the first statement of the new connection of the end of the old one, once.
  await database.sql`select 1`.catch(() => undefined);
  expect([...(await database.sql`select 1 as one`)]).toEqual([{ one: 1 }]);
  expect(await other.sql`select from thing`).toHaveLength(0);
}

it("a transaction that was silent too long writes nothing more, and its place in the pool is usable again", async () => {
  const late: unknown[] = [];
  const transaction = database.db.transaction(async (tx) => {
    await tx.execute(query`insert into thing values ('before')`);
    await pauseMs(3 * idleMs);
    await tx.execute(query`insert into thing values ('after')`).then(
      () => late.push("written"),
      () => late.push("refused"),
    );
  });
  await expect(transaction).rejects.toThrow(/CONNECTION_CLOSED/);
  await pauseMs(3 * idleMs);
  expect(late).toEqual(["refused"]);
  await expectRecovery();
});

it("a process that stood still in a transaction loses it, and the place in the pool is usable again", async () => {
  const transaction = database.db.transaction(async (tx) => {
    await tx.execute(query`insert into thing values ('before')`);
    for (const until = clock.monotonicMs() + 3 * idleMs; clock.monotonicMs() < until;);
    await tx.execute(query`insert into thing values ('after')`);
  });
  await expect(transaction).rejects.toThrow();
  await expectRecovery();
});

it("a connection that is ended during a statement loses its transaction, and the place in the pool is usable again", async () => {
  const transaction = database.sql.begin(async (tx) => {
    const [row] = await tx<{ pid: number }[]>`select pg_backend_pid() as pid`;
    const asked = tx`insert into thing select 'late' from pg_sleep(5)`;
    const ended = pauseMs(100).then(() => other.sql`select pg_terminate_backend(${row?.pid ?? 0})`);
    await Promise.all([asked, ended]);
  });
  await expect(transaction).rejects.toThrow(/terminat|CONNECTION_CLOSED/);
  await expectRecovery();
});

it("an error of a statement still rolls back, and the connection goes on", async () => {
  await expect(
    database.sql.begin(async (tx) => {
      await tx`insert into thing values ('before')`;
      await tx`select 1 / 0`;
    }),
  ).rejects.toMatchObject({ code: "22012" });
  await expectRecovery();
});
