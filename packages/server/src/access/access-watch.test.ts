import { unusualCounts } from "@quiesce/core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type StartedApi, startApi } from "../../../../test/server/start-api.js";
import { type AccessWatch, createAccessWatch } from "./access-watch.js";
import { recordArrival } from "./record-unusual.js";

const OFFICE = "198.51.100.0/24";
const ELSEWHERE = "203.0.113.0/24";
const PATIENCE = { timeout: 60_000 };
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
let api: StartedApi;
let ada: { readonly principalId: number; readonly name: string };

beforeAll(async () => {
  api = await startApi({ trustedProxies: ["127.0.0.1"], callerLimit: { burst: 10_000, perSecond: 10_000 } });
});
afterAll(async () => {
  await api.stop();
});
beforeEach(async () => {
  await api.database.sql`truncate principal_network, access_notice`;
  const [row] = await api.database.sql<{ id: number; name: string }[]>`
    insert into principal (kind, name, created_by) values ('person', 'ada-' || gen_random_uuid(), 'test') returning id, name`;
  ada = { principalId: row?.id ?? 0, name: row?.name ?? "" };
});

const told = async (name: string) => {
  const entries = await api.database.sql<{ action: string; after: { readonly [field: string]: unknown } }[]>`
    select action, after from audit_entry where subject_kind = 'principal' and after ->> 'name' = ${name} and action like 'access.%' order by id`;
  return entries.map(({ action, after }) => ({
    action,
    after: Object.fromEntries(Object.entries(after).filter(([field]) => field !== "name")),
  }));
};
const networks = async () =>
  (
    await api.database.sql<
      { network: string }[]
    >`select network from principal_network where principal_id = ${ada.principalId} order by network`
  ).map(({ network }) => network);
const watched = async (work: (watch: AccessWatch) => void) => {
  const watch = createAccessWatch({ database: api.database, log });
  work(watch);
  await watch.settled();
};

describe("a principal", () => {
  it("is told of when it comes from a new network, and not for its first", async () => {
    await watched((watch) => watch.arrived(ada, OFFICE));
    expect(await told(ada.name)).toEqual([]);
    await watched((watch) => watch.arrived(ada, ELSEWHERE));
    expect(await told(ada.name)).toEqual([{ action: "access.new-network", after: { network: ELSEWHERE, knownNetworks: 1 } }]);
    expect(await networks()).toEqual([OFFICE, ELSEWHERE]);
    await watched((watch) => watch.arrived(ada, ELSEWHERE));
    expect(await told(ada.name)).toHaveLength(1);
  });

  it("is told of when it comes back after thirty days", async () => {
    await watched((watch) => watch.arrived(ada, OFFICE));
    await api.database.sql`update principal_network set last_seen_at = app_now() - interval '30 days' - interval '1 hour'`;
    await watched((watch) => watch.arrived(ada, OFFICE));
    expect(await told(ada.name)).toEqual([{ action: "access.after-silence", after: { silentDays: 30 } }]);
  });

  it("is told of at most once an hour for each kind, whichever server saw it", async () => {
    await Promise.all(["192.0.2.0/24", OFFICE, ELSEWHERE, "192.88.0.0/24"].map((network) => recordArrival(api.database, ada, network)));
    expect(await told(ada.name)).toHaveLength(1);
    await api.database.sql`update access_notice set noticed_at = app_now() - interval '1 hour'`;
    await recordArrival(api.database, ada, "10.0.0.0/24");
    expect(await told(ada.name)).toHaveLength(2);
  });

  it("has at most fifty networks, the latest", async () => {
    for (let index = 0; index < 55; index += 1) await recordArrival(api.database, ada, `10.0.${index}.0/24`);
    expect(await networks()).toHaveLength(50);
    expect(await networks()).toContain("10.0.54.0/24");
  });

  it("costs one write a day and network, not one a request", async () => {
    const watch = createAccessWatch({ database: api.database, log });
    watch.arrived(ada, OFFICE);
    await watch.settled();
    await api.database.sql`update principal_network set last_seen_at = app_now() - interval '2 hours'`;
    for (let requests = 0; requests < 1_000; requests += 1) watch.arrived(ada, OFFICE);
    await watch.settled();
    const [row] = await api.database.sql<
      { untouched: boolean }[]
    >`select last_seen_at < app_now() - interval '1 hour' as untouched from principal_network`;
    expect(row?.untouched).toBe(true);
  });

  it("is told of to the webhooks that name it, and to no other", async () => {
    await api.database.sql`insert into team (key, title) values ('security', 'Security') on conflict do nothing`;
    for (const [path, events] of [
      ["all", ["access.*"]],
      ["one", ["access.new-network"]],
      ["other", ["access.denials", "audit.*"]],
      ["usual", []],
    ] as const)
      await api.database.sql`
        insert into team_webhook (team_id, url, events, observe, source, sealed, fingerprint)
        select id, ${`https://hooks.example.com/${path}`}, ${[...events]}::text[], false, 'literal', '{}', 'x' from team where key = 'security'`;
    await recordArrival(api.database, ada, OFFICE);
    await recordArrival(api.database, ada, ELSEWHERE);
    const sent = await api.database.sql<{ url: string; payload: unknown }[]>`
      select k.url, o.payload from outbox as o join team_webhook as k on k.id = o.webhook_id where o.kind like 'access.%' and o.payload -> 'data' ->> 'principal' = ${ada.name} order by k.url`;
    expect(sent).toEqual(
      ["all", "one"].map((path) => ({
        url: `https://hooks.example.com/${path}`,
        payload: {
          type: "access.new-network",
          timestamp: expect.any(String),
          data: { principal: ada.name, network: ELSEWHERE, knownNetworks: 1 },
        },
      })),
    );
  });

  it("that was removed meanwhile is no trouble", async () => {
    await api.database.sql`delete from principal where id = ${ada.principalId}`;
    expect(await recordArrival(api.database, ada, OFFICE)).toBe(false);
  });
});

