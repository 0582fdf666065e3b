import { sql } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { noNotices, erpPatch, type ToldTeams, toldTeams, webhookSecret } from "../../../../test/server/told-teams.js";
import { applyWorkspace, exportWorkspace } from "../catalog/commands.js";
import { inTransaction } from "../command.js";
import { masterKeyOf } from "../credentials/master-key.js";
import { rewrapSecrets } from "../credentials/rewrap-secrets.js";
import { appendEvents } from "../events/append-events.js";
import { advanceWindows } from "../windows/advance.js";
import { cancelWindow, createWindow, updateWindow } from "../windows/commands.js";
import { expandWindows } from "../windows/expand.js";
import { endWindowEarly, extendWindow } from "../windows/occurrence-commands.js";
import { approveWindow } from "../windows/approval-commands.js";
import { tellUnapproved } from "../windows/tell-unapproved.js";
import { announceWindows } from "./announce-windows.js";
import { testTeam } from "./commands.js";
import { deliverOutbox } from "./deliver-outbox.js";

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
let deliverAll: ToldTeams["deliverAll"];
let told: ToldTeams["told"];

beforeEach(async () => {
  teams = await toldTeams({ start });
  ({ database, time, context, receiver, egress, received, hook, workspace, deliverAll, told } = teams);
});

afterEach(() => teams.close());

const tellAll = async () => {
  await announceWindows(context);
  await deliverAll();
};

