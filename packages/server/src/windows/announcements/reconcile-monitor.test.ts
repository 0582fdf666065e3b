import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ControlledTime } from "../../../../../test/database/control-time.js";
import { seedCatalogue } from "../../../../../test/database/seed-catalogue.js";
import { type ControlledDispatch, controlledDispatch } from "../../../../../test/server/controlled-dispatch.js";
import { FakeMonitor, Killed } from "../../../../../test/server/fake-monitor.js";
import { type CommandContext, inTransaction } from "../../command.js";
import type { Database } from "../../db/client.js";
import { saveMonitors } from "../../catalog/store/save-monitors.js";
import { advanceWindows } from "../advance.js";
import { cancelWindow, createWindow } from "../commands.js";
import { placeHold, restoreOwner, resume, setMode } from "../hold-commands.js";
import { endWindowEarly, extendWindow } from "../occurrence-commands.js";
import { endLook, takeLooks } from "./monitor-looks.js";
import { reconcileMonitor } from "./reconcile-monitor.js";
import { wantedDowntimes } from "./wanted-downtimes.js";

const start = Date.parse("2026-03-02T09:50:00Z");
const minute = 60_000;

let dispatch: ControlledDispatch;
let database: Database;
let time: ControlledTime;
let context: CommandContext;
let monitor: FakeMonitor;

beforeEach(async () => {
  dispatch = await controlledDispatch({ name: "monitors-test", start });
  ({ database, time, context } = dispatch);
  await seedCatalogue(database.sql, {
    systems: [
      { key: "erp" },
      { key: "shop", dependsOn: [{ system: "erp", strength: "hard" }] },
      { key: "crm", dependsOn: [{ system: "erp", strength: "soft" }] },
      { key: "watch" },
    ],
    integrations: [{ key: "orders", systems: ["erp", "shop"] }],
    jobs: [],
  });
  await database.sql`insert into endpoint (key, name, system_id, connector) select 'nagios', 'nagios', id, 'nagios' from system where key = 'watch'`;
  await watched({ erp: ["erp", "erp!orders"], shop: ["shop"], crm: ["crm"] });
  monitor = new FakeMonitor();
});

afterEach(() => dispatch.close());

async function watched(names: { readonly [system: string]: readonly string[] }): Promise<void> {
  const entries = Object.entries(names).map(([key, resources]) => ({
    key,
    monitoredBy: [{ endpoint: "nagios", resources: [...resources], suppress: "notifications" as const }],
  }));
  await saveMonitors(database.db, entries);
}

async function plan(key: string, more: Partial<Parameters<typeof createWindow>[1]> = {}): Promise<void> {
  await createWindow(context, {
    key,
    title: "Patch",
    series: { start: "2026-03-02T10:00", end: "2026-03-02T11:00", timeZone: "UTC" },
    scope: { systems: ["erp"] },
    owner: "erp-team",
    reason: "patch",
    ...more,
  });
}

/** One turn of one server, as followMonitors does it. Answers what was told. */
async function look(): Promise<readonly string[]> {
  const before = monitor.calls.length;
  const wanted = await wantedDowntimes(database.db);
  for (const one of await takeLooks(database, { wanted, limit: 8 })) {
    const result = await reconcileMonitor({ database, calls: monitor }, one, new AbortController().signal);
    await endLook(database, one, result);
  }
  return monitor.calls.slice(before).filter((call) => call !== "list");
}

const silenced = () =>
  monitor.entries.map(({ resources, start: from, end }) => `${resources.join()} ${from.slice(11, 16)}-${end.slice(11, 16)}`).toSorted();
const events = async () =>
  (
    await database.sql<{ kind: string; why: string | null }[]>`
    select kind, payload ->> 'why' as why from event_inbox where kind like '%downtime%' order by at, id`
  ).map(({ kind, why }) => (why === null ? kind : `${kind} ${why}`));
const audited = async () =>
  (await database.sql<{ action: string }[]>`select action from audit_entry where action like '%downtime' order by id`).map(
    (row) => row.action,
  );
const open = async () =>
  database.sql<{ announced: boolean }[]>`select announced_at is not null as announced from monitor_announcement where withdrawn_at is null`;

