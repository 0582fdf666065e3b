import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { erpPatch, noNotices, type ToldTeams, toldTeams, webhookSecret } from "../../../../test/server/told-teams.js";
import { applyWorkspace } from "../catalog/commands.js";
import { advanceWindows } from "../windows/advance.js";
import { createWindow } from "../windows/commands.js";
import { announceWindows } from "./announce-windows.js";
import { redeliver, testTeam } from "./commands.js";
import { deliveryHealth } from "./delivery-health.js";
import { deliverOutbox, forgetMessages } from "./deliver-outbox.js";
import { sendWebhook } from "./send-webhook.js";

const start = Date.parse("2026-03-02T10:00:00Z");
const hour = 3_600_000;
let teams: ToldTeams;
let database: ToldTeams["database"];
let time: ToldTeams["time"];
let context: ToldTeams["context"];
let receiver: ToldTeams["receiver"];
let egress: ToldTeams["egress"];
let received: ToldTeams["received"];
let hook: ToldTeams["hook"];
let workspace: ToldTeams["workspace"];
let deliver: ToldTeams["deliver"];
let deliverAll: ToldTeams["deliverAll"];
let told: ToldTeams["told"];

beforeEach(async () => {
  teams = await toldTeams({ start });
  ({ database, time, context, receiver, egress, received, hook, workspace, deliver, deliverAll, told } = teams);
});

afterEach(() => teams.close());

