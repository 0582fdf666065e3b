import { randomBytes } from "node:crypto";
import { packagedZoneData, type WorkspaceChange } from "@quiesce/core";
import * as fc from "fast-check";
import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { arbitraryWorkspace } from "../../../../test/catalog/arbitrary-workspace.js";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { inTransaction } from "../command.js";
import { masterKeyOf } from "../credentials/master-key.js";
import { rewrapSecrets } from "../credentials/rewrap-secrets.js";
import { open } from "../credentials/sealed-secret.js";
import { openDatabase, type Database } from "../db/client.js";
import { pause } from "../windows/hold-commands.js";
import {
  applyWorkspace,
  deleteIntegration,
  deleteJob,
  deleteSystem,
  exportWorkspace,
  planWorkspace,
  upsertJob,
  upsertSystem,
  type CatalogContext,
} from "./commands.js";
import { resolveSecrets } from "./resolve-secrets.js";
import { endpointSecret } from "./table.js";
import { readWorkspaceText, writeWorkspaceText } from "./workspace-text.js";

let fresh: FreshDatabase;
let database: Database;
let context: CatalogContext;
const zones = packagedZoneData();
const keys = { current: masterKeyOf(randomBytes(32)), previous: [] };

async function openFresh(): Promise<void> {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 4, applicationName: "catalog-test", statementTimeoutMs: 10_000 });
  context = { database, zones, keys, actor: { kind: "token", name: "ada", role: "admin", overridesFreezes: true } };
}
async function closeFresh(): Promise<void> {
  await database?.close();
  await fresh?.drop();
}

const exported = () => inTransaction(context, (tx) => exportWorkspace(tx, zones));
const steps = (changes: readonly WorkspaceChange[]) => changes.map((one) => `${one.action} ${one.kind} ${one.key}`);
const mapping = { fields: { name: { from: "name" } } };
const shop = {
  quiesce: 1,
  systems: [{ key: "erp" }, { key: "shop", dependsOn: [{ system: "erp", strength: "soft" }] }, { key: "mid" }],
  endpoints: [
    {
      key: "erp-api",
      system: "erp",
      connector: "http",
      config: { b: 1, a: { d: 2, c: 3 } },
      secrets: { token: { env: "TOKEN", value: "first secret" } },
    },
    { key: "shop-db", system: "shop", connector: "postgres" },
  ],
  integrations: [
    {
      key: "orders",
      source: "erp-api",
      target: "shop-db",
      via: ["mid"],
      tags: ["eu"],
      streams: [{ stream: "orders", mapping, deletes: "apply" }],
    },
  ],
  jobs: [{ key: "sync", integration: "orders", schedule: { every: "5s" } }],
  windows: [
    {
      key: "sunday",
      title: "ERP",
      start: "2026-01-04T02:00",
      end: "2026-01-04T06:00",
      timeZone: "Europe/Madrid",
      rrule: "FREQ=WEEKLY;BYDAY=SU",
      scope: { systems: ["erp"] },
      owner: "ops",
      reason: "patching",
    },
  ],
};