describe("announcing a window", () => {
  it("silences its systems and what cannot work without them, a quarter of an hour before, once, and no more after its end", async () => {
    await time.set(start - 6 * minute);
    await plan("patch");
    expect(await look()).toEqual([]);
    await time.set(start);
    expect(await look()).toHaveLength(1);
    expect(silenced()).toEqual(["erp 10:00-11:00", "erp!orders 10:00-11:00", "shop 10:00-11:00"]);
    expect(monitor.entries[0]).toMatchObject({ title: "Patch (patch)" });
    await time.advance(5 * minute);
    expect(await look()).toEqual([]);
    await time.set(start + 75 * minute);
    expect(await look()).toEqual([]);
    expect(await open()).toEqual([]);
    expect(await events()).toEqual(["window.downtime-announced"]);
    expect(await audited()).toEqual(["window.announce-downtime"]);
  });

  it("follows an extension, and withdraws at an early end and at a cancellation", async () => {
    await plan("patch");
    await plan("second", { series: { start: "2026-03-02T10:00", end: "2026-03-02T12:00", timeZone: "UTC" }, scope: { systems: ["shop"] } });
    await look();
    await time.set(start + 20 * minute);
    await advanceWindows(context);
    await extendWindow(context, { key: "patch", until: start + 130 * minute, reason: "slow disks" });
    expect(await look()).toHaveLength(1);
    expect(silenced()).toEqual(["erp 10:00-12:00", "erp!orders 10:00-12:00", "shop 10:00-12:00", "shop 10:00-12:00"]);
    await time.advance(minute);
    await endWindowEarly(context, { key: "patch", reason: "done" });
    await advanceWindows(context);
    expect(await look()).toHaveLength(1);
    expect(silenced()).toEqual(["shop 10:00-12:00"]);
    await cancelWindow(context, { key: "second", reason: "not needed" });
    await look();
    expect(silenced()).toEqual([]);
    expect(await open()).toEqual([]);
    expect(await audited()).toEqual([
      "window.announce-downtime",
      "window.announce-downtime",
      "window.announce-downtime",
      "window.withdraw-downtime",
      "window.withdraw-downtime",
    ]);
  });

  it("says nothing of what only observes, of freezes, of windows over integrations alone, and while the deployment observes", async () => {
    await plan("observed", { mode: "observe" });
    await plan("freeze", { kind: "freeze" });
    await plan("route", { scope: { integrations: ["orders"] } });
    expect(await look()).toEqual([]);
    await plan("patch");
    await setMode(context, { mode: "observe", reason: "trial" });
    expect(await look()).toEqual([]);
    await setMode(context, { mode: "enforce", reason: "trial is over" });
    expect(await look()).toHaveLength(1);
    expect(monitor.entries).toHaveLength(3);
  });

  it("follows a change of who watches what", async () => {
    await plan("patch");
    await look();
    await watched({ erp: ["erp-1", "erp-2"] });
    expect(await look()).toHaveLength(1);
    expect(silenced()).toEqual(["erp-1 10:00-11:00", "erp-2 10:00-11:00", "shop 10:00-11:00"]);
  });
});