describe("what teams are told of a window", () => {
  it("is everything from its announcement to its end, to each owner once and in order", async () => {
    await createWindow(context, erpPatch());
    await tellAll();
    // 15:00 in Madrid is 14:00 UTC: within a day, so at once.
    expect(told().toSorted()).toEqual(["/erp window.announced", "/sales window.announced"]);
    expect(received[0]?.message).toMatchObject({
      timestamp: "2026-03-02T10:00:00.000Z",
      data: {
        window: { key: "erp-patch", title: "ERP patch", owner: "erp-team", reason: "patch 42", kind: "maintenance", mode: "enforce" },
        occurrence: {
          localStart: "2026-03-02T15:00",
          localEnd: "2026-03-02T16:00",
          timeZone: "Europe/Madrid",
          startsAt: "2026-03-02T14:00:00.000Z",
          endsAt: "2026-03-02T15:00:00.000Z",
          state: "scheduled",
        },
        integrations: ["orders", "stock"],
        integrationCount: 2,
      },
    });
    await tellAll();
    expect(received).toHaveLength(2);
    await time.set(Date.parse("2026-03-02T14:00:00Z"));
    await advanceWindows(context);
    await time.set(Date.parse("2026-03-02T15:00:00Z"));
    await advanceWindows(context);
    await tellAll();
    const ofSales = received.filter(({ path }) => path === "/sales").map(({ message }) => message);
    expect(ofSales.map(({ type }) => type)).toEqual(["window.announced", "window.opened", "window.quiesced", "window.released"]);
    expect(ofSales.map(({ data }) => (data["occurrence"] as { state: string }).state)).toEqual([
      "scheduled",
      "draining",
      "quiesced",
      "resuming",
    ]);
    expect(new Set(received.map(({ id }) => id)).size).toBe(received.length);
    expect(told().filter((one) => one.startsWith("/marketing"))).toEqual([]);
  });

  it("is not told before a day ahead, and of a series for each occurrence once", async () => {
    await createWindow(
      context,
      erpPatch({ series: { start: "2026-03-04T10:00", duration: "PT1H", timeZone: "UTC", rrule: "FREQ=DAILY;COUNT=2" } }),
    );
    await time.set(Date.parse("2026-03-03T09:59:59Z"));
    await tellAll();
    expect(received).toEqual([]);
    await time.advance(1_000);
    await Promise.all([announceWindows(context), announceWindows(context), announceWindows(context)]);
    await tellAll();
    expect(told().toSorted()).toEqual(["/erp window.announced", "/sales window.announced"]);
    await time.advance(24 * hour);
    await tellAll();
    expect(received).toHaveLength(4);
  });

  it("is told again when it moves, also when it has begun already, and with both times", async () => {
    await createWindow(context, erpPatch({ series: { start: "2026-03-02T12:00", end: "2026-03-02T13:00", timeZone: "UTC" } }));
    await tellAll();
    await updateWindow(context, {
      ...erpPatch({ series: { start: "2026-03-02T12:00", end: "2026-03-02T14:00", timeZone: "UTC" } }),
      key: "erp-patch",
    });
    await tellAll();
    expect(received.at(-1)?.message).toMatchObject({
      type: "window.replanned",
      data: { occurrence: { endsAt: "2026-03-02T14:00:00.000Z" }, event: { before: { endsAt: "2026-03-02T13:00:00.000Z" } } },
    });
    await time.set(Date.parse("2026-03-02T12:30:00Z"));
    await advanceWindows(context);
    await extendWindow(context, { key: "erp-patch", until: Date.parse("2026-03-02T14:30:00Z"), reason: "slow disks" });
    received.length = 0;
    await tellAll();
    expect(told().filter((one) => one.startsWith("/erp"))).toEqual(["/erp window.opened", "/erp window.quiesced", "/erp window.replanned"]);
    await endWindowEarly(context, { key: "erp-patch", reason: "done" });
    await advanceWindows(context);
    received.length = 0;
    await tellAll();
    expect(told().filter((one) => one.startsWith("/erp"))).toEqual(["/erp window.released"]);
  });

  it("is called off to those who were told, when it is cancelled, its occurrence is, or the series leaves it out", async () => {
    const daily = { start: "2026-03-02T12:00", duration: "PT1H", timeZone: "UTC", rrule: "FREQ=DAILY" } as const;
    await createWindow(context, erpPatch({ series: daily }));
    await createWindow(context, erpPatch({ key: "erp-other", series: daily }));
    await createWindow(context, erpPatch({ key: "erp-third", series: daily }));
    await tellAll();
    received.length = 0;
    await cancelWindow(context, { key: "erp-patch", localStart: "2026-03-02T12:00", reason: "no patch" });
    await cancelWindow(context, { key: "erp-other", reason: "no patch at all" });
    await updateWindow(context, { ...erpPatch({ series: { ...daily, start: "2026-03-02T18:00" } }), key: "erp-third" });
    await tellAll();
    await tellAll();
    const ofSales = received
      .filter(({ path }) => path === "/sales")
      .map(({ message }) => `${message.type} ${(message.data["window"] as { key: string }).key}`);
    expect(ofSales.toSorted()).toEqual([
      "window.announced erp-third",
      "window.retracted erp-other",
      "window.retracted erp-patch",
      "window.retracted erp-third",
    ]);
    expect(received.find(({ message }) => message.type === "window.retracted")?.message.data).toMatchObject({
      occurrence: { startsAt: "2026-03-02T12:00:00.000Z", state: "cancelled" },
      integrationCount: 2,
    });
  });

  it("is nothing of a window that only observes, but to those who ask for it", async () => {
    await applyWorkspace(
      context,
      workspace([...teams.usualTeams().slice(1), { key: "erp-team", webhooks: [hook("/erp", { observe: true })] }]),
    );
    await createWindow(context, erpPatch({ mode: "observe" }));
    await tellAll();
    expect(told()).toEqual(["/erp window.announced"]);
  });

  it("is for its owner alone while nobody has approved it, and what was announced is taken back when the approval is gone", async () => {
    const approvals = [{ key: "all", kinds: ["maintenance"], by: ["ana"] }];
    await applyWorkspace(context, { ...workspace(), approvals });
    await createWindow(context, erpPatch());
    await tellUnapproved(context);
    await tellAll();
    expect(told()).toEqual(["/erp window.unapproved"]);
    const ana = { ...context, actor: { ...context.actor, name: "ana" } };
    await approveWindow(ana, { key: "erp-patch" });
    await tellAll();
    expect(told().slice(1).toSorted()).toEqual(["/erp window.announced", "/sales window.announced"]);
    await updateWindow(context, {
      ...erpPatch({ series: { start: "2026-03-02T15:00", end: "2026-03-02T19:00", timeZone: "Europe/Madrid" } }),
      key: "erp-patch",
    });
    received.length = 0;
    await tellAll();
    expect(told().toSorted()).toEqual(["/erp window.retracted", "/sales window.retracted"]);
    await approveWindow(ana, { key: "erp-patch" });
    received.length = 0;
    await tellAll();
    expect(told().toSorted()).toEqual(["/erp window.announced", "/sales window.announced"]);
  });

  it.each([
    ["the night the clocks go forward", "2026-03-29T02:30", "2026-03-29T04:30", "2026-03-29T01:00:00.000Z", "2026-03-29T02:30:00.000Z"],
    ["the night they go back", "2026-10-25T02:30", "2026-10-25T04:00", "2026-10-25T00:30:00.000Z", "2026-10-25T03:00:00.000Z"],
    ["the last minute of a leap day", "2028-02-29T23:59", "2028-03-01T00:30", "2028-02-29T22:59:00.000Z", "2028-02-29T23:30:00.000Z"],
  ])(
    "has its local times and the instants that they are, on %s; and comes 24 hours ahead of the instant",
    async (_, localStart, end, startsAt, endsAt) => {
      await createWindow(context, erpPatch({ series: { start: localStart, end, timeZone: "Europe/Madrid" } }));
      await time.set(Date.parse(startsAt) - 24 * hour - 1);
      await expandWindows(context);
      await tellAll();
      expect(received).toEqual([]);
      await time.advance(1);
      await tellAll();
      expect(received.map(({ message }) => message.data["occurrence"])).toMatchObject([
        { localStart, startsAt, endsAt, timeZone: "Europe/Madrid" },
        { localStart, startsAt, endsAt },
      ]);
    },
  );

  it("is what the webhook names, also a kind that nobody wrote code for", async () => {
    await applyWorkspace(context, workspace([{ key: "erp-team", webhooks: [hook("/erp", { events: ["window.invented-tomorrow"] })] }]), {
      prune: true,
    });
    await createWindow(context, erpPatch());
    await announceWindows(context);
    await inTransaction(context, (tx) =>
      appendEvents(tx, [
        { kind: "window.invented-tomorrow", subjectKind: "window", subjectKey: "erp-patch", payload: { localStart: "2026-03-02T15:00" } },
      ]),
    );
    await deliverAll();
    expect(told()).toEqual(["/erp window.invented-tomorrow"]);
  });

  it("is written only if the fact is", async () => {
    await createWindow(context, erpPatch());
    const failing = inTransaction(context, async (tx) => {
      await appendEvents(tx, [
        { kind: "window.opened", subjectKind: "window", subjectKey: "erp-patch", payload: { localStart: "2026-03-02T15:00" } },
      ]);
      throw new Error("the commit does not come");
    });
    await expect(failing).rejects.toThrow("does not come");
    await deliverAll();
    expect(received).toEqual([]);
  });
});

