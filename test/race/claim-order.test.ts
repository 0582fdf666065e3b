import { applyWorkspace } from "../../packages/server/src/catalog/commands.js";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { claimRuns } from "../../packages/server/src/runs/claim.js";
import { materialiseRuns } from "../../packages/server/src/runs/materialise.js";
import { openDispatchDatabase } from "../../packages/server/src/scheduler/open-dispatch-database.js";
import { createWindow } from "../../packages/server/src/windows/commands.js";
import { pause } from "../../packages/server/src/windows/hold-commands.js";
import { lockDispatch } from "../../packages/server/src/windows/locks.js";
import { claim, figures, finish, inFlight, minute, openScene, opensAt, queuedRuns, windowOn } from "./scene.js";
import type { Actor, Stage } from "./stage.js";

let stage: Stage;
let writer: Actor;
let claimer: Actor;

beforeEach(async () => {
  stage = await openScene();
  writer = stage.actor("the writer");
  claimer = stage.actor("the claim");
});

afterEach(() => stage.close());

const pauseTag = (tag: string) => pause(writer.context, { scope: { tags: [tag] }, until: null, reason: "race" });

describe("a claim that waits for a writer", () => {
  it("judges by the time at which it got the locks: a window that began meanwhile holds", async () => {
    await createWindow(writer.context, windowOn({ tags: ["one"] }, 1));
    await stage.time.set(opensAt + minute - 1);
    const runs = await queuedRuns(stage, "i1");
    const letGo = await stage.keep(writer, (tx) => lockDispatch(tx, "all"));
    const claiming = stage.begin(claimer, () => claim(claimer, runs));
    expect(await stage.look(claiming)).toBe("waits for the writer");
    await stage.time.set(opensAt + minute);
    await letGo();
    expect(figures(await claiming.answer)).toEqual({ started: 0, held: 1 });
  });

  it("says of its runs that they began when it got the locks", async () => {
    const runs = await queuedRuns(stage, "i1");
    const letGo = await stage.keep(writer, (tx) => lockDispatch(tx, "all"));
    const claiming = stage.begin(claimer, () => claim(claimer, runs));
    expect(await stage.look(claiming)).toBe("waits for the writer");
    await stage.time.set(opensAt + 7_000);
    await letGo();
    expect((await claiming.answer).claimed.map((one) => one.startedAt)).toEqual([opensAt + 7_000]);
  });

  it("sees what the writer has committed meanwhile", async () => {
    const runs = await queuedRuns(stage);
    await stage.draw("commands");
    const pausing = stage.begin(writer, () => pauseTag("many"));
    expect(await stage.look(pausing)).toBe("waits for the curtain");
    const claiming = stage.begin(claimer, () => claim(claimer, runs));
    const looked = await stage.look(claiming);
    await stage.lift("commands");
    await pausing.answer;
    expect(figures(await claiming.answer)).toEqual({ started: 0, held: 6 });
    expect(looked).toBe("waits for the writer");
  });

  it("waits for no single bucket: it takes the others, and holds the one afterwards", async () => {
    const runs = await queuedRuns(stage);
    await stage.draw("commands");
    const pausing = stage.begin(writer, () => pauseTag("one"));
    expect(await stage.look(pausing)).toBe("waits for the curtain");
    const claiming = stage.begin(claimer, () => claim(claimer, runs));
    expect(await stage.look(claiming)).toBe("answered");
    expect(figures(await claiming.answer)).toEqual({ started: 5, held: 0 });
    await stage.lift("commands");
    await pausing.answer;
    expect(figures(await claim(claimer, runs))).toEqual({ started: 0, held: 1 });
  });

  it("gives up after a moment when the writer keeps the locks, and has started nothing", async () => {
    await stage.close();
    stage = await openScene({ claims: "as they are" });
    [writer, claimer] = [stage.actor("the writer"), stage.actor("the claim")];
    const runs = await queuedRuns(stage);
    const letGo = await stage.keep(writer, (tx) => lockDispatch(tx, "all"));
    const claiming = stage.begin(claimer, () => claim(claimer, runs));
    await Promise.race([claiming.answer, sleep(5_000)]);
    await letGo();
    expect(figures(await claiming.answer)).toEqual({ started: 0, held: 0 });
    expect(figures(await claim(claimer, runs))).toEqual({ started: 6, held: 0 });
  });
});