describe("applying a workspace", () => {
  beforeEach(openFresh);
  afterEach(closeFresh);

  test("makes everything at once, and doing it again does nothing", async () => {
    const before = await planWorkspace(context, shop);
    expect(before).toHaveLength(8);
    expect(steps(await applyWorkspace(context, shop))).toEqual(steps(before));
    expect(await applyWorkspace(context, shop)).toEqual([]);
    expect(await planWorkspace(context, shop, { prune: true })).toEqual([]);
    const audits = await database.sql<{ action: string; key: string }[]>`select action, subject_key as key from audit_entry order by id`;
    expect(audits.map((row) => `${row.action} ${row.key}`).toSorted()).toEqual([
      "endpoint.create erp-api",
      "endpoint.create shop-db",
      "integration.create orders",
      "job.create sync",
      "system.create erp",
      "system.create mid",
      "system.create shop",
      "window.create sunday",
    ]);
    const events = await database.sql<{ payload: { created: number } }[]>`select payload from event_inbox where kind = 'catalogue.applied'`;
    expect(events.map((row) => row.payload.created)).toEqual([8]);
  });

  test("a plan and a dry run write nothing", async () => {
    await planWorkspace(context, shop);
    await applyWorkspace(context, shop, { dryRun: true });
    const [counts] = await database.sql<
      { n: number }[]
    >`select (select count(*) from system) + (select count(*) from audit_entry) + (select count(*) from event_inbox) as n`;
    expect(counts?.n).toBe(0);
  });

  test("nothing is deleted without prune; with it, what the document does not name goes", async () => {
    await applyWorkspace(context, shop);
    const rest = { quiesce: 1, systems: shop.systems };
    expect(await applyWorkspace(context, rest)).toEqual([]);
    expect(steps(await applyWorkspace(context, rest, { prune: true }))).toEqual([
      "delete window sunday",
      "delete job sync",
      "delete integration orders",
      "delete endpoint erp-api",
      "delete endpoint shop-db",
    ]);
    expect(await exported()).toMatchObject({ endpoints: [], integrations: [], jobs: [], windows: [] });
  });

  test("a refused document changes nothing and names every problem", async () => {
    const bad = { ...shop, jobs: [{ key: "sync", integration: "order" }], windows: [{ ...shop.windows[0], timeZone: "Europe/Madird" }] };
    await expect(applyWorkspace(context, bad)).rejects.toMatchObject({
      code: "QSC_CATALOGUE_INVALID",
      details: {
        problems: [expect.stringContaining('jobs[0].integration: Found "order"'), expect.stringContaining("windows[0].timeZone")],
        paths: ["jobs[0].integration", "windows[0].timeZone"],
      },
    });
    expect(await exported()).toMatchObject({ systems: [] });
  });

  test("a part of a workspace may refer to what stands, but not to what a prune would delete", async () => {
    await applyWorkspace(context, shop);
    const part = { quiesce: 1, jobs: [{ key: "second", integration: "orders" }] };
    await expect(planWorkspace(context, part, { prune: true })).rejects.toMatchObject({ code: "QSC_CATALOGUE_INVALID" });
    expect(steps(await applyWorkspace(context, part))).toEqual(["create job second"]);
  });

  test("routes follow endpoints, also those of integrations that the document does not name", async () => {
    await applyWorkspace(context, shop);
    const routes = () =>
      database.sql`
      select s.key, r.role from integration_system as r join system as s on s.id = r.system_id order by s.key`.then((rows) =>
        rows.map((row) => `${String(row["key"])} ${String(row["role"])}`),
      );
    expect(await routes()).toEqual(["erp source", "mid via", "shop target"]);
    await applyWorkspace(context, {
      quiesce: 1,
      systems: [{ key: "crm" }],
      endpoints: [{ key: "shop-db", system: "crm", connector: "postgres" }],
    });
    expect(await routes()).toEqual(["crm target", "erp source", "mid via"]);
  });

  test("an integration that gains a paused tag is held from then on, and let go when it loses it", async () => {
    await applyWorkspace(context, { ...shop, windows: [] });
    await pause(context, { scope: { tags: ["gdpr"] }, until: null, reason: "audit" });
    const held = () =>
      database.sql<{ n: number }[]>`select count(*) as n from hold_member where released_at is null`.then((rows) => rows[0]?.n);
    expect(await held()).toBe(0);
    const tagged = (tags: readonly string[]) => ({ quiesce: 1, integrations: [{ ...shop.integrations[0], tags }] });
    await applyWorkspace(context, tagged(["gdpr"]));
    expect(await held()).toBe(1);
    await applyWorkspace(context, tagged([]));
    expect(await held()).toBe(0);
  });

  test("two applies at once both succeed and one of them finds nothing to do", async () => {
    const results = await Promise.all([applyWorkspace(context, shop), applyWorkspace(context, shop)]);
    expect(results.map((changes) => changes.length).toSorted((a, b) => a - b)).toEqual([0, 8]);
  });

  test("what the connector refuses is refused, with the path in the document", async () => {
    const checked: CatalogContext = {
      ...context,
      checkEndpoint: async (endpoint) => (endpoint.connector === "http" ? [{ path: "config.url", message: "Missing." }] : []),
    };
    await expect(applyWorkspace(checked, shop)).rejects.toMatchObject({ details: { problems: ["endpoints[0].config.url: Missing."] } });
  });
});