describe("what was interrupted", () => {
  const lease = 31_000;
  /** A server dies in its look; another one looks when the lease has ended. */
  async function dies(dieAt: NonNullable<FakeMonitor["dieAt"]>): Promise<void> {
    monitor.dieAt = dieAt;
    await expect(look()).rejects.toThrow(Killed);
    expect(await look()).toEqual([]);
    await time.advance(lease);
    await look();
  }

  it.each([
    ["list", "before"],
    ["list", "after"],
    ["announce", "before"],
    ["announce", "after"],
  ] as const)("by a death at %s, %s it took effect, is neither forgotten nor doubled", async (call, when) => {
    await plan("patch");
    await dies({ call, when });
    expect(silenced()).toEqual(["erp 10:00-11:00", "erp!orders 10:00-11:00", "shop 10:00-11:00"]);
    expect(await open()).toEqual([{ announced: true }]);
    expect(await events()).toEqual(["window.downtime-announced"]);
    await time.advance(3 * minute);
    expect(await look()).toEqual([]);
  });

  it.each([
    ["withdraw", "before", ["window.downtime-announced", "window.downtime-removed"]],
    // It was taken away, and nobody can say any more by whom.
    ["withdraw", "after", ["window.downtime-announced"]],
  ] as const)("by a death at %s, %s it took effect, leaves nothing behind", async (call, when, told) => {
    await plan("patch");
    await look();
    await cancelWindow(context, { key: "patch", reason: "not needed" });
    await dies({ call, when });
    expect(monitor.entries).toEqual([]);
    expect(await open()).toEqual([]);
    expect(await events()).toEqual(told);
  });

  it.each([
    ["a window that is near", () => plan("patch"), ["erp 10:00-11:00", "erp!orders 10:00-11:00", "shop 10:00-11:00"]],
    ["one that has gone", () => cancelWindow(context, { key: "patch", reason: "not needed" }), []],
  ])("keeps a monitor waiting no longer than the lease, though its next look was far: %s", async (what, change, wanted) => {
    if (what === "one that has gone") await plan("patch");
    await look();
    // Nothing is to be told for two minutes from now.
    await time.advance(minute / 4);
    await look();
    await change();
    monitor.dieAt = { call: "list", when: "before" };
    await expect(look()).rejects.toThrow(Killed);
    await time.advance(lease - 2_000);
    expect(await look()).toEqual([]);
    await time.advance(2_000);
    await look();
    expect(silenced()).toEqual(wanted);
  });

  it("leaves a downtime behind that is not wanted any more: cancelled between the monitor's answer and the note of it", async () => {
    await plan("patch");
    monitor.dieAt = { call: "announce", when: "after" };
    await expect(look()).rejects.toThrow(Killed);
    await cancelWindow(context, { key: "patch", reason: "not needed" });
    await time.advance(lease);
    await look();
    expect(monitor.entries).toEqual([]);
  });

  it("of two servers one has the monitor; the other one's hold ends with its lease, and then it tells nothing more", async () => {
    await plan("patch");
    const wanted = await wantedDowntimes(database.db);
    const [both, none] = await Promise.all([takeLooks(database, { wanted, limit: 8 }), takeLooks(database, { wanted, limit: 8 })]);
    expect(both.length + none.length).toBe(1);
    const [slow] = [...both, ...none];
    if (slow === undefined) throw new Error("nobody has it");
    // It has decided to announce, and stalls until another server has it and the window is gone.
    monitor.whileListing = async () => {
      await time.advance(lease);
      expect(await look()).toHaveLength(1);
      await cancelWindow(context, { key: "patch", reason: "not needed" });
      expect(await look()).toHaveLength(1);
    };
    const result = await reconcileMonitor({ database, calls: monitor }, slow, new AbortController().signal);
    expect(result).toEqual({ told: false, error: null });
    expect(monitor.entries).toEqual([]);
  });
});

