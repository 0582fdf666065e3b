import { afterAll, beforeAll, expect, it } from "vitest";
import { type StartedApi, startApi } from "../../../../test/server/start-api.js";
import { openBrowser } from "../../../../test/server/browser.js";
import { disablePrincipal } from "./principals.js";
import { createSignInLink, localAdminLink } from "./sign-in-links.js";

let api: StartedApi;
beforeAll(async () => {
  api = await startApi({ trustedProxies: ["127.0.0.1"] });
});
afterAll(async () => {
  await api.stop();
});

it("a later start makes a link for the local admin who is there, on record, and nobody out of nothing", async () => {
  expect(await localAdminLink(api.database)).toBeNull();
  await createSignInLink(api.context, {});
  const link = await localAdminLink(api.database);
  expect(link?.name).toBe("admin");
  const entries = await api.database.sql`select 1 from audit_entry where action = 'sign-in-link.create'`;
  expect(entries).toHaveLength(2);
  expect((await openBrowser().post(`${api.url}/auth/link`, { secret: link?.secret })).status).toBe(200);
  const [admin] = await api.database.sql<{ id: number }[]>`select id from principal where name = 'admin'`;
  await disablePrincipal(api.context, { id: admin?.id ?? 0, reason: "left" });
  expect(await localAdminLink(api.database)).toBeNull();
  expect(await api.database.sql`select 1 from principal where name like 'admin%'`).toHaveLength(1);
});