describe("the delivery of a message", () => {
  const announceOne = async () => {
    await applyWorkspace(context, workspace([{ key: "erp-team", webhooks: [hook("/erp")] }]), { prune: true });
    await createWindow(context, erpPatch());
    await announceWindows(context);
  };

  it("outlives a server that dies between the fact and the delivery, and one that dies in the middle of it, under one id", async () => {
    await announceOne();
    // Taken, and its server is gone before the answer was written down.
    await database.sql.unsafe("create function die() returns trigger language plpgsql as $$ begin raise exception 'killed'; end $$");
    await database.sql.unsafe(
      "create trigger die before update on outbox for each row when (new.delivered_at is not null) execute function die()",
    );
    await expect(deliver()).rejects.toThrow();
    await database.sql.unsafe("drop trigger die on outbox");
    expect(received).toHaveLength(1);
    await deliverAll();
    expect(received).toHaveLength(1);
    await time.advance(61_000);
    await deliverAll();
    expect(received).toHaveLength(2);
    expect(new Set(received.map(({ id }) => id)).size).toBe(1);
    await time.advance(hour);
    await deliverAll();
    expect(received).toHaveLength(2);
  });

  it("waits for a receiver that is down, keeps the order meanwhile, and gives up after a day with an event and a health warning", async () => {
    await announceOne();
    receiver.answer = { status: 500 };
    await deliverAll();
    await time.set(Date.parse("2026-03-02T14:00:00Z"));
    await advanceWindows(context);
    await deliverAll();
    expect(told()).toEqual(["/erp window.announced", "/erp window.announced"]);
    expect(await deliveryHealth(database.db)).toMatchObject({ status: "warn" });
    receiver.answer = { status: 200 };
    await time.advance(hour);
    await deliverAll();
    expect(told().slice(2)).toEqual(["/erp window.announced", "/erp window.opened", "/erp window.quiesced"]);
    expect(await deliveryHealth(database.db)).toMatchObject({ status: "pass" });
    receiver.answer = { status: 500 };
    await time.set(Date.parse("2026-03-02T15:00:00Z"));
    await advanceWindows(context);
    for (let hours = 0; hours < 30; hours += 1) {
      await deliverAll();
      await time.advance(hour * 1.3);
    }
    const [row] = await database.sql<
      { failed: boolean; last_error: string }[]
    >`select failed_at is not null as failed, last_error from outbox where kind = 'window.released'`;
    expect(row).toEqual({ failed: true, last_error: "HTTP 500" });
    const events = await database.sql<{ kind: string }[]>`select kind from event_inbox where subject_kind = 'team'`;
    expect(events.map(({ kind }) => kind)).toEqual(["team.delivery-failed"]);
  });

  it("leaves a receiver alone for as long as it asks", async () => {
    await announceOne();
    receiver.answer = { status: 429, headers: { "retry-after": "600" } };
    await deliverAll();
    receiver.answer = { status: 200 };
    await time.advance(599_000);
    await deliverAll();
    expect(received).toHaveLength(1);
    await time.advance(1_000);
    await deliverAll();
    expect(received).toHaveLength(2);
  });

  it("ends for good where the receiver is gone, until a test message is answered there", async () => {
    await announceOne();
    receiver.answer = { status: 410 };
    await deliverAll();
    await time.set(Date.parse("2026-03-02T14:00:00Z"));
    await advanceWindows(context);
    await deliverAll();
    expect(received).toHaveLength(1);
    expect(await deliveryHealth(database.db)).toMatchObject({ status: "warn", detail: expect.stringContaining("erp-team") });
    const [first] = await database.sql<{ id: string }[]>`select id from outbox`;
    await expect(redeliver(context, { id: Number(first?.id) })).rejects.toMatchObject({ code: "QSC_DELIVERY_NOWHERE" });
    receiver.answer = { status: 200 };
    expect(await testTeam(context, "erp-team")).toMatchObject([{ ok: true, status: 200, enabled: true }]);
    await redeliver(context, { id: Number(first?.id) });
    await deliverAll();
    expect(received.map(({ message }) => message.type)).toEqual(["window.announced", "quiesce.test", "window.announced"]);
    expect(received[2]?.id).toBe(received[0]?.id);
    const events = await database.sql<{ kind: string }[]>`select kind from event_inbox where subject_kind = 'team' order by id`;
    expect(events.map(({ kind }) => kind)).toEqual(["team.webhook-disabled", "team.webhook-enabled", "team.redelivery-ordered"]);
  });

  it("is made by one of several servers", async () => {
    for (let index = 0; index < 30; index += 1) await createWindow(context, erpPatch({ key: `erp-${index}` }));
    await announceWindows(context);
    const results = await Promise.all([deliver(), deliver(), deliver(), deliver()]);
    expect(results.reduce((sum, { delivered }) => sum + delivered, 0)).toBe(60);
    expect(received).toHaveLength(60);
  });

  it("follows the newest attempt: an answer that comes after another server has tried is not written down", async () => {
    await announceOne();
    let go: () => void = () => undefined;
    receiver.hold = new Promise((resolve) => (go = resolve));
    receiver.answer = { status: 500 };
    const frozen = deliver();
    await vi.waitFor(() => expect(received).toHaveLength(1), { timeout: 60_000 });
    receiver.hold = null;
    receiver.answer = { status: 503, headers: { "retry-after": "600" } };
    const now = await time.advance(61_000);
    await deliver();
    expect(received).toHaveLength(2);
    go();
    await frozen;
    const rows = await database.sql<{ lastStatus: number; nextAt: number }[]>`
      select last_status as "lastStatus", (extract(epoch from next_at) * 1000)::float8 as "nextAt" from outbox`;
    expect(rows).toEqual([{ lastStatus: 503, nextAt: now + 600_000 }]);
  });

  it("that a stopping server was about is sent again at once by the next one, under its id", async () => {
    await announceOne();
    let go: () => void = () => undefined;
    receiver.hold = new Promise((resolve) => (go = resolve));
    const stop = new AbortController();
    const stopping = deliverOutbox({ database, keys: context.keys, egress, notices: noNotices, random: () => 0 }, stop.signal);
    await vi.waitFor(() => expect(received).toHaveLength(1), { timeout: 60_000 });
    stop.abort();
    await stopping;
    receiver.hold = null;
    go();
    expect((await deliver()).delivered).toBe(1);
    expect(new Set(received.map(({ id }) => id)).size).toBe(1);
  });

  it("goes to no address that nobody may reach, and follows no redirect", async () => {
    const send = (url: string) =>
      sendWebhook(egress, { url, secret: webhookSecret, messageId: "0", at: start, payload: {} }, new AbortController().signal);
    expect(await send("http://169.254.169.254/latest/meta-data")).toMatchObject({ kind: "unreachable" });
    receiver.answer = { status: 307, headers: { location: `${receiver.origin}/elsewhere` } };
    expect(await send(`${receiver.origin}/here`)).toMatchObject({ kind: "answered", status: 307 });
    expect(received.map(({ path }) => path)).toEqual(["/here"]);
  });

  it("is forgotten a month after its end, and not before", async () => {
    await announceOne();
    await deliverAll();
    await time.advance(29 * 24 * hour);
    expect(await forgetMessages(context)).toBe(0);
    await time.advance(2 * 24 * hour);
    expect(await forgetMessages(context)).toBe(2);
  });
});
