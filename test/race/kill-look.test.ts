import type { Alert } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { takeAlerts } from "../../packages/server/src/alerts/take-alerts.js";
import { inTransaction, readNow } from "../../packages/server/src/command.js";
import { type Database, openDatabase } from "../../packages/server/src/db/client.js";
import { freshDatabase, type FreshDatabase } from "../database/fresh-database.js";
import { type KillableServer, killableServer } from "../server/killable-server.js";

/** An incident waits half a minute for its cause, and looks are five seconds apart. */
const wait = { timeout: 180_000, interval: 250 };
const BEHIND = 12;
const ROOTS = ["core", "edge", "store"] as const;

let fresh: FreshDatabase;
let database: Database;
let servers: readonly KillableServer[];

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 3, applicationName: "kill-look", idleInTransactionTimeoutMs: 0 });
  const first = await killableServer(fresh.url);
  servers = [first, await killableServer(fresh.url, { beside: first })];
});
afterEach(async () => {
  for (const server of servers.toReversed()) await server.remove();
  await database.close();
  await fresh.drop();
});

const startAll = async (): Promise<void> => {
  for (const server of servers) await server.start();
};

/** Three switches of one site, and twelve things behind each, in an order in which causes and symptoms come mixed. */
function storm(site: string, now: number): readonly Alert[] {
  const things = ROOTS.flatMap((root) => [
    ...Array.from({ length: BEHIND }, (_, n) => ({ name: `${site}-${root}-${n}`, parents: [`${site}-${root}`] })),
    { name: `${site}-${root}`, parents: [] },
  ]);
  return things.map((resource) => ({
    id: resource.name,
    fingerprint: resource.name,
    status: "firing",
    severity: resource.parents.length === 0 ? "critical" : "major",
    title: `${resource.name} is down`,
    startsAt: new Date(now).toISOString(),
    resource: { kind: "host", ...resource },
  }));
}

const breaks = (site: string): Promise<unknown> =>
  inTransaction({ database }, async (tx) => {
    const now = await readNow(tx);
    const [endpoint] = await tx.execute<{ id: number }>(sql`select id from endpoint where key = 'nagios'`);
    return takeAlerts(tx, { endpoint: { id: endpoint?.id ?? 0, key: "nagios" }, alerts: storm(site, now), completeAsOf: null, now });
  });

/** Every incident of a site with what is in it, whoever made it. */
const incidentsOf = async (site: string) => [
  ...(await database.sql<{ root: string; alerts: string[]; told: boolean }[]>`
    select i.root_node as root, i.told_at is not null as told,
      array(select a.resource_name from alert_standing as t join alert as a on a.id = t.alert_id where t.incident_id = i.id order by a.resource_name collate "C") as alerts
    from incident as i where i.root_node like ${`nagios/${site}-%`} order by i.root_node`),
];
const expected = (site: string) =>
  ROOTS.map((root) => ({
    root: `nagios/${site}-${root}`,
    told: true,
    alerts: [`${site}-${root}`, ...Array.from({ length: BEHIND }, (_, n) => `${site}-${root}-${n}`)].toSorted(),
  }));
/** Each incident was opened, and told, once. */
const entriesOf = async (site: string) => [
  ...(await database.sql<{ kind: string; n: number }[]>`
    select e.kind, count(*)::integer as n from incident_entry as e join incident as i on i.id = e.incident_id
    where i.root_node like ${`nagios/${site}-%`} and e.kind in ('opened', 'told', 'merged') group by e.kind order by e.kind`),
];
const onceEach = [
  { kind: "opened", n: ROOTS.length },
  { kind: "told", n: ROOTS.length },
];
const mustBeRaised = async (site: string): Promise<void> => {
  await vi.waitFor(async () => expect(await incidentsOf(site)).toEqual(expected(site)), wait);
  expect(await entriesOf(site)).toEqual(onceEach);
};

/** Server processes that have a connection, and those that wait for a row. */
const backends = async (): Promise<{ readonly all: number; readonly waiting: number }> => {
  const [found] = await database.sql<{ all: number; waiting: number }[]>`
    select count(*)::integer as "all", (count(*) filter (where wait_event_type = 'Lock' and wait_event in ('transactionid', 'tuple')))::integer as waiting
    from pg_stat_activity where datname = current_database() and application_name <> 'kill-look' and backend_type = 'client backend'`;
  return found ?? { all: 0, waiting: 0 };
};

test("two servers make one incident of each cause of a storm, and kill -9 in the middle of a look changes neither their number nor what is in them", async () => {
  await startAll();
  const document = {
    quiesce: 1,
    systems: [{ key: "monitoring" }],
    endpoints: [
      {
        key: "nagios",
        system: "monitoring",
        connector: "nagios",
        config: { url: "http://127.0.0.1:9", user: "quiesce" },
        secrets: { password: { value: "nobody asks" } },
      },
    ],
  };
  const api = await servers[0]?.api();
  await api?.request("mutation ($input: ApplyWorkspaceInput!) { applyWorkspace(input: $input) { dryRun } }", {
    input: { document: JSON.stringify(document) },
  });
  await breaks("west");
  await mustBeRaised("west");

  await breaks("east");
  const unseen = () =>
    database.sql`select from alert_standing as t join alert as a on a.id = t.alert_id where a.resource_name like 'east-%' and t.considered_at is null`;
  await vi.waitFor(async () => expect(await unseen()).toHaveLength(0), wait);
  const keeper = await database.sql.reserve();
  await keeper`begin`;
  await keeper`select from alert_standing as t join alert as a on a.id = t.alert_id where a.resource_name like 'east-%' for update of t`;
  // The look that raises them has written an incident, and waits for its alerts.
  await vi.waitFor(async () => expect((await backends()).waiting).toBeGreaterThan(0), wait);
  for (const server of servers) await server.kill();
  await keeper`commit`;
  keeper.release();
  await vi.waitFor(async () => expect((await backends()).all).toBe(0), wait);
  expect(await incidentsOf("east")).toEqual([]);
  await startAll();
  await mustBeRaised("east");
  // What was there before is as it was.
  expect(await incidentsOf("west")).toEqual(expected("west"));
  expect(await entriesOf("west")).toEqual(onceEach);
}, 900_000);
