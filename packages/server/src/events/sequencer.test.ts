import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FreshDatabase, freshDatabase } from "../../../../test/database/fresh-database.js";
import { silentLog } from "../../../../test/database/silent-log.js";
import { type Database, openDatabase } from "../db/client.js";
import { appendEvents, type NewEvent } from "./append-events.js";
import { readAfter } from "./event-log.js";
import { createSequencer, type Sequencer } from "./sequencer.js";

const event = (subjectKey: string, payload: NewEvent["payload"] = {}): NewEvent => ({
  kind: "run.started",
  subjectKind: "run",
  subjectKey,
  payload,
});

let fresh: FreshDatabase;
let database: Database;
let sequencers: Sequencer[] = [];

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 12, applicationName: "events-test" });
});
afterEach(async () => {
  await Promise.all(sequencers.map((sequencer) => sequencer.stop()));
  sequencers = [];
  await database.close();
  await fresh.drop();
});

function startSequencer(): Sequencer {
  const sequencer = createSequencer(database, silentLog);
  sequencers.push(sequencer);
  sequencer.start();
  return sequencer;
}

async function until(holds: () => Promise<boolean> | boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 6_000; tries += 1) {
    if (await holds()) return;
    await sleep(10);
  }
  throw new Error(`Waited a minute for: ${what}`);
}

async function logLength(): Promise<number> {
  const [row] = await database.sql<{ n: number }[]>`select last_position::float8 as n from event_head`;
  return row?.n ?? 0;
}

async function wholeLog() {
  const events = [];
  for (let position = 0; ;) {
    const page = await readAfter(database.sql, position);
    if (page.length === 0) return events;
    events.push(...page);
    position = events.length;
  }
}

/** One writer: transactions that commit at once, slowly, or never. Answers the keys that must arrive. */
async function write(writer: number, transactions: number, random: () => number): Promise<string[]> {
  const committed: string[] = [];
  for (let index = 0; index < transactions; index += 1) {
    const keys = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, part) => `${writer}-${index}-${part}`);
    const dice = random();
    await database.db
      .transaction(async (tx) => {
        await appendEvents(
          tx,
          keys.map((key) => event(key, { writer, index })),
        );
        if (dice < 0.2) await sleep(Math.floor(random() * 40));
        if (dice > 0.8) throw new Error("rolled back on purpose");
        return undefined;
      })
      .then(() => committed.push(...keys))
      .catch((error: unknown) => {
        if (!(error instanceof Error) || error.message !== "rolled back on purpose") throw error;
      });
  }
  return committed;
}

/** A small generator with a seed, so that a failure can be run again. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

async function expectExactly(committed: readonly string[]): Promise<void> {
  await until(async () => (await logLength()) >= committed.length, "every committed event in the log");
  const log = await wholeLog();
  expect(log.map(({ position }) => position)).toEqual(log.map((_, index) => index + 1));
  expect(log.map(({ subjectKey }) => subjectKey).toSorted()).toEqual(committed.toSorted());
  const [left] = await database.sql<{ n: number }[]>`select count(*)::int as n from event_inbox`;
  expect(left?.n).toBe(0);
}

describe("the sequencer", () => {
  it("numbers what eight writers commit densely, once each, and nothing that was rolled back", async () => {
    startSequencer();
    const writers = Array.from({ length: 8 }, (_, writer) => write(writer, 60, seeded(writer + 1)));
    await expectExactly((await Promise.all(writers)).flat());
  });

  it("keeps the order in which one thing's events were committed", async () => {
    startSequencer();
    await Promise.all([1, 2, 3, 4].map((writer) => write(writer, 40, seeded(writer))));
    await until(async () => (await database.sql`select 1 from event_inbox limit 1`).length === 0, "an empty inbox");
    const last = new Map<unknown, number>();
    for (const { payload } of await wholeLog()) {
      const index = Number(payload["index"]);
      expect(index).toBeGreaterThanOrEqual(last.get(payload["writer"]) ?? 0);
      last.set(payload["writer"], index);
    }
  });

  it("loses nothing and repeats nothing when the leader's backend is terminated, twice, under load", async () => {
    const both = [startSequencer(), startSequencer()];
    await until(() => both.some((sequencer) => sequencer.leaderPid() !== null), "a leader");
    const writing = Promise.all(Array.from({ length: 8 }, (_, writer) => write(writer, 80, seeded(100 + writer))));
    for (let kill = 0; kill < 2; kill += 1) {
      await sleep(150);
      const pid = both.map((sequencer) => sequencer.leaderPid()).find((candidate) => candidate !== null);
      if (pid !== undefined) await database.sql`select pg_terminate_backend(${pid ?? 0})`;
      await until(() => both.some((sequencer) => ![null, pid].includes(sequencer.leaderPid())), "a new leader");
    }
    await expectExactly((await writing).flat());
  });

  it("has one leader among several, and another one at once when it stops", async () => {
    const first = startSequencer();
    await until(() => first.leaderPid() !== null, "the first to lead");
    const second = startSequencer();
    await sleep(700);
    expect(second.leaderPid()).toBeNull();
    await first.stop();
    await until(() => second.leaderPid() !== null, "the second to lead");
  });

  it("moves nothing with a session that does not hold the leadership", async () => {
    const sequencer = startSequencer();
    await database.db.transaction((tx) => appendEvents(tx, [event("first")]));
    await until(async () => (await logLength()) === 1, "a leader at its idle poll");
    // In the gap between the old session and its silent replacement somebody else becomes the leader, and an event is committed.
    const thief = await database.sql.reserve();
    await thief
      .unsafe(
        `begin;
        insert into event_inbox (kind, subject_kind, subject_key) values ('run.started', 'run', 'waiting');
        select pg_terminate_backend(${sequencer.leaderPid()});
        select pg_advisory_lock(lock_class_sequencer(), 0);
        commit`,
      )
      .simple();
    await sleep(900);
    expect(await logLength()).toBe(1);
    await thief`select pg_advisory_unlock_all()`;
    thief.release();
    await until(async () => (await logLength()) === 2, "the event, once the lock is free");
  });

  it("makes the partition that an event of another day needs", async () => {
    startSequencer();
    await database.sql`insert into event_inbox (at, kind, subject_kind, subject_key) values ('2031-05-06T12:00:00Z', 'run.started', 'run', 'far')`;
    await until(async () => (await logLength()) === 1, "the event");
    expect((await wholeLog())[0]).toMatchObject({ position: 1, subjectKey: "far", at: Date.UTC(2031, 4, 6, 12) });
  });
});