describe("what others do at the monitor", () => {
  it("is repaired where it is ours, left alone where it is not, and kept to be shown", async () => {
    await plan("patch");
    await look();
    const theirs = { start: "2026-03-02T09:00:00Z", end: "2026-03-02T12:00:00Z", resources: ["disk"], title: "disk swap", author: "admin" };
    monitor.add(theirs);
    monitor.add({ ...theirs, windowId: "another-quiesce.1@2026-03-02T09:00" });
    const [erp, orders] = monitor.entries;
    if (erp === undefined || orders === undefined) throw new Error("nothing is there");
    monitor.remove(erp.id);
    await time.advance(3 * minute);
    expect(await look()).toHaveLength(1);
    monitor.add({ ...orders });
    await time.advance(3 * minute);
    await look();
    for (const entry of monitor.entries.filter((one) => one.windowId?.startsWith("another") !== true && one.author === undefined))
      monitor.remove(entry.id);
    await time.advance(3 * minute);
    await look();
    expect(silenced()).toEqual(["disk 09:00-12:00", "disk 09:00-12:00", "erp 10:00-11:00", "erp!orders 10:00-11:00", "shop 10:00-11:00"]);
    expect(await events()).toEqual([
      "window.downtime-announced",
      "window.downtime-repaired changed",
      "window.downtime-repaired doubled",
      "window.downtime-repaired lost",
    ]);
    const remote = await database.sql`select title, author, resources from remote_downtime order by id`;
    expect(remote).toMatchObject([
      { title: "disk swap", author: "admin", resources: ["disk"] },
      { title: "disk swap", author: "admin" },
    ]);
    monitor.entries.splice(0);
    await time.advance(3 * minute);
    await look();
    expect(await database.sql`select from remote_downtime`).toHaveLength(0);
  });

  it("is told again, but not on record again, where the monitor cannot say it more exactly", async () => {
    await plan("patch");
    await look();
    monitor.isInexact = true;
    for (const entry of monitor.entries) entry.end = "2026-03-02T12:00:00.000Z";
    for (let looks = 0; looks < 3; looks += 1) {
      await time.advance(3 * minute);
      await look();
    }
    expect(await events()).toEqual(["window.downtime-announced", "window.downtime-repaired changed"]);
    expect(monitor.calls.filter((call) => call.startsWith("announce"))).toHaveLength(4);
    monitor.isInexact = false;
    await time.advance(3 * minute);
    await look();
    expect(silenced()).toEqual(["erp 10:00-11:00", "erp!orders 10:00-11:00", "shop 10:00-11:00"]);
  });

  it("is left alone by a restored database, until somebody has looked at it", async () => {
    await plan("patch");
    await look();
    await database.sql`delete from monitor_announcement`;
    await cancelWindow(context, { key: "patch", reason: "not needed" });
    const everything = { kind: "manual", scope: { all: true }, owner: restoreOwner, reason: "restored", expiresAt: null } as const;
    const { holdId } = await inTransaction(context, async (tx) => placeHold(tx, { ...everything, beginsAt: await time.now() }));
    await time.advance(3 * minute);
    const asked = monitor.calls.length;
    await look();
    expect(monitor.calls).toHaveLength(asked);
    expect(monitor.entries).toHaveLength(3);
    await resume(context, { holdId, reason: "looked at" });
    await look();
    expect(monitor.entries).toEqual([]);
  });

  it("an announcement of ours that no row knows, as after a restored backup, is withdrawn", async () => {
    await plan("patch");
    await look();
    await database.sql`delete from monitor_announcement`;
    await cancelWindow(context, { key: "patch", reason: "not needed" });
    await time.advance(3 * minute);
    await look();
    expect(monitor.entries).toEqual([]);
    expect(await audited()).toEqual(["window.announce-downtime", "endpoint.withdraw-downtime"]);
  });
});

describe("a monitor that cannot be told", () => {
  it("is asked again ever less often, and told when it answers", async () => {
    await plan("patch");
    monitor.isDown = true;
    await look();
    expect(await look()).toEqual([]);
    const asked = () => monitor.calls.length;
    expect(asked()).toBe(1);
    await time.advance(5_000);
    await look();
    await time.advance(5_000);
    await look();
    expect(asked()).toBe(2);
    const [waiting] = await database.sql<{ error: string }[]>`select last_error as error from monitor_announcement`;
    expect(waiting?.error).toContain("No answer from the monitor");
    expect(await events()).toEqual(["window.downtime-failed"]);
    monitor.isDown = false;
    await time.advance(5_000);
    expect(await look()).toHaveLength(1);
    const [state] = await database.sql<
      { failures: number; lastError: string | null }[]
    >`select failures, last_error as "lastError" from monitor_look`;
    expect(state).toEqual({ failures: 0, lastError: null });
  });

  it("of a resource that it does not have it says so once, and tells it the rest", async () => {
    monitor.known = new Set(["shop"]);
    await plan("patch");
    await plan("shop-only", { scope: { systems: ["shop"] } });
    await look();
    expect(silenced()).toEqual(["shop 10:00-11:00"]);
    await time.advance(3 * minute);
    await look();
    const failed = (await events()).filter((kind) => kind === "window.downtime-failed");
    expect(failed).toHaveLength(1);
    const [row] = await database.sql<{ error: string }[]>`select last_error as error from monitor_announcement where announced_at is null`;
    expect(row?.error).toContain("There is no erp");
  });
});