describe("the API", () => {
  const post = (query: string, token: string, from: string) =>
    fetch(`${api.url}/graphql`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json", "x-forwarded-for": from },
      body: JSON.stringify({ query }),
    });

  it("tells of a token that comes from somewhere else, by the address that the proxy in front knows", async () => {
    await post("{ __typename }", api.tokens.auditor, "198.51.100.7");
    await expect
      .poll(async () => (await api.database.sql`select from principal_network where network = ${OFFICE}`).length, PATIENCE)
      .toBe(1);
    await post("{ __typename }", api.tokens.auditor, "203.0.113.8");
    await expect
      .poll(() => told("test-auditor"), PATIENCE)
      .toEqual([{ action: "access.new-network", after: { network: ELSEWHERE, knownNetworks: 1 } }]);
    const events = await api.database.sql<{ payload: unknown }[]>`
      select payload from event_inbox where kind = 'access.new-network' union all select payload from event_log where kind = 'access.new-network'`;
    expect(JSON.stringify(events)).toContain(ELSEWHERE);
    expect(JSON.stringify(events)).not.toContain("203.0.113.8");
  });

  it("tells of one that is refused again and again, of one that guesses, and of neither below the count", async () => {
    const { most } = unusualCounts["access.denials"];
    for (let tries = 1; tries < most; tries += 1) await api.ask("{ tokens { nodes { name } } }", {}, api.tokens.viewer);
    expect((await told("test-viewer")).filter(({ action }) => action === "access.denials")).toEqual([]);
    // Over REST and GraphQL it is one count.
    await fetch(`${api.url}/push/orders`, {
      method: "POST",
      headers: { authorization: `Bearer ${api.tokens.viewer}`, "content-type": "application/json" },
      body: "[]",
    });
    await expect
      .poll(async () => (await told("test-viewer")).filter(({ action }) => action === "access.denials"), PATIENCE)
      .toEqual([{ action: "access.denials", after: { count: most, withinSeconds: 60 } }]);
    const searching = unusualCounts["access.searching"].most;
    for (let tries = 0; tries < searching; tries += 2)
      await api.ask(`{ integration(key: "guess-${tries}") { key } job(key: "guess-${tries}") { key } }`, {}, api.tokens.operator);
    await expect.poll(async () => (await told("test-operator")).map(({ action }) => action), PATIENCE).toContain("access.searching");
  });

  it("tells of one that reads many records", async () => {
    const { most } = unusualCounts["access.bulk-read"];
    await api.database.sql`
      insert into dead_letter (integration_id, run_id, stream, record_key, record, error, status)
      select (select min(id) from integration), gen_random_uuid(), 's', n::text, '{}', '{}', 'open' from generate_series(1, 200) as n`;
    for (let read = 0; read < most; read += 200)
      await api.ask("{ deadLetters(first: 200) { nodes { record } } }", {}, api.tokens["connector-author"]);
    await expect
      .poll(async () => (await told("test-connector-author")).map(({ action }) => action), PATIENCE)
      .toContain("access.bulk-read");
  });
});