describe("a database that makes transactions REPEATABLE READ", () => {
  it("does not make a claim overlook what was committed while it waited", async () => {
    const runs = await queuedRuns(stage);
    await claimer.database.sql`set default_transaction_isolation = 'repeatable read'`;
    await stage.draw("commands");
    const pausing = stage.begin(writer, () => pauseTag("many"));
    expect(await stage.look(pausing)).toBe("waits for the curtain");
    const claiming = stage.begin(claimer, () => claim(claimer, runs));
    await stage.look(claiming);
    await stage.lift("commands");
    await pausing.answer;
    const refusal = await claiming.answer.then(figures, (error: unknown) => String(error));
    expect(await inFlight(stage, runs)).toBe(0);
    expect(refusal).toContain("claim_runs needs READ COMMITTED");
  });

  it("does not reach the servers' claims", async () => {
    await stage.database.sql.unsafe(
      `alter database ${new URL(stage.url).pathname.slice(1)} set default_transaction_isolation = 'repeatable read'`,
    );
    const dispatch = openDispatchDatabase(stage.url);
    const runs = await queuedRuns(stage);
    const [worker] = await stage.database.sql<{ id: string }[]>`select id from worker`;
    const result = await claimRuns(dispatch.sql, { workerId: worker?.id ?? "", runs, limit: 100 }).finally(() => dispatch.close());
    expect(figures(result)).toEqual({ started: 6, held: 0 });
  });
});

describe("two claims at once", () => {
  it("start a run once", async () => {
    const runs = await queuedRuns(stage);
    await stage.draw("claims");
    const first = stage.begin(claimer, () => claim(claimer, runs));
    expect(await stage.look(first)).toBe("waits for the curtain");
    const other = stage.actor("the other claim");
    const second = stage.begin(other, () => claim(other, runs));
    const looked = await stage.look(second);
    await stage.lift("claims");
    expect(figures(await first.answer)).toEqual({ started: 6, held: 0 });
    expect(figures(await second.answer)).toEqual({ started: 0, held: 0 });
    expect(looked).toBe("answered");
  });

  it("start one run of a job at a time, the earlier first", async () => {
    await stage.time.set(opensAt + minute);
    await materialiseRuns(claimer.context);
    const [early, late] = await queuedRuns(stage, "i1");
    if (early === undefined || late === undefined) throw new Error("Two runs of the job are due.");
    expect(figures(await claim(claimer, [late]))).toEqual({ started: 0, held: 0 });
    await stage.draw("claims");
    const first = stage.begin(claimer, () => claim(claimer, [early]));
    expect(await stage.look(first)).toBe("waits for the curtain");
    const other = stage.actor("the other claim");
    const second = stage.begin(other, () => claim(other, [late]));
    const looked = await stage.look(second);
    await stage.lift("claims");
    expect(figures(await second.answer)).toEqual({ started: 0, held: 0 });
    expect(looked).toBe("answered");
    expect(figures(await claim(other, [late]))).toEqual({ started: 0, held: 0 });
    await finish(claimer, (await first.answer).claimed);
    expect(figures(await claim(other, [late]))).toEqual({ started: 1, held: 0 });
  });

  it("start one run of a job at a time, also of those that no schedule made", async () => {
    await stage.database.sql`update run set trigger = 'replay' where job_id = (select id from job where key = 'j1')`;
    await stage.time.set(opensAt + minute);
    await materialiseRuns(claimer.context);
    const [early, late] = await queuedRuns(stage, "i1");
    if (early === undefined || late === undefined) throw new Error("Two runs of the job are due.");
    await stage.draw("claims");
    const first = stage.begin(claimer, () => claim(claimer, [early]));
    expect(await stage.look(first)).toBe("waits for the curtain");
    const other = stage.actor("the other claim");
    const second = stage.begin(other, () => claim(other, [late]));
    await stage.look(second);
    await stage.lift("claims");
    await first.answer;
    await second.answer;
    await claim(other, [late]);
    expect(await inFlight(stage, [early, late])).toBe(1);
  });

  it("keep to the cap of a system together", async () => {
    await applyWorkspace(writer.context, {
      quiesce: 1,
      systems: [{ key: "erp", maxConcurrentRuns: 1 }],
      integrations: [
        { key: "i1", via: ["erp"] },
        { key: "i2", via: ["erp"] },
      ],
    });
    const [one, two] = [await queuedRuns(stage, "i1"), await queuedRuns(stage, "i2")];
    await stage.draw("claims");
    const first = stage.begin(claimer, () => claim(claimer, one));
    expect(await stage.look(first)).toBe("waits for the curtain");
    const other = stage.actor("the other claim");
    const second = stage.begin(other, () => claim(other, two));
    const looked = await stage.look(second);
    await stage.lift("claims");
    expect(figures(await first.answer)).toEqual({ started: 1, held: 0 });
    expect(figures(await second.answer)).toEqual({ started: 0, held: 0 });
    expect(looked).toBe("answered");
    expect(figures(await claim(other, two))).toEqual({ started: 0, held: 0 });
  });
});
