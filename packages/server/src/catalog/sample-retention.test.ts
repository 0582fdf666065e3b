import { randomBytes } from "node:crypto";
import { packagedZoneData, type WorkspaceChange } from "@quiesce/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { inTransaction } from "../command.js";
import { masterKeyOf } from "../credentials/master-key.js";
import { openDatabase, type Database } from "../db/client.js";
import { setSampleRetention } from "../kpis/retention/commands.js";
import { applyWorkspace, type CatalogContext, exportWorkspace, planWorkspace } from "./commands.js";
import { readWorkspaceText, writeWorkspaceText } from "./workspace-text.js";

let fresh: FreshDatabase;
let database: Database;
let context: CatalogContext;
const zones = packagedZoneData();

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 2, applicationName: "retention-test" });
  const keys = { current: masterKeyOf(randomBytes(32)), previous: [] };
  context = { database, zones, keys, actor: { kind: "token", name: "ada", role: "admin", overridesFreezes: true } };
});
afterEach(async () => {
  await database?.close();
  await fresh?.drop();
});

const exported = () => inTransaction(context, (tx) => exportWorkspace(tx, zones));
const steps = (changes: readonly WorkspaceChange[]) => changes.map(({ action, kind, key }) => `${action} ${kind} ${key}`);
const said = async () => [
  ...(await database.sql`select metric, sample_days as samples, minute_days as minutes from kpi_retention where sample_days is not null order by metric`),
];
const document = {
  quiesce: 1,
  sampleRetention: [
    { key: "response", samples: 7, minutes: 60 },
    { key: "*", samples: 21 },
  ],
};

describe("a workspace that says how long samples are kept", () => {
  it("is applied with an audit entry and an event for each metric, and once applied changes nothing", async () => {
    expect(steps(await planWorkspace(context, document))).toEqual(["create sample-retention *", "create sample-retention response"]);
    expect(await said()).toEqual([]);
    await applyWorkspace(context, document, { reason: "disk" });
    expect(await said()).toEqual([
      { metric: "", samples: 21, minutes: null },
      { metric: "response", samples: 7, minutes: 60 },
    ]);
    expect(await planWorkspace(context, document, { prune: true })).toEqual([]);
    const entries =
      await database.sql`select action, reason, after ->> 'metric' as metric from audit_entry where action like '%sample-retention%' order by id`;
    expect([...entries]).toEqual([
      { action: "control.set-sample-retention", reason: "disk", metric: null },
      { action: "control.set-sample-retention", reason: "disk", metric: "response" },
    ]);
    expect(await database.sql`select from event_inbox where kind = 'control.sample-retention-changed'`).toHaveLength(2);
  });

  it("is what an export gives, also of what was said by command, and as text", async () => {
    const days = { sample: 7, minute: null, hour: null, day: 900 };
    await setSampleRetention(context, { metric: "queue.depth", days, reason: "disk" }, 14);
    const { sampleRetention } = await exported();
    expect(sampleRetention).toEqual([{ key: "queue.depth", samples: 7, minutes: null, hours: null, days: 900 }]);
    const text = writeWorkspaceText(await exported());
    expect(text).toMatch(/sampleRetention:\n\s+- key: queue\.depth\n\s+samples: 7\n\s+days: 900\n/);
    const read = readWorkspaceText(text, { fileName: "w.yaml", references: false, zones });
    expect(read.ok && (await planWorkspace(context, read.document, { prune: true }))).toEqual([]);
  });

  it("takes back with prune what it does not name; one that says nothing of it takes nothing back", async () => {
    await applyWorkspace(context, document);
    expect(await applyWorkspace(context, { quiesce: 1 }, { prune: true })).toEqual([]);
    const changes = await applyWorkspace(
      context,
      { quiesce: 1, sampleRetention: [{ key: "response", samples: 7, minutes: 35 }] },
      { prune: true },
    );
    expect(steps(changes)).toEqual(["update sample-retention response", "delete sample-retention *"]);
    expect(await said()).toEqual([{ metric: "response", samples: 7, minutes: 35 }]);
    expect(steps(await applyWorkspace(context, { quiesce: 1, sampleRetention: [] }, { prune: true }))).toEqual([
      "delete sample-retention response",
    ]);
    expect((await exported()).sampleRetention).toEqual([]);
  });

  it("is judged by what it says itself of every metric, not by what it takes back", async () => {
    await applyWorkspace(context, { quiesce: 1, sampleRetention: [{ key: "*", samples: 60 }] });
    const own = { quiesce: 1, sampleRetention: [{ key: "response", minutes: 40 }] };
    await expect(applyWorkspace(context, own)).rejects.toMatchObject({
      code: "QSC_CATALOGUE_INVALID",
      message: expect.stringMatching(/response: minuteDays is 40/) as unknown,
    });
    await applyWorkspace(context, own, { prune: true });
    expect(steps(await planWorkspace(context, own))).toEqual([]);
  });

  it.each([
    [{ key: "Response Time", samples: 7 }, /sampleRetention\[0\]\.key: Expected a metric/],
    [{ key: "response" }, /sampleRetention\[0\]: .*Expected samples/],
    [{ key: "response", minutes: 5 }, /sampleRetention\[0\]: response: minuteDays is 5; expected 35/],
  ])("is refused for %j", async (entry, message) => {
    await expect((async () => applyWorkspace(context, { quiesce: 1, sampleRetention: [entry] }))()).rejects.toMatchObject({
      code: "QSC_CATALOGUE_INVALID",
      message: expect.stringMatching(message) as unknown,
    });
    expect(await said()).toEqual([]);
  });
});
