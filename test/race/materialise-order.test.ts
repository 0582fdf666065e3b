import { sql } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { applyWorkspace, upsertJob } from "../../packages/server/src/catalog/commands.js";
import { materialiseRuns } from "../../packages/server/src/runs/materialise.js";
import { conservation } from "../../packages/server/src/runs/ledger.js";
import { pause } from "../../packages/server/src/windows/hold-commands.js";
import { claim, minute, openScene, opensAt, queuedRuns } from "./scene.js";
import type { Actor, Stage } from "./stage.js";

let stage: Stage;
let north: Actor;
let south: Actor;
let other: Actor;

beforeEach(async () => {
  stage = await openScene();
  north = stage.actor("north");
  south = stage.actor("south");
  other = stage.actor("somebody");
});

afterEach(() => stage.close());

async function ledger() {
  const { expected, accounted, differences } = await conservation(stage.database.db, north.context.zones, {
    from: opensAt - minute,
    to: (await stage.time.now()) + minute,
  });
  return { expected, accounted, differences };
}

/**
 * Both have read how far every job is written down before either writes. One after the other: whoever has the run that waits in hand is to be the one
 * who writes first, else the due times become a run of their own.
 */
async function bothMaterialise(): Promise<void> {
  const letGo = await stage.keep(other, (tx) => tx.execute(sql`select from job order by id for update`));
  const begin = async (server: Actor) => {
    const one = stage.begin(server, (context) => materialiseRuns(context));
    expect(await stage.look(one)).toMatch(/^waits for /);
    return one;
  };
  const first = await begin(north);
  const second = await begin(south);
  await letGo();
  await first.answer;
  await second.answer;
}

describe("two servers that write down the same due times", () => {
  it("make one row of each", async () => {
    await stage.time.set(opensAt + 3 * minute);
    await bothMaterialise();
    // 10:00 to 10:03 of six jobs.
    expect(await ledger()).toEqual({ expected: 24, accounted: 24, differences: [] });
    expect(await queuedRuns(stage)).toHaveLength(24);
  });

  it("count them once where they join a run that waits, which no unique index would tell", async () => {
    const jobs = [2, 3, 4, 5, 6].map((n) => ({ key: `j${n}`, integration: `i${n}`, enabled: false }));
    await applyWorkspace(other.context, { quiesce: 1, jobs: [...jobs, { key: "j1", integration: "i1", schedule: { every: "1m" } }] });
    await pause(other.context, { scope: { integrations: ["i1"] }, until: null, reason: "race" });
    await claim(other, await queuedRuns(stage, "i1"));
    await stage.time.set(opensAt + 3 * minute);
    await bothMaterialise();
    // 10:00 to 10:03 of the one job that is left.
    expect(await ledger()).toEqual({ expected: 4, accounted: 4, differences: [] });
    const rows = await stage.database
      .sql`select state, due_count::integer as dues from run where integration_id = (select id from integration where key = 'i1')`;
    expect([...rows]).toEqual([{ state: "held", dues: 4 }]);
  });
});

describe("a server that writes down due times while their schedule is edited", () => {
  it("writes none of the schedule that is gone", async () => {
    // Nothing waits, so that due times are written down ahead.
    await claim(other, await queuedRuns(stage));
    await stage.time.set(opensAt + minute - 5_000);
    await stage.draw("commands");
    const editing = stage.begin(other, (context) => upsertJob(context, { key: "j1", integration: "i1", schedule: { every: "1h" } }));
    expect(await stage.look(editing)).toBe("waits for the curtain");
    const writing = stage.begin(north, (context) => materialiseRuns(context));
    const looked = await stage.look(writing);
    await stage.lift("commands");
    await editing.answer;
    await writing.answer;
    const ahead = await stage.database.sql<{ key: string }[]>`
      select j.key from run as r join job as j on j.id = r.job_id where r.due_at = to_timestamp(${(opensAt + minute) / 1_000}::float8) order by 1`;
    expect(ahead.map((row) => row.key)).toEqual(["j2", "j3", "j4", "j5", "j6"]);
    expect((await ledger()).differences).toEqual([]);
    expect(looked).toBe("waits for somebody");
  });
});
