import { randomBytes } from "node:crypto";
import { packagedZoneData } from "@quiesce/core";
import { ConnectorError, defineConnector, type Health, z } from "@quiesce/sdk";
import pino from "pino";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type ControlledTime, controlTime } from "../../../../../test/database/control-time.js";
import { freshDatabase, type FreshDatabase } from "../../../../../test/database/fresh-database.js";
import { applyWorkspace, type CatalogContext } from "../../catalog/commands.js";
import { masterKeyOf } from "../../credentials/master-key.js";
import { type Database, openDatabase } from "../../db/client.js";
import { type ConnectorHost, createConnectorHost } from "../connector-host.js";
import { takeTurn } from "./check-turns.js";
import { followChecks } from "./follow-checks.js";

const start = Date.parse("2026-03-29T00:30:00Z");
const minute = 60_000;
const log = pino({ level: "silent" });

let fresh: FreshDatabase;
let database: Database;
let time: ControlledTime;
let context: CatalogContext;
let host: ConnectorHost;
let answer: () => Promise<Health>;
let asked: string[];
let stop: (() => Promise<void>) | undefined;

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 12, applicationName: "checks-test" });
  time = await controlTime(database.sql);
  await time.set(start);
  const keys = { current: masterKeyOf(randomBytes(32)), previous: [] };
  context = { database, zones: packagedZoneData(), keys, actor: { kind: "token", name: "ana", role: "admin" } };
  answer = async () => ({ status: "up" });
  asked = [];
  const connector = defineConnector({
    apiVersion: 1,
    id: "asked",
    version: "1.0.0",
    displayName: "Asked",
    stability: "experimental",
    config: z.object({}),
    secrets: z.object({}),
    egress: () => [],
    check: (x) => {
      asked.push(x.meta.endpointId);
      return answer();
    },
  });
  host = createConnectorHost({ database, connectors: [connector], keyRing: keys, log });
  await host.connectors.reload();
});

afterEach(async () => {
  await stop?.();
  stop = undefined;
  await host.close();
  await database.close();
  await fresh.drop();
});

const apply = (endpoints: readonly object[]) =>
  applyWorkspace(context, {
    quiesce: 1,
    systems: [{ key: "erp", criticality: "critical" }],
    endpoints: endpoints.map((endpoint) => ({ system: "erp", connector: "asked", ...endpoint })),
    integrations: [{ key: "orders", source: "quick", target: "quick" }],
  });

async function turns(): Promise<readonly string[]> {
  const found: string[] = [];
  for (let turn = await takeTurn(database.db); turn !== undefined; turn = await takeTurn(database.db)) found.push(turn.key);
  return found;
}

describe("turns", () => {
  it("come to each endpoint at its interval, the longest due first, and to none that has none", async () => {
    await apply([{ key: "quick", checkEvery: "1m" }, { key: "slow", checkEvery: "10m" }, { key: "never" }]);
    expect((await turns()).toSorted()).toEqual(["quick", "slow"]);
    const found: string[][] = [];
    for (let n = 0; n < 10; n += 1) {
      await time.advance(minute - 1);
      expect(await turns()).toEqual([]);
      await time.advance(1);
      found.push([...(await turns())].toSorted());
    }
    expect(found).toEqual([...Array.from({ length: 9 }, () => ["quick"]), ["quick", "slow"]]);
    await time.advance(minute);
    await database.sql`update endpoint_check_turn set due_at = due_at - interval '9 minutes 30 seconds' where endpoint_id = (select id from endpoint where key = 'slow')`;
    expect(await turns()).toEqual(["slow", "quick"]);
  });

  it("begin anew when the endpoint is changed, and end when its interval is taken away", async () => {
    await apply([{ key: "quick", checkEvery: "10m" }]);
    await turns();
    await apply([{ key: "quick", checkEvery: "30s" }]);
    expect(await turns()).toEqual(["quick"]);
    await time.advance(30_000);
    expect(await turns()).toEqual(["quick"]);
    await apply([{ key: "quick" }]);
    await time.advance(60 * minute);
    expect(await turns()).toEqual([]);
  });

  it("are taken by one server alone", async () => {
    const keys = Array.from({ length: 20 }, (_none, n) => `e${n}`);
    await apply([{ key: "quick" }, ...keys.map((key) => ({ key, checkEvery: "1m" }))]);
    const taken = await Promise.all(Array.from({ length: 6 }, turns));
    expect(taken.flat().toSorted()).toEqual(keys.toSorted());
  });
});

