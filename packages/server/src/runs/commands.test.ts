import { packagedZoneData } from "@quiesce/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { controlTime } from "../../../../test/database/control-time.js";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import { deleteEntries } from "../catalog/store/delete-entries.js";
import { type CommandContext, inTransaction } from "../command.js";
import { type Database, openDatabase } from "../db/client.js";
import { pause } from "../windows/hold-commands.js";
import { expandWindows } from "../windows/expand.js";
import { runNow } from "./commands.js";
import { enterGate, leaveGate } from "./gate.js";

const start = Date.parse("2026-03-02T10:00:00Z");

let fresh: FreshDatabase;
let database: Database;
let context: CommandContext;

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 4, applicationName: "run-commands-test" });
  await (await controlTime(database.sql)).set(start);
  context = { database, zones: packagedZoneData(), actor: { kind: "token", name: "tester", role: "admin" } };
  await expandWindows(context);
  await seedCatalogue(database.sql, { integrations: [{ key: "orders" }], jobs: [{ key: "sync", integration: "orders" }] });
  await database.sql`select ensure_run_partitions(app_now(), app_now())`;
});

afterEach(async () => {
  await database.close();
  await fresh.drop();
});

const waiting = () =>
  database.sql<{ trigger: string; state: string }[]>`select trigger, state from run where state in ('queued', 'held', 'running')`;

interface Commit {
  /** Says that everything is written. */
  readonly written: () => void;
  readonly allowed: Promise<void>;
}

/** Runs `other` while a transaction has everything written and not committed yet; answers how `other` ended. */
async function meanwhile(
  write: (commit: Commit) => Promise<unknown>,
  other: () => Promise<unknown>,
): Promise<PromiseSettledResult<unknown>> {
  let allow: () => void = () => undefined;
  const allowed = new Promise<void>((resolve) => (allow = resolve));
  let writing: Promise<unknown> = Promise.resolve();
  await new Promise<void>((written, failed) => {
    writing = write({ written, allowed });
    writing.catch(failed);
  });
  const done = Promise.allSettled([other()]);
  await expect
    .poll(
      async () => (await database.sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`).length,
      { timeout: 60_000 },
    )
    .toBe(1)
    .finally(allow);
  await writing;
  const [result] = await done;
  return result;
}

const deletion = (keys: { readonly jobs?: readonly string[]; readonly integrations?: readonly string[] }) =>
  inTransaction(context, (tx) => deleteEntries(tx, { systems: [], endpoints: [], integrations: [], jobs: [], ...keys }));
const slowDeletion = (keys: Parameters<typeof deletion>[0]) => (commit: Commit) =>
  inTransaction(context, async (tx) => {
    await deleteEntries(tx, { systems: [], endpoints: [], integrations: [], jobs: [], ...keys });
    commit.written();
    await commit.allowed;
  });

describe("a run that is asked for while its job is deleted", () => {
  it("is refused, not queued for ever, when the job goes", async () => {
    const asked = await meanwhile(slowDeletion({ jobs: ["sync"] }), () => runNow(context, { job: "sync", reason: "please" }));
    expect(asked).toMatchObject({ status: "rejected", reason: { code: "QSC_JOB_NOT_FOUND" } });
    expect(await waiting()).toEqual([]);
  });

  it("is refused at the gate when the integration goes", async () => {
    const asked = await meanwhile(slowDeletion({ integrations: ["orders"] }), () =>
      enterGate(context, { integration: "orders", leaseSeconds: 60 }),
    );
    expect(asked).toMatchObject({ status: "rejected", reason: { code: "QSC_INTEGRATION_NOT_FOUND" } });
    expect(await waiting()).toEqual([]);
  });

  it("is cancelled by the deletion when it was asked for first", async () => {
    const asking = (commit: Commit) =>
      database.sql.begin(async (tx) => {
        await tx`select from job as j join integration as i on i.id = j.integration_id for key share of j, i`;
        await tx`
          insert into run (id, due_at, last_due_at, job_id, integration_id, bucket, trigger, state, ready_at)
          select new_run_id(app_now()), app_now(), app_now(), id, integration_id, 0, 'manual', 'queued', app_now() from job`;
        commit.written();
        await commit.allowed;
      });
    const deleted = await meanwhile(asking, () => deletion({ integrations: ["orders"] }));
    expect(deleted).toMatchObject({ status: "fulfilled" });
    expect(await waiting()).toEqual([]);
  });
});

describe("the audit of the gate", () => {
  const audit = () =>
    database.sql<{ action: string; actor: string; subject: string; after: Record<string, unknown> }[]>`
      select action, actor, subject_key as subject, after from audit_entry where action like 'gate.%' order by id`;

  it("tells who entered and left, with which lease and outcome", async () => {
    const entry = await enterGate(context, { integration: "orders", leaseSeconds: 60, reason: "backup" });
    if (!entry.entered) throw new Error("not entered");
    const { runId, leaseToken } = entry;
    await leaveGate(context, { runId, leaseToken, outcome: "failed", exitCode: 3 });
    const who = { actor: "token:tester", subject: "orders" };
    const rows = await audit();
    expect(rows).toMatchObject([
      { action: "gate.enter", ...who, after: { runId, leaseUntil: new Date(start + 60_000).toISOString() } },
      { action: "gate.leave", ...who, after: { runId, outcome: "failed", exitCode: 3 } },
    ]);
    expect(JSON.stringify(rows)).not.toContain(leaseToken);
  });

  it("tells who was refused", async () => {
    await pause(context, { scope: { integrations: ["orders"] }, until: null, reason: "checking" });
    expect((await enterGate(context, { integration: "orders", leaseSeconds: 60 })).entered).toBe(false);
    expect((await audit()).map((row) => row.action)).toEqual(["gate.enter", "gate.refuse"]);
  });
});
