import { smtpConnector } from "@quiesce/connectors";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { incidentBench, type IncidentBench } from "../../../../test/server/incident-bench.js";
import { type MailServer, startMailServer } from "../../../../test/server/mail-server.js";
import { applyWorkspace, type CatalogContext, exportWorkspace } from "../catalog/commands.js";
import { type ConnectorHost, createConnectorHost } from "../connector-host/connector-host.js";
import { createEgress } from "../connector-host/guarded-fetch.js";
import { masterKeyOf } from "../credentials/master-key.js";
import { moveIncident } from "../incidents/commands.js";
import { testTeam } from "./commands.js";
import { deliverOutbox } from "./deliver-outbox.js";

const start = Date.parse("2026-03-02T10:00:00Z");
const AWHILE = 60;
const keys = { current: masterKeyOf(Buffer.alloc(32, 1)), previous: [] };
const egress = createEgress();

let bench: IncidentBench;
let host: ConnectorHost;
let server: MailServer;
let context: CatalogContext;

beforeEach(async () => {
  bench = await incidentBench(start);
  server = await startMailServer();
  host = createConnectorHost({
    database: bench.database,
    connectors: [smtpConnector],
    keyRing: keys,
    log: pino({ level: "silent" }),
  });
  context = { ...bench.context, keys, notices: host.notices };
  await bench.database.sql`update system set owner_team = 'erp-team' where key = 'archive'`;
  await applyWorkspace(context, workspace());
});
afterEach(async () => {
  await host?.close();
  await server?.close();
  await bench?.close();
});

const mailAddress = { to: "oncall@example.com", endpoint: "mail", stream: "notices" };
const workspace = (mails: readonly object[] = [mailAddress]) => ({
  quiesce: 1,
  systems: [{ key: "post" }],
  endpoints: [
    {
      key: "mail",
      system: "post",
      connector: "smtp",
      config: {
        host: "127.0.0.1",
        port: server.port,
        tls: "disable",
        streams: [{ name: "notices", from: "Quiesce <quiesce@example.com>" }],
      },
    },
  ],
  teams: [{ key: "erp-team", mails }],
});

const deliver = () =>
  deliverOutbox({ database: bench.database, keys, egress, notices: host.notices, random: () => 0 }, new AbortController().signal);
const subjects = () => server.mails.map(({ subject }) => subject);