describe("single objects", () => {
  beforeEach(openFresh);
  afterEach(closeFresh);

  test("an upsert is an apply of one element", async () => {
    await applyWorkspace(context, shop);
    expect(await upsertSystem(context, { key: "erp", name: "The ERP" }, "renamed")).toEqual({
      key: "erp",
      changes: [{ action: "update", kind: "system", key: "erp", changes: [{ path: "name", before: "erp", after: "The ERP" }] }],
    });
    const audits = await database.sql`select reason, actor from audit_entry where action = 'system.update'`;
    expect([...audits]).toEqual([{ reason: "renamed", actor: "token:ada" }]);
  });

  test("what is used cannot be deleted, and the users are named", async () => {
    await applyWorkspace(context, shop);
    await expect(deleteSystem(context, "erp")).rejects.toMatchObject({
      code: "QSC_CATALOGUE_IN_USE",
      details: { users: ['system "shop"', 'endpoint "erp-api"', 'window "sunday"'] },
    });
    await expect(deleteSystem(context, "nope")).rejects.toMatchObject({ code: "QSC_CATALOGUE_UNKNOWN" });
    expect(steps((await deleteJob(context, "sync")).changes)).toEqual(["delete job sync"]);
    expect(steps((await deleteIntegration(context, "orders")).changes)).toEqual(["delete integration orders"]);
  });

  test("a job whose run is running is not deleted, and a waiting run of a deleted job ends as cancelled", async () => {
    await applyWorkspace(context, shop);
    const run = (state: string) => sql`
      insert into run (id, due_at, last_due_at, job_id, integration_id, bucket, trigger, state, ready_at)
      select new_run_id(app_now()), app_now(), app_now(), j.id, i.id, i.bucket, 'manual', ${state}, app_now() from job as j join integration as i on i.id = j.integration_id`;
    await database.sql`select ensure_run_partitions(app_now(), app_now())`;
    await database.db.execute(run("running"));
    await database.db.execute(run("held"));
    await expect(deleteJob(context, "sync")).rejects.toMatchObject({ code: "QSC_CATALOGUE_RUNNING" });
    expect((await exported()).jobs).toHaveLength(1);
    await database.sql`update run set state = 'succeeded' where state = 'running'`;
    await deleteJob(context, "sync");
    const states = await database.sql<{ state: string }[]>`select state from run order by state`;
    expect(states.map((row) => row.state)).toEqual(["cancelled", "succeeded"]);
  });

  test("a job does not move to another integration", async () => {
    await applyWorkspace(context, { ...shop, integrations: [...shop.integrations, { key: "other" }] });
    await expect(upsertJob(context, { key: "sync", integration: "other" })).rejects.toMatchObject({ code: "QSC_CATALOGUE_JOB_MOVED" });
  });
});

