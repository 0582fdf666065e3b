import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FreshDatabase, freshDatabase } from "../database/fresh-database.js";
import { type KillableServer, killableServer } from "../server/killable-server.js";
import { type Alertmanager, ALERTMANAGER, startAlertmanager } from "./alertmanager.js";
import { type Nagios, NAGIOS, startNagios } from "./nagios.js";
import { suiteRuns } from "./server-process.js";
import { waitUntil } from "./wait-until.js";

const SECOND_MS = 1_000;
/** What a monitor says is here after a look or a delivery; a server that was killed has its runs for its lease. */
const HEARD_MS = 300 * SECOND_MS;
/** Each of these tests waits for monitors, runs and starts, one after the other. */
const LONGEST_MS = 900 * SECOND_MS;
const SECRET = "secret-of-the-webhook";
/** Of Alertmanager: told by its webhook alone, asked alone, and both at once. */
const WAYS = ["told", "asked", "both"] as const;
const ASKED = ["nagios", "asked", "both"] as const;

interface ShownAlert {
  readonly key: string;
  readonly status: "FIRING" | "RESOLVED";
  readonly severity: string;
  readonly resourceName: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly endedBy: string | null;
}

const programs = [...NAGIOS.programs, ...ALERTMANAGER.programs];
const packages = `${NAGIOS.packages} ${ALERTMANAGER.packages}`;

