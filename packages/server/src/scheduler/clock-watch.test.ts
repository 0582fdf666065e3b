import { packagedZoneData } from "@quiesce/core";
import pino from "pino";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import { steppableClock } from "../../../../test/database/step-clock.js";
import type { CommandContext } from "../command.js";
import { type Database, openDatabase } from "../db/client.js";
import { acknowledgeClockStep, readClock, unacknowledgedStep } from "../runs/clock-step.js";
import { runNow } from "../runs/commands.js";
import { explainJob } from "../runs/explain.js";
import { askGate, enterGate } from "../runs/gate.js";
import { ClockWatch } from "./clock-watch.js";
import type { RunExecutor } from "./run-executor.js";
import { schedulerHealth } from "./scheduler-health.js";
import { Scheduler } from "./scheduler.js";

const hour = 3_600_000;
const zones = packagedZoneData();
const log = pino({ level: "silent" });

let fresh: FreshDatabase;
let database: Database;
let context: CommandContext;
let step: (byMs: number) => Promise<void>;
let schedulers: Scheduler[];

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 10, applicationName: "clock-test" });
  context = { database, zones, actor: { kind: "token", name: "ada", role: "operator" } };
  step = await steppableClock(database.sql);
  schedulers = [];
  await seedCatalogue(database.sql, { integrations: [{ key: "orders" }], jobs: [{ key: "sync", integration: "orders" }] });
});

afterEach(async () => {
  await Promise.all(schedulers.map((one) => one.stop(0)));
  await database.sql.end({ timeout: 1 });
  await fresh.drop();
});

async function startScheduler(executor: RunExecutor = { execute: async () => ({ kind: "succeeded", figures: {} }) }): Promise<void> {
  const scheduler = new Scheduler({
    database,
    databaseUrl: fresh.url,
    zones,
    executor,
    probe: { isReady: async () => ({ ready: true, why: null }) },
    log,
    workerName: `server-${schedulers.length + 1}`,
    maxConcurrentRuns: 10,
    lease: { leaseMs: 30_000, marginMs: 10_000, renewEveryMs: 5_000 },
    random: () => 0,
  });
  schedulers.push(scheduler);
  await scheduler.start();
}

const watch = (workerName: string) => new ClockWatch({ database, log, workerName });
const queue = async () => (await runNow(context, { job: "sync", reason: "now" })).runId;
const stateOf = async (runId: string) =>
  (await database.sql<{ state: string }[]>`select state from run where id = ${runId}::uuid`)[0]?.state;
const kindsOf = async () =>
  (
    await database.sql<{ kind: string }[]>`
    select kind from (select id, kind from event_inbox union all select position, kind from event_log) as e where kind like 'dispatch.%' order by id`
  ).map((row) => row.kind);
const clockHealth = async () => (await schedulerHealth(database)).find((check) => check.name === "dispatch.clock");