describe("secrets", () => {
  beforeEach(openFresh);
  afterEach(closeFresh);

  const withToken = (token: object) => ({ ...shop, endpoints: [{ ...shop.endpoints[0], secrets: { token } }, shop.endpoints[1]] });
  const stored = async () => {
    const [row] = await database.db.select().from(endpointSecret);
    if (row === undefined) throw new Error("There is no secret.");
    return { ...row, value: open(keys, { endpoint: "erp-api", name: "token" }, row.sealed) };
  };

  test("are sealed, and in no response, audit entry, event or export", async () => {
    const changes = await applyWorkspace(context, shop);
    expect((await stored()).value).toBe("first secret");
    const everything = await database.sql<{ text: string }[]>`
      select row_to_json(t)::text as text from audit_entry as t union all select row_to_json(t)::text from event_inbox as t
      union all select row_to_json(t)::text from endpoint as t union all select row_to_json(t)::text from endpoint_secret as t`;
    expect(JSON.stringify([changes, [...everything], await exported()])).not.toContain("first secret");
    expect((await exported()).endpoints[0]?.secrets).toEqual({ token: { env: "TOKEN" } });
  });

  test("the same value again is no change, a new one is a new version", async () => {
    await applyWorkspace(context, shop);
    const first = await stored();
    expect(await applyWorkspace(context, shop)).toEqual([]);
    const changes = await applyWorkspace(context, withToken({ env: "TOKEN", value: "second secret" }));
    expect(changes).toEqual([
      {
        action: "update",
        kind: "endpoint",
        key: "erp-api",
        changes: [{ path: "secrets.token.fingerprint", before: first.fingerprint, after: "new value" }],
      },
    ]);
    expect(await stored()).toMatchObject({ value: "second secret", sealed: { version: 2 } });
  });

  test("a value that was not sent is kept when it came from there, and asked for otherwise", async () => {
    await applyWorkspace(context, shop);
    expect(await applyWorkspace(context, withToken({ env: "TOKEN" }))).toEqual([]);
    await expect(applyWorkspace(context, withToken({ env: "OTHER" }))).rejects.toMatchObject({
      details: { problems: [expect.stringContaining("env:OTHER")] },
    });
    const { fingerprint } = await stored();
    expect(await applyWorkspace(context, withToken({ sealed: fingerprint }))).toEqual([]);
    await expect(applyWorkspace(context, withToken({ sealed: "hmac-0" }))).rejects.toMatchObject({ code: "QSC_CATALOGUE_INVALID" });
  });

  test("a secret that is no longer named goes", async () => {
    await applyWorkspace(context, shop);
    await applyWorkspace(context, { quiesce: 1, endpoints: [{ key: "erp-api", system: "erp", connector: "http" }] });
    expect(await database.db.select().from(endpointSecret)).toEqual([]);
  });

  test("one that another master key sealed is replaced by giving it again", async () => {
    await applyWorkspace(context, shop);
    const lost: CatalogContext = { ...context, keys: { current: masterKeyOf(randomBytes(32)), previous: [] } };
    expect(await applyWorkspace(lost, shop)).toHaveLength(1);
    const [row] = await database.db.select().from(endpointSecret);
    expect(row?.sealed.keyId).toBe(lost.keys.current.id);
  });

  test("a rotated master key moves the data keys and changes nothing else", async () => {
    await applyWorkspace(context, shop);
    const next = { current: masterKeyOf(randomBytes(32)), previous: [keys.current] };
    expect(await rewrapSecrets(database, next)).toBe(1);
    expect(await rewrapSecrets(database, next)).toBe(0);
    expect(await applyWorkspace({ ...context, keys: { current: next.current, previous: [] } }, shop)).toEqual([]);
  });

  test("are read where the file is read; one that is missing is named with its path", async () => {
    const text =
      "quiesce: 1\nsystems: [{ key: erp }]\nendpoints:\n  - key: erp-api\n    system: erp\n    connector: http\n    secrets: { token: { env: TOKEN }, cert: { file: cert.pem } }\n";
    const read = readWorkspaceText(text, { fileName: "x" });
    if (!read.ok) throw new Error("The text is valid.");
    const none = await resolveSecrets(read.document, { env: () => undefined, file: async () => "pem\n" });
    expect(none).toMatchObject({
      ok: false,
      problems: [{ path: "endpoints[0].secrets.token", message: expect.stringContaining("TOKEN is not set") }],
    });
    const all = await resolveSecrets(read.document, { env: () => "t0ken", file: async () => "pem\n" });
    if (!all.ok) throw new Error("Both are there.");
    await applyWorkspace(context, all.document);
    expect(writeWorkspaceText(await exported())).toContain("token:\n        env: TOKEN");
    expect(await planWorkspace(context, await exported(), { prune: true })).toEqual([]);
  });
});

