import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { incidentBench, type IncidentBench } from "../../../../test/server/incident-bench.js";
import { answerOffer, assignIncident, moveIncident, noteIncident, offerIncident } from "./commands.js";
import { mergeIncidents, splitIncident } from "./merge-commands.js";
import { timelinePage } from "./timeline.js";

const start = Date.parse("2026-03-02T10:00:00Z");
const AWHILE = 60;
const DAY_MS = 86_400_000;

let bench: IncidentBench;
beforeEach(async () => {
  bench = await incidentBench(start);
  await bench.database.sql`insert into team (key, title) values ('erp-team', 'ERP'), ('network', 'Network')`;
});
afterEach(() => bench?.close());

const move = (to: Parameters<typeof moveIncident>[1]["to"], more: { readonly reason?: string; readonly evenIfFiring?: boolean } = {}) =>
  moveIncident(bench.context, { id: 1, to, reason: more.reason ?? null, evenIfFiring: more.evenIfFiring ?? false });
const timeline = async () => {
  const texts: string[] = [];
  let after: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof timelinePage>> = await timelinePage(bench.database, 1, { first: 2, after });
    texts.push(...page.edges.map(({ node }) => `${node.kind}: ${node.text}`));
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  } while (after !== null);
  return texts;
};

describe("an incident", () => {
  it("is taken, put on hold and resolved by people, each step with its reason on the timeline, and refused what the table does not have", async () => {
    await bench.says("erp");
    await bench.pass(AWHILE);
    await move("acknowledged");
    await expect(move("acknowledged")).rejects.toMatchObject({ code: "QSC_INCIDENT_STATE" });
    await expect(move("closed")).rejects.toMatchObject({
      code: "QSC_INCIDENT_STATE",
      message: expect.stringMatching(/only in progress, on hold/) as unknown,
    });
    await expect(move("on-hold")).rejects.toMatchObject({ code: "QSC_INCIDENT_REASON" });
    await move("on-hold", { reason: "the vendor looks" });
    await expect(move("resolved")).rejects.toMatchObject({ code: "QSC_INCIDENT_FIRING" });
    await expect(move("resolved", { evenIfFiring: true })).rejects.toMatchObject({ code: "QSC_INCIDENT_REASON" });
    await noteIncident(bench.context, { id: 1, text: "the disk is full" });
    await move("resolved", { evenIfFiring: true, reason: "the monitor is wrong" });
    await bench.pass(AWHILE);
    // Its alert still fires, and it stays resolved: a person said so.
    expect(await bench.incidents()).toMatchObject([{ state: "resolved" }]);
    await expect(move("closed")).rejects.toMatchObject({
      code: "QSC_INCIDENT_FIRING",
      message: expect.stringContaining("closed by itself") as unknown,
    });
    await bench.says("erp", { status: "resolved" });
    await move("closed");
    await expect(move("open", { reason: "again" })).rejects.toMatchObject({ code: "QSC_INCIDENT_STATE" });
    expect(await timeline()).toEqual([
      "alert-fired: erp is down",
      "entry: Opened with one alert at erp.",
      "entry: Nobody could be told: no team that it concerns has a webhook or a mail address.",
      "entry: It is acknowledged.",
      "entry: It is on hold.",
      "entry: the disk is full",
      "entry: It is resolved.",
      "entry: Nobody could be told: no team that it concerns has a webhook or a mail address.",
      "alert-resolved: erp is down",
      "entry: It is closed.",
    ]);
    const audited = await bench.database.sql<
      { action: string }[]
    >`select action from audit_entry where subject_kind = 'incident' order by id`;
    expect(audited.map(({ action }) => action)).toEqual([
      "incident.open",
      "incident.move",
      "incident.move",
      "incident.note",
      "incident.move",
      "incident.move",
    ]);
  });

  it("that a person opened again stays open although nothing fires, until what comes to it is over or a person resolves it", async () => {
    await bench.says("erp");
    await bench.pass(AWHILE);
    await bench.says("erp", { status: "resolved" });
    await bench.pass(10);
    await move("open", { reason: "the users say that it is slow" });
    await bench.pass(AWHILE);
    expect(await bench.incidents()).toMatchObject([{ state: "open" }]);
    await move("acknowledged");
    await bench.time.advance(3_600_000);
    await bench.pass(10);
    expect(await bench.incidents()).toMatchObject([{ state: "acknowledged" }]);
    await move("resolved");
    await move("open", { reason: "it is slow again" });
    await bench.says("erp");
    await bench.pass(AWHILE);
    await bench.says("erp", { status: "resolved" });
    await bench.pass(10);
    expect(await bench.incidents()).toMatchObject([{ state: "resolved", alerts: ["erp", "erp"] }]);
  });

  it("says that it has become worse when one of its alerts has, also where a person had resolved it", async () => {
    await bench.says("erp", { severity: "minor" });
    await bench.pass(AWHILE);
    await bench.says("erp", { severity: "major" });
    await bench.pass(10);
    expect(await bench.incidents()).toMatchObject([{ state: "open", severity: "major" }]);
    await move("resolved", { evenIfFiring: true, reason: "we know" });
    await bench.pass(10);
    await bench.says("erp", { severity: "critical" });
    await bench.pass(10);
    expect(await bench.incidents()).toMatchObject([{ state: "open", severity: "critical" }]);
    const told = await bench.database.sql<
      { notice: string }[]
    >`select payload ->> 'notice' as notice from event_inbox where kind = 'incident.told' order by id`;
    expect(told.map(({ notice }) => notice)).toEqual(["incident.opened", "incident.escalated", "incident.resolved", "incident.reopened"]);
  });

  it("is not closed while something of it fires, so that it can say that it has become worse on any later day", async () => {
    await bench.says("erp", { severity: "minor" });
    await bench.pass(AWHILE);
    await move("resolved", { evenIfFiring: true, reason: "the monitor is wrong" });
    await bench.time.advance(2 * DAY_MS);
    await bench.pass(10);
    expect(await bench.incidents()).toMatchObject([{ state: "resolved" }]);
    await bench.says("erp", { severity: "critical" });
    await bench.pass(AWHILE);
    expect(await bench.incidents()).toMatchObject([{ state: "open", severity: "critical" }]);
    await bench.says("erp", { status: "resolved" });
    for (const state of ["resolved", "closed"]) {
      await bench.pass(10);
      expect(await bench.incidents()).toMatchObject([{ state }]);
      await bench.time.advance(2 * DAY_MS);
    }
  });

  it("says of an alert that becomes worse in a window nothing before its end", async () => {
    await bench.says("erp", { severity: "minor" });
    await bench.window("patches", { systems: ["erp"], inMinutes: 2, minutes: 10 });
    await bench.pass(150);
    await bench.says("erp", { severity: "critical" });
    await bench.pass(AWHILE);
    expect(await bench.incidents()).toMatchObject([{ severity: "minor", told: true }]);
    await bench.pass(540);
    expect(await bench.incidents()).toMatchObject([{ state: "open", severity: "critical" }]);
  });

  it("that was split off stays apart when the thing that both are about says more", async () => {
    await bench.says("erp");
    await bench.says("erp", { fingerprint: "erp: disk", severity: "minor" });
    await bench.pass(AWHILE);
    const [alert] = await bench.database.sql<{ id: number }[]>`select id from alert where fingerprint = 'erp: disk'`;
    const { id: parted } = await splitIncident(bench.context, { id: 1, alerts: [alert?.id ?? 0], reason: "another disk" });
    await bench.says("erp", { fingerprint: "erp: memory", severity: "minor" });
    await bench.pass(AWHILE);
    expect(await bench.incidents()).toMatchObject([
      { id: 1, state: "open", root: "erp" },
      { id: parted, state: "open", root: "erp" },
    ]);
  });

  it("goes to another team only when that team accepts", async () => {
    await bench.says("erp");
    await bench.pass(AWHILE);
    await expect(answerOffer(bench.context, { id: 1, accept: true, reason: null })).rejects.toMatchObject({
      code: "QSC_INCIDENT_TRANSFER",
    });
    await expect(offerIncident(bench.context, { id: 1, team: "nobody", reason: "x" })).rejects.toMatchObject({ code: "QSC_INCIDENT_TEAM" });
    await expect(offerIncident(bench.context, { id: 1, team: "erp-team", reason: "x" })).rejects.toMatchObject({
      code: "QSC_INCIDENT_TEAM",
    });
    await offerIncident(bench.context, { id: 1, team: "network", reason: "a cable" });
    expect(await bench.incidents()).toMatchObject([{ ownerTeam: "erp-team" }]);
    await answerOffer(bench.context, { id: 1, accept: false, reason: "no cable there" });
    expect(await bench.incidents()).toMatchObject([{ ownerTeam: "erp-team" }]);
    await offerIncident(bench.context, { id: 1, team: "network", reason: "the switch then" });
    await answerOffer(bench.context, { id: 1, accept: true, reason: null });
    expect(await bench.incidents()).toMatchObject([{ ownerTeam: "network" }]);
    await assignIncident(bench.context, { id: 1, assignee: "ana", reason: null });
    expect((await bench.database.sql`select assignee from incident`)[0]).toEqual({ assignee: "ana" });
  });

  it("is not taken over once it is over, and its offer stands when it opens again", async () => {
    await bench.says("erp");
    await bench.pass(AWHILE);
    await offerIncident(bench.context, { id: 1, team: "network", reason: "a cable" });
    await bench.says("erp", { status: "resolved" });
    await bench.pass(10);
    await expect(answerOffer(bench.context, { id: 1, accept: true, reason: null })).rejects.toMatchObject({ code: "QSC_INCIDENT_STATE" });
    expect((await bench.database.sql`select state, owner_team, assignee from incident`)[0]).toEqual({
      state: "resolved",
      owner_team: "erp-team",
      assignee: null,
    });
    await bench.says("erp");
    await bench.pass(AWHILE);
    await answerOffer(bench.context, { id: 1, accept: true, reason: null });
    expect(await bench.incidents()).toMatchObject([{ state: "open", ownerTeam: "network" }]);
  });

  it.each([
    ["a person closes it", () => moveIncident(bench.context, { id: 1, to: "closed", reason: null, evenIfFiring: false })],
    [
      "it is closed by itself",
      async () => {
        await bench.time.advance(86_400_000);
        await bench.pass(10);
      },
    ],
  ])("is offered to nobody any more when %s, and its timeline says so", async (_what, closes) => {
    await bench.says("erp");
    await bench.pass(AWHILE);
    await offerIncident(bench.context, { id: 1, team: "network", reason: "a cable" });
    await bench.says("erp", { status: "resolved" });
    await bench.pass(10);
    await closes();
    const [row] = await bench.database.sql`select state, offered_to, offered_by, offer_reason, offered_at from incident`;
    expect(row).toEqual({ state: "closed", offered_to: null, offered_by: null, offer_reason: null, offered_at: null });
    expect((await bench.database.sql`select text from incident_entry where kind = 'offer-ended'`).map(({ text }) => String(text))).toEqual([
      "The offer to network ended unanswered: the incident was closed.",
    ]);
    await expect(answerOffer(bench.context, { id: 1, accept: false, reason: "late" })).rejects.toMatchObject({
      code: "QSC_INCIDENT_TRANSFER",
    });
  });

  it("is merged into another and split again, and correlation leaves both as people made them", async () => {
    await bench.says("erp");
    await bench.says("archive", { severity: "minor" });
    await bench.pass(AWHILE);
    const archive = (await bench.incidents()).find(({ root }) => root === "archive")?.id ?? 0;
    const erp = (await bench.incidents()).find(({ root }) => root === "erp")?.id ?? 0;
    await expect(mergeIncidents(bench.context, { id: erp, into: erp, reason: "x" })).rejects.toMatchObject({ code: "QSC_INCIDENT_MERGE" });
    await mergeIncidents(bench.context, { id: erp, into: archive, reason: "one power supply" });
    await bench.pass(AWHILE);
    const merged = await bench.incidents();
    expect(merged.find(({ id }) => id === archive)).toMatchObject({ state: "open", severity: "critical", alerts: ["erp", "archive"] });
    expect(merged.find(({ id }) => id === erp)).toMatchObject({ state: "merged", mergedInto: archive, alerts: [] });
    await expect(mergeIncidents(bench.context, { id: archive, into: erp, reason: "x" })).rejects.toMatchObject({
      code: "QSC_INCIDENT_MERGE",
    });
    const [alert] = await bench.database.sql<{ id: number }[]>`select id from alert where resource_name = 'erp'`;
    const alerts = [alert?.id ?? 0];
    await expect(splitIncident(bench.context, { id: archive, alerts: [999], reason: "x" })).rejects.toMatchObject({
      code: "QSC_INCIDENT_SPLIT",
    });
    const { id: parted } = await splitIncident(bench.context, { id: archive, alerts, reason: "two after all" });
    await expect(splitIncident(bench.context, { id: archive, alerts: [alerts[0] ?? 0], reason: "x" })).rejects.toMatchObject({
      code: "QSC_INCIDENT_SPLIT",
    });
    await bench.pass(AWHILE);
    expect((await bench.incidents()).filter(({ state }) => state === "open").map(({ id, alerts: of }) => [id, of])).toEqual([
      [archive, ["archive"]],
      [parted, ["erp"]],
    ]);
    await mergeIncidents(bench.context, { id: parted, into: archive, reason: "it was one" });
    expect(await splitIncident(bench.context, { id: archive, alerts, reason: "no, two" })).not.toEqual({ id: parted });
    for (const resource of ["erp", "archive"]) await bench.says(resource, { status: "resolved" });
    await bench.pass(10);
    expect((await bench.incidents()).map(({ state }) => state).toSorted()).toEqual(["merged", "merged", "resolved", "resolved"]);
  });
});