describe("a jump of the database's clock", () => {
  it.each([
    ["forward", hour],
    ["back", -hour],
  ])("%s stops dispatch on every server until one acknowledgement frees all", async (_name, byMs) => {
    await startScheduler();
    await startScheduler();
    const before = await queue();
    await vi.waitFor(async () => expect(await stateOf(before)).toBe("succeeded"), { timeout: 60_000 });
    await step(byMs);
    await vi.waitFor(async () => expect(await unacknowledgedStep(database.db)).not.toBeNull(), { timeout: 60_000 });
    const waiting = await queue();
    // Longer than any server goes without looking for due runs.
    await new Promise((resolve) => setTimeout(resolve, 2_200));
    expect(await stateOf(waiting)).toBe("queued");
    expect(await kindsOf()).toEqual(["dispatch.clock-stepped"]);
    const { byMs: seenMs } = await acknowledgeClockStep(context, { reason: "set by hand, right now" });
    expect(Math.abs(seenMs - byMs)).toBeLessThan(5_000);
    await vi.waitFor(async () => expect(await stateOf(waiting)).toBe("succeeded"), { timeout: 60_000 });
    expect(await kindsOf()).toEqual(["dispatch.clock-stepped", "dispatch.clock-acknowledged"]);
    expect(await clockHealth()).toMatchObject({ status: "pass" });
  });

  it("lets no pass of the control plane decide by it: what it would have released, reaped or written stays as it was", async () => {
    await startScheduler();
    const scheduler = schedulers[0];
    if (scheduler === undefined) throw new Error("no scheduler");
    await database.sql`
      update job set schedule = ${JSON.stringify({ kind: "interval", everySeconds: 60, startsAt: 0 })}::text::jsonb, watermark = app_now(), next_due_at = app_now()`;
    await scheduler.pass("runs.materialise");
    const [known] = await database.sql<{ watermark: number }[]>`select watermark from job`;
    await step(hour);
    await scheduler.pass("runs.materialise");
    await vi.waitFor(async () => expect(await unacknowledgedStep(database.db)).not.toBeNull(), { timeout: 60_000 });
    await scheduler.pass("runs.materialise");
    const [later] = await database.sql<{ watermark: number }[]>`select watermark from job`;
    // At most what was due within the moments before the jump.
    expect((later?.watermark ?? 0) - (known?.watermark ?? 0)).toBeLessThan(hour / 2);
  });

  it("is said in words by health, explain and the gate", async () => {
    const server = watch("north");
    await startScheduler();
    expect(await clockHealth()).toMatchObject({ status: "pass" });
    expect(await server.isTrusted()).toBe(true);
    await step(-90_000);
    await vi.waitFor(async () => expect(await unacknowledgedStep(database.db)).not.toBeNull(), { timeout: 60_000 });
    expect(await clockHealth()).toMatchObject({ status: "fail", servesAllTheSame: true });
    expect((await clockHealth())?.detail).toMatch(/jumped back by (8\d|9\d)\.\d s .* quiesce clock acknowledge --reason/);
    expect(await explainJob(database.db, "sync")).toMatchObject({
      state: "blocked",
      needed: expect.stringContaining("quiesce clock acknowledge"),
    });
    expect(await askGate(database.db, "orders")).toEqual({ kind: "held", by: [], until: null });
    expect(await enterGate(context, { integration: "orders", leaseSeconds: 10 })).toMatchObject({ entered: false });
  });
});

describe("servers that watch the clock", () => {
  it("put one jump on record once, and a server that sees it after the acknowledgement goes on", async () => {
    const [first, second, late] = [watch("first"), watch("second"), watch("late")] as const;
    for (const one of [first, second, late]) expect(await one.isTrusted()).toBe(true);
    await step(hour);
    expect(await first.isTrusted()).toBe(false);
    expect(await second.isTrusted()).toBe(false);
    expect(await unacknowledgedStep(database.db)).toMatchObject({ server: "first" });
    await acknowledgeClockStep(context, { reason: "looked" });
    for (const one of [late, first, second]) expect(await one.isTrusted()).toBe(true);
    expect(await kindsOf()).toEqual(["dispatch.clock-stepped", "dispatch.clock-acknowledged"]);
    await step(hour);
    expect(await late.isTrusted()).toBe(false);
    expect(await unacknowledgedStep(database.db)).toMatchObject({ server: "late" });
  });

  it("do not go on by an answer from before the jump was on record", async () => {
    const server = watch("north");
    expect(await server.isTrusted()).toBe(true);
    const asked = ClockWatch.moment();
    const old = await readClock(database);
    await step(hour);
    expect(await server.isTrusted()).toBe(false);
    expect(await server.judge(old, asked)).toBe(false);
    expect(await server.isTrusted()).toBe(false);
  });

  it("suspect a claim that was decided after the jump, before anybody has put it on record", async () => {
    const server = watch("north");
    expect(await server.isTrusted()).toBe(true);
    const { now } = await readClock(database);
    expect(server.suspects(now, ClockWatch.moment())).toBe(false);
    expect(server.suspects(now + hour, ClockWatch.moment())).toBe(true);
    expect(server.suspects(now - hour, ClockWatch.moment())).toBe(true);
  });
});

describe("an acknowledgement", () => {
  it("without a reason, or without a jump, is refused", async () => {
    await expect(acknowledgeClockStep(context, { reason: " " })).rejects.toMatchObject({ code: "QSC_CONTROL_CLOCK_REASON" });
    await expect(acknowledgeClockStep(context, { reason: "why not" })).rejects.toMatchObject({ code: "QSC_CONTROL_CLOCK_STEADY" });
  });

  it("is in the audit trail with who, why and what", async () => {
    const server = watch("north");
    await server.isTrusted();
    await step(hour);
    await server.isTrusted();
    await acknowledgeClockStep(context, { reason: "NTP was off" });
    const trail = await database.sql`select actor, action, reason from audit_entry where subject_key = 'clock' order by id`;
    expect(trail).toEqual([
      { actor: "system:quiesce", action: "dispatch.stop", reason: "The database's clock jumped." },
      { actor: "token:ada", action: "dispatch.acknowledge-clock", reason: "NTP was off" },
    ]);
  });
});
