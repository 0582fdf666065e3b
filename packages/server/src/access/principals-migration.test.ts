import { afterAll, beforeAll, expect, it } from "vitest";
import { type FreshDatabase, freshDatabase } from "../../../../test/database/fresh-database.js";
import { type Database, openDatabase } from "../db/client.js";
import { migrate } from "../db/migrate.js";
import { authenticate } from "./authenticate.js";
import { hashSecret, newSecret } from "./secrets.js";

let fresh: FreshDatabase;
let database: Database;
beforeAll(async () => {
  fresh = await freshDatabase({ empty: true });
  database = openDatabase(fresh.url, { max: 2, applicationName: "principals-migration-test" });
});
afterAll(async () => {
  await database.close();
  await fresh.drop();
});

it("tokens from before accounts go on, each in the service account of its name", async () => {
  const log = (): void => undefined;
  await migrate(fresh.url, { log, upTo: 23 });
  const secrets = ["ci", "ci", "ada@example.com"].map((name) => ({ name, secret: newSecret("token") }));
  for (const { name, secret } of secrets)
    await database.sql`insert into api_token (name, prefix, hash, role, created_by) values (${name}, 'qsc_', ${hashSecret(secret)}, 'operator', 'token:root')`;
  await migrate(fresh.url, { log });
  const callers = await Promise.all(secrets.map(({ secret }) => authenticate(database, `Bearer ${secret}`)));
  expect(callers.map(({ principal }) => principal)).toEqual(
    secrets.map(({ name }) => ({ name, grants: [{ role: "operator", scope: { kind: "all" } }] })),
  );
  expect(callers[0]?.principalId).toBe(callers[1]?.principalId);
  const accounts = await database.sql`select name, kind, created_by from principal order by id`;
  expect(accounts.map(({ name, kind, created_by: by }) => [name, kind, by])).toEqual([
    ["ci", "service", "token:root"],
    ["ada@example.com", "service", "token:root"],
  ]);
});