describe("mails to a team about incidents", () => {
  it("are one for all that opened in a look, one when it became worse, and one when it is over", async () => {
    await bench.says("erp", { severity: "major" });
    await bench.says("archive", { severity: "minor" });
    for (const resource of ["shop", "newsletter"]) await bench.says(resource, { severity: "warning" });
    await bench.pass(AWHILE);
    expect(await deliver()).toMatchObject({ taken: 1, delivered: 1 });
    expect(server.mails).toMatchObject([{ from: "quiesce@example.com", to: ["oncall@example.com"] }]);
    expect(subjects()).toEqual([expect.stringMatching(/^Opened: 2 incidents, (erp|archive) is down and others$/u)]);
    const [{ text } = { text: "" }] = server.mails;
    expect(text).toContain("probable cause: erp; alerts: 3");
    expect(text).toContain("integrations: orders");
    expect(text).toContain("quiesce incidents show 2");

    await bench.says("erp", { status: "resolved", severity: "major" });
    await bench.says("erp", { severity: "critical" });
    await bench.pass(AWHILE);
    await deliver();
    expect(subjects().slice(1)).toEqual([expect.stringMatching(/^Escalated: critical, /u)]);

    for (const resource of ["erp", "archive", "shop", "newsletter"]) await bench.says(resource, { status: "resolved" });
    await bench.pass(AWHILE);
    await deliver();
    expect(subjects().slice(2)).toEqual([expect.stringMatching(/^Resolved: 2 incidents, /u)]);
    expect(await deliver()).toMatchObject({ taken: 0 });
  });

  it("wait for a mail server that is away, in their order, and arrive once it is back", async () => {
    const { port } = server;
    await server.close();
    await bench.says("erp");
    await bench.pass(AWHILE);
    expect(await deliver()).toMatchObject({ taken: 1, delivered: 0, failed: 0 });
    await moveIncident(bench.context, { id: 1, to: "resolved", reason: "the monitor is wrong", evenIfFiring: true });
    await bench.pass(5);
    await deliver();
    // The second waits behind the first.
    expect([...(await bench.database.sql`select attempts from outbox order by id`)]).toEqual([{ attempts: 2 }, { attempts: 0 }]);
    server = await startMailServer(port);
    for (let attempts = 0; server.mails.length < 2 && attempts < 5; attempts += 1) {
      await bench.time.advance(30_000);
      await deliver();
    }
    expect(subjects()).toEqual(["Opened: critical, erp is down", "Resolved: critical, erp is down"]);
  });

  it("have one Message-ID although the server that sent one died before it could write that down", async () => {
    await bench.says("erp");
    await bench.pass(AWHILE);
    const { sql } = bench.database;
    await sql.unsafe("create function die() returns trigger language plpgsql as $$ begin raise exception 'killed'; end $$");
    await sql.unsafe("create trigger die before update on outbox for each row when (new.delivered_at is not null) execute function die()");
    await expect(deliver()).rejects.toThrow();
    await sql.unsafe("drop trigger die on outbox");
    await bench.time.advance(61_000);
    expect(await deliver()).toMatchObject({ delivered: 1 });
    expect(server.mails).toHaveLength(2);
    expect(new Set(server.mails.map(({ messageId }) => messageId)).size).toBe(1);
    expect(server.mails[0]?.messageId).toMatch(/@example\.com>$/u);
  });

  it("that the mail server refuses for their address are given up at once and keep no other waiting; those it refuses for now are tried again", async () => {
    server.answer = { code: 451, text: "greylisted" };
    await bench.says("erp");
    await bench.pass(AWHILE);
    expect(await deliver()).toMatchObject({ taken: 1, failed: 0, delivered: 0 });
    server.answer = { code: 550, text: "no such user" };
    await bench.time.advance(10_000);
    expect(await deliver()).toMatchObject({ taken: 1, failed: 1 });
    const [row] = await bench.database.sql<{ error: string }[]>`select last_error as error from outbox where failed_at is not null`;
    expect(row?.error).toMatch(/no such user/u);
    server.answer = null;
    await bench.says("erp", { status: "resolved" });
    await bench.pass(10);
    await deliver();
    expect(subjects()).toEqual(["Resolved: critical, erp is down"]);
  });

  it("go only about what was asked for", async () => {
    await applyWorkspace(context, workspace([{ ...mailAddress, events: ["incident.resolved"] }]));
    await bench.says("erp");
    await bench.pass(AWHILE);
    expect(await deliver()).toMatchObject({ taken: 0 });
    await bench.says("erp", { status: "resolved" });
    await bench.pass(10);
    await deliver();
    expect(subjects()).toEqual(["Resolved: critical, erp is down"]);
  });
});

describe("a mail address of a team", () => {
  it("is tried by testTeam, which says what the mail server said", async () => {
    expect(await testTeam(context, "erp-team")).toMatchObject([{ destination: "mailto:oncall@example.com", ok: true, status: null }]);
    expect(subjects()).toEqual(["quiesce test"]);
    server.answer = { code: 550, text: "no such user" };
    expect(await testTeam(context, "erp-team")).toMatchObject([{ ok: false, answer: expect.stringMatching(/no such user/u) as unknown }]);
  });

  it("is exported as it was written, and goes with the workspace that no longer has it", async () => {
    const exported = await exportWorkspace(bench.database.db, context.zones);
    expect(exported.teams).toMatchObject([{ key: "erp-team", mails: [{ ...mailAddress }] }]);
    await applyWorkspace(context, workspace([]));
    expect((await bench.database.sql`select from team_webhook`).length).toBe(0);
  });

  it("names an endpoint that exists", async () => {
    await expect(applyWorkspace(context, workspace([{ ...mailAddress, endpoint: "male" }]))).rejects.toMatchObject({
      message: expect.stringMatching(/male/u) as unknown,
    });
  });
});