describe.runIf(suiteRuns("Nagios or Alertmanager", { programs, packages }))("an outage at a real Nagios and a real Alertmanager", () => {
  let database: FreshDatabase;
  let sql: postgres.Sql;
  let server: KillableServer;
  let nagios: Nagios;
  let alertmanager: Alertmanager;

  beforeAll(async () => {
    nagios = await startNagios();
    database = await freshDatabase();
    sql = postgres(database.url, { max: 1, onnotice: () => undefined });
    server = await killableServer(database.url);
    const webhooks = ["told", "both"].map((endpoint) => ({ url: `${server.url}/hooks/${endpoint}`, authorization: SECRET }));
    alertmanager = await startAlertmanager({ webhooks });
    await server.start();
    await request("mutation ($input: ApplyWorkspaceInput!) { applyWorkspace(input: $input) { dryRun } }", {
      input: { document: JSON.stringify(workspace()) },
    });
  }, LONGEST_MS);
  afterAll(async () => {
    await server?.remove();
    await nagios?.remove();
    await alertmanager?.remove();
    await sql?.end();
    await database?.drop();
  });

  function workspace(): object {
    const ofAlertmanager = WAYS.map((key) => ({
      key,
      system: "monitoring",
      connector: "alertmanager",
      config: { url: alertmanager.url, resourceLabel: "system" },
      secrets: { webhookSecret: { value: SECRET } },
    }));
    const ofNagios = {
      key: "nagios",
      system: "monitoring",
      connector: "nagios",
      config: { url: nagios.url, user: nagios.user },
      secrets: { password: { value: nagios.password } },
    };
    return {
      quiesce: 1,
      systems: [{ key: "monitoring" }],
      endpoints: [ofNagios, ...ofAlertmanager],
      integrations: ASKED.map((key) => ({ key: `${key}-alerts`, source: key })),
      jobs: ASKED.map((key) => ({ key: `${key}-often`, integration: `${key}-alerts`, schedule: { every: "3s" } })),
    };
  }

  async function request<T>(document: string, variables: object): Promise<T> {
    return (await server.api()).request<T>(document, variables);
  }

  /** Every alert that was ever heard of from the endpoint, the newest first. */
  async function alertsOf(endpoint: string): Promise<readonly ShownAlert[]> {
    const { alerts } = await request<{ alerts: { nodes: readonly ShownAlert[] } }>(
      `query ($endpoint: String) {
        alerts(first: 50, filter: { endpoint: $endpoint }) { nodes { key status severity resourceName startedAt endedAt endedBy } }
      }`,
      { endpoint },
    );
    return alerts.nodes;
  }
  const newestIs = async (endpoint: string, status: ShownAlert["status"], count: number): Promise<boolean> => {
    const alerts = await alertsOf(endpoint);
    return alerts.length >= count && alerts[0]?.status === status;
  };

  /** Runs of the endpoint's job that have ended well: each claimed, each one look at the monitor. */
  async function looks(endpoint: string): Promise<number> {
    const { runs } = await request<{ runs: { totalCount: number } }>(
      "query ($job: String!) { runs(first: 1, filter: { job: $job, states: [SUCCEEDED] }) { totalCount } }",
      { job: `${endpoint}-often` },
    );
    return runs.totalCount;
  }
  /** A look has just ended, the next is some time away: what happens now is not in the middle of one. */
  async function lookedNow(endpoint: string): Promise<void> {
    const before = await looks(endpoint);
    await waitUntil(async () => (await looks(endpoint)) > before, { withinMs: HEARD_MS });
  }
  async function lookedAgain(endpoint: string): Promise<void> {
    const before = await looks(endpoint);
    await waitUntil(async () => (await looks(endpoint)) >= before + 2, { withinMs: HEARD_MS });
  }

  /** What the log of events says about the endpoint's alerts, once it says so much: events are numbered after their commit. */
  async function told(endpoint: string, count: number): Promise<readonly string[]> {
    let rows: readonly { kind: string; alert: string }[] = [];
    const read = async (): Promise<boolean> => {
      rows = await sql<{ kind: string; alert: string }[]>`
        select kind, payload->>'alert' as alert from event_log
        where subject_key = ${endpoint} and kind in ('alert.fired', 'alert.resolved') order by position`;
      return rows.length >= count;
    };
    await waitUntil(read, { withinMs: HEARD_MS });
    return rows.map(({ kind, alert }) => `${kind} ${alert}`);
  }

  async function mustBeOneEpisode(
    endpoint: string,
    expected: { readonly [member in keyof ShownAlert]?: string | undefined },
  ): Promise<void> {
    const alerts = await alertsOf(endpoint);
    expect(alerts).toEqual([expect.objectContaining({ status: "RESOLVED", severity: "CRITICAL", ...expected })]);
    const [alert] = alerts;
    expect(Date.parse(alert?.endedAt ?? "")).toBeGreaterThan(Date.parse(alert?.startedAt ?? ""));
    expect(await told(endpoint, 2)).toEqual([`alert.fired ${alert?.key}`, `alert.resolved ${alert?.key}`]);
  }

  test(
    "is one firing and one resolved alert by claimed runs that ask Nagios, though the server is killed in between",
    { timeout: LONGEST_MS },
    async () => {
      await waitUntil(async () => (await looks("nagios")) > 0, { withinMs: HEARD_MS });
      expect(await alertsOf("nagios")).toEqual([]);
      await nagios.setOrdersApi(2);
      await waitUntil(() => newestIs("nagios", "FIRING", 1), { withinMs: HEARD_MS });
      await lookedAgain("nagios");
      const [firing] = await alertsOf("nagios");
      await server.kill();
      await nagios.setOrdersApi(0);
      await server.start();
      await waitUntil(() => newestIs("nagios", "RESOLVED", 1), { withinMs: HEARD_MS });
      await lookedAgain("nagios");
      await mustBeOneEpisode("nagios", { resourceName: "erp!orders-api", startedAt: firing?.startedAt, key: firing?.key });
    },
  );

  test(
    "is one firing and one resolved alert of Alertmanager: told, asked, and both at once, though the server is killed in between",
    { timeout: LONGEST_MS },
    async () => {
      await waitUntil(async () => (await looks("asked")) > 0, { withinMs: HEARD_MS });
      const labels = { alertname: "ErpDown", system: "erp", severity: "critical" };
      await lookedNow("both");
      const startsAt = new Date().toISOString();
      await alertmanager.tell([{ labels, startsAt, endsAt: new Date(Date.now() + 3_600 * SECOND_MS).toISOString() }]);
      for (const endpoint of WAYS) await waitUntil(() => newestIs(endpoint, "FIRING", 1), { withinMs: HEARD_MS });
      for (const endpoint of ["asked", "both"]) await lookedAgain(endpoint);
      const before = new Map(await Promise.all(WAYS.map(async (endpoint) => [endpoint, (await alertsOf(endpoint))[0]] as const)));
      await server.kill();
      await alertmanager.tell([{ labels, startsAt, endsAt: new Date().toISOString() }]);
      await server.start();
      for (const endpoint of WAYS) await waitUntil(() => newestIs(endpoint, "RESOLVED", 1), { withinMs: HEARD_MS });
      for (const endpoint of ["asked", "both"]) await lookedAgain(endpoint);
      for (const endpoint of WAYS) {
        const { key, startedAt } = before.get(endpoint) ?? {};
        await mustBeOneEpisode(endpoint, { resourceName: "erp", key, startedAt, ...(endpoint === "told" ? { endedBy: "MONITOR" } : {}) });
      }
      expect((await alertsOf("told"))[0]?.startedAt).toBe(startsAt);
      expect((await alertsOf("both"))[0]?.startedAt).toBe(startsAt);
    },
  );

  test("that comes back is a second alert, told and asked alike", { timeout: LONGEST_MS }, async () => {
    const labels = { alertname: "ErpDown", system: "erp", severity: "critical" };
    await lookedNow("both");
    const startsAt = new Date().toISOString();
    await alertmanager.tell([{ labels, startsAt, endsAt: new Date(Date.now() + 3_600 * SECOND_MS).toISOString() }]);
    await nagios.setOrdersApi(2);
    for (const endpoint of [...WAYS, "nagios"]) await waitUntil(() => newestIs(endpoint, "FIRING", 2), { withinMs: HEARD_MS });
    await alertmanager.tell([{ labels, startsAt, endsAt: new Date().toISOString() }]);
    await nagios.setOrdersApi(0);
    for (const endpoint of [...WAYS, "nagios"]) {
      await waitUntil(() => newestIs(endpoint, "RESOLVED", 2), { withinMs: HEARD_MS });
      const [second, first] = await alertsOf(endpoint);
      const both = [first, second].flatMap((alert) => [`alert.fired ${alert?.key}`, `alert.resolved ${alert?.key}`]);
      expect(await told(endpoint, 4)).toEqual(both);
    }
  });
});
