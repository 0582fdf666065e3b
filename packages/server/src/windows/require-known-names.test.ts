import { randomBytes } from "node:crypto";
import { packagedZoneData, type WindowInput } from "@quiesce/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { applyWorkspace, type CatalogContext } from "../catalog/commands.js";
import { masterKeyOf } from "../credentials/master-key.js";
import { type Database, openDatabase } from "../db/client.js";
import { createWindow, updateWindow } from "./commands.js";
import { pause } from "./hold-commands.js";

let fresh: FreshDatabase;
let database: Database;
let context: CatalogContext;

const window: WindowInput = {
  title: "Patches",
  series: { start: "2031-03-02T22:00", end: "2031-03-03T02:00", timeZone: "Europe/Madrid" },
  scope: { systems: ["erp"] },
  owner: "finance",
  reason: "patches",
};

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 2, applicationName: "known-names-test" });
  const keys = { current: masterKeyOf(randomBytes(32)), previous: [] };
  context = { database, zones: packagedZoneData(), keys, actor: { kind: "token", name: "ana", role: "admin" } };
  await applyWorkspace(context, { quiesce: 1, systems: [{ key: "erp" }], integrations: [{ key: "orders", tags: ["nightly"] }] });
});

afterEach(async () => {
  await database.close();
  await fresh.drop();
});

it.each([
  [{ systems: ["erp", "erq"] }, 'system "erq"', { systems: ["erq"], integrations: [] }],
  [{ integrations: ["order"], systems: ["nope"] }, 'system "nope", integration "order"', { systems: ["nope"], integrations: ["order"] }],
])("refuses a window and a pause over %j, and holds nothing", async (scope, named, details) => {
  const refusal = { code: "QSC_SCOPE_UNKNOWN", message: expect.stringContaining(named), field: "scope", details };
  await expect(createWindow(context, { ...window, scope })).rejects.toMatchObject(refusal);
  await expect(pause(context, { scope, until: null, reason: "test" })).rejects.toMatchObject(refusal);
  await createWindow(context, { ...window, key: "patches" });
  await expect(updateWindow(context, { key: "patches", scope })).rejects.toMatchObject(refusal);
  expect(await database.sql`select scope from maintenance_window`).toEqual([{ scope: window.scope }]);
  expect(await database.sql`select from hold where kind = 'manual'`).toHaveLength(0);
});

it("takes a tag that nobody carries yet, and edits of a window whose system is gone", async () => {
  await createWindow(context, { ...window, key: "patches", scope: { systems: ["erp"], tags: ["monthly"] } });
  await pause(context, { scope: { tags: ["weekly"] }, until: null, reason: "test" });
  await database.sql`delete from system where key = 'erp'`;
  await updateWindow(context, { key: "patches", title: "Patches of the ERP" });
  expect(await database.sql`select title from maintenance_window`).toEqual([{ title: "Patches of the ERP" }]);
});