describe("teams", () => {
  it("are told in one message however many incidents open at once, and not of what goes on inside them", async () => {
    await bench.database.sql`
      insert into team_webhook (team_id, url, source, sealed, fingerprint) select id, 'https://hooks.example/erp', 'env:X', '{}', 'f' from team where key = 'erp-team'`;
    await bench.database.sql`update system set owner_team = 'erp-team' where key in ('archive', 'db')`;
    await bench.says("archive");
    await bench.says("db");
    await bench.pass(AWHILE);
    for (let n = 0; n < 20; n += 1)
      await bench.says(`erp-part-${n}`, { severity: "minor", resource: { kind: "service", name: `erp-part-${n}`, parents: ["db"] } });
    await bench.pass(AWHILE);
    const sent = await bench.database.sql<{ kind: string; payload: { data: { incidentCount: number; incidents: { root: string }[] } } }[]>`
      select kind, payload from outbox order by id`;
    expect(sent.map(({ kind, payload }) => [kind, payload.data.incidentCount])).toEqual([["incident.opened", 2]]);
    expect(sent[0]?.payload.data.incidents.map(({ root }) => root).toSorted()).toEqual(["archive", "db"]);
    expect((await bench.incidents()).find(({ root }) => root === "db")?.alerts).toHaveLength(21);
    for (const resource of ["archive", "db"]) await bench.says(resource, { status: "resolved" });
    await bench.pass(10);
    expect((await bench.database.sql<{ kind: string }[]>`select kind from outbox order by id`).map(({ kind }) => kind)).toEqual([
      "incident.opened",
      "incident.resolved",
    ]);
  });
});