it("a webhook that is being removed keeps no window from its beginning", async () => {
  await createWindow(context, erpPatch());
  await announceWindows(context);
  let go: () => void = () => undefined;
  const removing = inTransaction(context, async (tx) => {
    await tx.execute(sql`delete from team where key = 'erp-team'`);
    await new Promise<void>((resolve) => (go = resolve));
  });
  await time.set(Date.parse("2026-03-02T14:00:00Z"));
  expect(await Promise.race([advanceWindows(context), new Promise((resolve) => setTimeout(resolve, 60_000))])).toMatchObject({
    opened: 1,
    quiesced: 1,
  });
  go();
  await removing;
  await deliverAll();
  expect(told()).toEqual(["/sales window.announced", "/sales window.opened", "/sales window.quiesced"]);
});

describe("a team in the workspace", () => {
  it("is applied, compared and pruned like everything else, and its secret is shown nowhere", async () => {
    expect(await applyWorkspace(context, workspace())).toEqual([]);
    const exported = await exportWorkspace(database.db, context.zones);
    expect(JSON.stringify(exported)).not.toContain(webhookSecret.slice(6));
    expect(exported.teams[0]?.webhooks[0]?.secret).toMatchObject({ sealed: expect.stringContaining("hmac-") });
    expect(await applyWorkspace(context, exported, { prune: true })).toEqual([]);
    await createWindow(context, erpPatch());
    await announceWindows(context);
    const steps = await applyWorkspace(context, { ...workspace([]), windows: exported.windows }, { prune: true });
    expect(steps.filter((step) => step.kind === "team").map((step) => `${step.action} ${step.key}`)).toEqual([
      "delete erp-team",
      "delete marketing",
      "delete sales",
    ]);
    await deliverAll();
    expect(received).toEqual([]);
    const dump = await database.sql<{ text: string }[]>`
      select (select jsonb_agg(to_jsonb(a)) from audit_entry as a)::text || (select jsonb_agg(to_jsonb(e)) from event_inbox as e)::text as text`;
    expect(dump[0]?.text).not.toContain(webhookSecret.slice(6));
  });

  it("is told under a new master key as well, once its secret was moved to it", async () => {
    const next = { current: masterKeyOf(Buffer.alloc(32, 2)), previous: [context.keys.current] };
    expect(await rewrapSecrets(database, next)).toBe(3);
    await createWindow(context, erpPatch());
    await announceWindows(context);
    const keys = { current: next.current, previous: [] };
    expect(
      await deliverOutbox({ database, keys, egress, notices: noNotices, random: () => 0 }, new AbortController().signal),
    ).toMatchObject({ delivered: 2 });
  });

  it("with a secret that can sign nothing is refused without repeating it", async () => {
    const refused = applyWorkspace(
      context,
      workspace([{ key: "erp-team", webhooks: [{ url: `${receiver.origin}/x`, secret: { value: "hunter2" } }] }]),
    );
    await expect(refused).rejects.toMatchObject({ code: "QSC_CATALOGUE_INVALID", field: "teams[0].webhooks[0].secret" });
    await expect(refused).rejects.not.toMatchObject({ message: expect.stringContaining("hunter2") });
  });

  it("shows the beginning of an answer, without the secret that the receiver gave back", async () => {
    const [one] = await testTeam(context, "erp-team");
    expect(one).toMatchObject({ ok: true, status: 204 });
    receiver.answer = { status: 200, body: `seen, and your ${webhookSecret}` };
    const [two] = await testTeam(context, "erp-team");
    expect(two?.answer).toContain("seen, and your");
    expect(two?.answer).not.toContain(webhookSecret.slice(6));
  });
});