describe("export and apply", () => {
  beforeAll(openFresh);
  afterAll(closeFresh);

  test(
    "an export applied changes nothing, and an applied file is exported as it was, for any workspace",
    { timeout: 300_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(arbitraryWorkspace, async (input) => {
          const endpoints = (input["endpoints"] as { secrets: { [name: string]: object } }[]).map((endpoint) => ({
            ...endpoint,
            secrets: Object.fromEntries(
              Object.entries(endpoint.secrets).map(([name, secret]) => [name, { ...secret, value: "from the environment" }]),
            ),
          }));
          const secretOfHook = `whsec_${Buffer.alloc(32, 5).toString("base64")}`;
          const teams = (input["teams"] as { webhooks?: { secret: object }[] }[]).map((team) => ({
            ...team,
            webhooks: (team.webhooks ?? []).map((hook) => ({ ...hook, secret: { ...hook.secret, value: secretOfHook } })),
          }));
          const calendars = (input["calendars"] as { url: object }[]).map((calendar) => ({
            ...calendar,
            url: { ...calendar.url, value: "https://calendars.example.com/s3cr3t.ics" },
          }));
          // Every round starts with an empty catalogue: a job cannot move between integrations.
          await applyWorkspace(context, { quiesce: 1 }, { prune: true });
          // Whatever falls into a freeze is planned all the same.
          const anyhow = { prune: true, overrideFreeze: "the test wants it" };
          await applyWorkspace(context, { ...input, endpoints, teams, calendars }, anyhow);
          const document = await exported();
          expect(await planWorkspace(context, document, { prune: true })).toEqual([]);
          const file = writeWorkspaceText(document);
          const written = readWorkspaceText(file, { fileName: "file" });
          if (!written.ok) throw new Error(JSON.stringify(written.problems));
          expect(await applyWorkspace(context, written.document, { prune: true })).toEqual([]);
          expect(writeWorkspaceText(await exported())).toBe(file);
          const direct = readWorkspaceText(JSON.stringify(input), { fileName: "input" });
          if (!direct.ok) throw new Error(JSON.stringify(direct.problems));
          expect(writeWorkspaceText(direct.document)).toBe(file);
        }),
        { numRuns: 40 },
      );
    },
  );
});

describe("who watches a system", () => {
  beforeEach(openFresh);
  afterEach(closeFresh);

  const watched = (monitoredBy: readonly object[]) => ({
    quiesce: 1,
    systems: [{ key: "erp", monitoredBy }, { key: "watch" }],
    endpoints: [{ key: "nagios", system: "watch", connector: "nagios" }],
  });

  test("is written, given back, changed and taken away; also in the apply that makes the monitor's endpoint", async () => {
    await applyWorkspace(context, watched([{ endpoint: "nagios", resources: ["erp!api", "erp", "erp"] }]));
    expect((await exported()).systems[0]?.monitoredBy).toEqual([
      { endpoint: "nagios", resources: ["erp", "erp!api"], suppress: "notifications" },
    ]);
    const again = await applyWorkspace(context, watched([{ endpoint: "nagios", resources: ["erp", "erp!api"] }]));
    expect(steps(again)).toEqual([]);
    const changed = await applyWorkspace(context, watched([{ endpoint: "nagios", resources: ["erp"], suppress: "checks" }]));
    expect(steps(changed)).toEqual(["update system erp"]);
    const gone = { ...watched([]), endpoints: [] };
    expect(steps(await applyWorkspace(context, gone, { prune: true }))).toEqual(["update system erp", "delete endpoint nagios"]);
    expect((await exported()).systems[0]?.monitoredBy).toEqual([]);
  });

  test("names an endpoint that there is, once", async () => {
    const nowhere = applyWorkspace(context, watched([{ endpoint: "nagois", resources: ["erp"] }]));
    await expect(nowhere).rejects.toThrow(/"nagois", but there is no endpoint of that key\. Did you mean "nagios"/u);
    const twice = applyWorkspace(context, watched([1, 2].map((n) => ({ endpoint: "nagios", resources: [`erp-${n}`] }))));
    await expect(twice).rejects.toThrow(/twice among the monitors of "erp"/u);
    expect(() => applyWorkspace(context, watched([{ endpoint: "nagios", resources: [] }]))).toThrow(/at least one name/u);
  });
});