describe("a check by the clock", () => {
  const eventually = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 60_000, interval: 10 });
  const samples = () =>
    database.sql<{ ok: boolean }[]>`
      select k.ok from kpi_sample as k join kpi_series as s on s.id = k.series_id where s.metric = 'check' order by k.at`;
  const alerts = () => database.sql<{ status: string }[]>`select status from alert order by id`;

  it("is evidence of availability; five failures in a row raise an alert, and an answer ends it", async () => {
    await apply([{ key: "quick", checkEvery: "1m" }]);
    stop = followChecks({ database, host, log }, { everyMs: 10 });
    await eventually(async () => expect(await samples()).toHaveLength(1));
    answer = () => Promise.reject(new ConnectorError("unavailable", "503 from the ERP"));
    for (let n = 2; n <= 6; n += 1) {
      expect(await alerts()).toEqual([]);
      await time.advance(minute);
      await eventually(async () => expect(await samples()).toHaveLength(n));
      // The failure is counted behind its sample.
      await eventually(async () => expect(await database.sql`select from endpoint_breaker where failures = ${n - 1}`).toHaveLength(1));
    }
    expect(await alerts()).toEqual([{ status: "firing" }]);
    answer = async () => ({ status: "up" });
    await time.advance(minute);
    await eventually(async () => expect(await alerts()).toEqual([{ status: "resolved" }]));
    expect((await samples()).map(({ ok }) => ok)).toEqual([true, false, false, false, false, false, true]);
  });

  it("forgets failures after an answer, counts refused credentials as one, and says nothing where nobody can say", async () => {
    await apply([{ key: "quick", checkEvery: "1m" }]);
    stop = followChecks({ database, host, log }, { everyMs: 10 });
    await eventually(async () => expect(await samples()).toHaveLength(1));
    const failures = async () => (await database.sql<{ failures: number }[]>`select failures from endpoint_breaker`)[0]?.failures;
    answer = async () => ({ status: "down", message: "closing" });
    await time.advance(minute);
    await eventually(async () => expect(await failures()).toBe(1));
    answer = async () => ({ status: "unknown" });
    await time.advance(minute);
    await eventually(() => expect(asked).toHaveLength(3));
    answer = () => Promise.reject(new ConnectorError("auth", "401"));
    await time.advance(minute);
    await eventually(async () => expect(await failures()).toBe(0));
    expect((await samples()).map(({ ok }) => ok)).toEqual([true, false, true]);
  });

  it("brings the figures that its connector gives", async () => {
    answer = async () => ({ status: "up", kpis: [{ name: "queue_depth", value: 7 }] });
    await apply([{ key: "quick", checkEvery: "1m" }]);
    stop = followChecks({ database, host, log }, { everyMs: 10 });
    await eventually(async () =>
      expect(
        await database.sql`select k.value from kpi_sample as k join kpi_series as s on s.id = k.series_id where s.metric = 'queue.depth'`,
      ).toEqual([{ value: 7 }]),
    );
  });

  it("that never ends does not keep a server from stopping", async () => {
    await apply([{ key: "quick", checkEvery: "1m" }]);
    const deaf = vi.fn(() => new Promise<Health>(() => undefined));
    const end = followChecks({ database, host: { checkEndpoint: deaf }, log }, { everyMs: 10 });
    await eventually(() => expect(deaf).toHaveBeenCalled());
    await end();
  });

  it("of a system that hangs keeps no other endpoint waiting", async () => {
    await apply([
      { key: "quick", checkEvery: "1m" },
      { key: "other", checkEvery: "1m" },
    ]);
    answer = () => (asked.length === 1 ? new Promise(() => undefined) : Promise.resolve({ status: "up" }));
    stop = followChecks({ database, host, log }, { everyMs: 10 });
    await eventually(() => expect(asked).toHaveLength(2));
    expect(new Set(asked)).toEqual(new Set(["quick", "other"]));
  });
});
