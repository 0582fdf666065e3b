import { alertmanagerConnector, nagiosConnector } from "@quiesce/connectors";
import type { Alert, Connector, Context, RemoteDowntime } from "@quiesce/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runContext } from "../connectors/run-context.js";
import { type FreshDatabase, freshDatabase } from "../database/fresh-database.js";
import type { ApiClient } from "../integration/api-client.js";
import { type KillableServer, killableServer } from "../server/killable-server.js";
import { type Alertmanager, ALERTMANAGER, startAlertmanager } from "./alertmanager.js";
import { type Nagios, NAGIOS, startNagios } from "./nagios.js";
import { suiteRuns } from "./server-process.js";
import { waitUntil } from "./wait-until.js";

const SECOND_MS = 1_000;
/** A server that was killed has its monitors for half a minute; then whoever is there looks. */
const AFTER_KILL_MS = 60 * SECOND_MS;
const programs = [...NAGIOS.programs, ...ALERTMANAGER.programs];
const packages = `${NAGIOS.packages} ${ALERTMANAGER.packages}`;

describe.runIf(suiteRuns("Nagios or Alertmanager", { programs, packages }))("a window at a real Nagios and a real Alertmanager", () => {
  let database: FreshDatabase;
  let server: KillableServer;
  let nagios: Nagios;
  let alertmanager: Alertmanager;
  let api: ApiClient;
  /** Views of the monitors that are not the server's. */
  let atNagios: Context;
  let atAlertmanager: Context;

  beforeAll(async () => {
    nagios = await startNagios();
    alertmanager = await startAlertmanager();
    const watching = { url: nagios.url, user: nagios.user, statusDelaySeconds: 3 };
    atNagios = await runContext(nagiosConnector as Connector, { config: watching, secrets: { password: nagios.password } });
    const silencing = { url: alertmanager.url, resourceLabel: "system" };
    atAlertmanager = await runContext(alertmanagerConnector as Connector, { config: silencing });
    database = await freshDatabase();
    server = await killableServer(database.url);
    await server.start();
    api = await server.api();
    const atBoth = [
      { endpoint: "nagios", resources: ["erp", "erp!orders-api"] },
      { endpoint: "alertmanager", resources: ["erp"] },
    ];
    const document = {
      quiesce: 1,
      systems: [
        { key: "erp", monitoredBy: atBoth },
        { key: "shop", dependsOn: [{ system: "erp" }], monitoredBy: [{ endpoint: "nagios", resources: ["shop"] }] },
        { key: "monitoring" },
      ],
      endpoints: [
        { key: "nagios", system: "monitoring", connector: "nagios", config: watching, secrets: { password: { value: nagios.password } } },
        { key: "alertmanager", system: "monitoring", connector: "alertmanager", config: silencing },
      ],
    };
    await api.request("mutation ($input: ApplyWorkspaceInput!) { applyWorkspace(input: $input) { dryRun } }", {
      input: { document: JSON.stringify(document) },
    });
  });

  afterAll(async () => {
    await server?.remove();
    await nagios?.remove();
    await alertmanager?.remove();
    await database?.drop();
  });

  async function plan(
    key: string,
    times: { readonly inSeconds: number; readonly seconds: number },
  ): Promise<{ start: string; end: string }> {
    const from = Math.floor(Date.now() / SECOND_MS) * SECOND_MS + times.inSeconds * SECOND_MS;
    const [start = "", end = ""] = [from, from + times.seconds * SECOND_MS].map((at) => new Date(at).toISOString());
    const series = { start: start.slice(0, 19), end: end.slice(0, 19), timeZone: "UTC" };
    await api.request("mutation ($input: MaintenanceWindowInput!) { createMaintenanceWindow(input: $input) { key } }", {
      input: { key, title: "Patches", series, scope: { systems: ["erp"] }, owner: "erp-team", reason: "patches" },
    });
    return { start, end };
  }

  const cancel = (key: string) =>
    api.request("mutation ($input: CancelMaintenanceWindowInput!) { cancelMaintenanceWindow(input: $input) { key } }", {
      input: { key, reason: "not needed" },
    });
  const ours = (list: readonly RemoteDowntime[] | undefined) => (list ?? []).filter((one) => one.windowId !== undefined);
  const downtimes = async () => ours(await nagiosConnector.downtime?.list(atNagios as never));
  const silences = async () => ours(await alertmanagerConnector.downtime?.list(atAlertmanager as never));
  const shown = (list: readonly RemoteDowntime[]) => list.map(({ resources, end }) => `${resources.join()} ${end}`).toSorted();
  const isAnnounced = async () => (await downtimes()).length >= 3 && (await silences()).length >= 1;
  const isGone = async () => (await downtimes()).length === 0 && (await silences()).length === 0;
  const states = async (window: string) => {
    const answer = await api.request<{ monitorAnnouncements: { nodes: { state: string; endpoint: { key: string } }[] } }>(
      "query ($window: String) { monitorAnnouncements(filter: { window: $window }) { nodes { state endpoint { key } } } }",
      { window },
    );
    return answer.monitorAnnouncements.nodes.map((node) => `${node.endpoint.key} ${node.state}`).toSorted();
  };
  const firing = async (): Promise<Alert | undefined> => {
    for await (const page of nagiosConnector.alerts?.pull?.(atNagios as never, { cursor: null }) ?? []) return page.alerts[0];
    return undefined;
  };

  test("is there within seconds, keeps the monitor quiet, and is gone after its end", async () => {
    const planned = Date.now();
    const { end } = await plan("short", { inSeconds: 2, seconds: 18 });
    await waitUntil(isAnnounced, { withinMs: 10 * SECOND_MS });
    console.log(`Announced at both monitors ${Date.now() - planned} ms after the window was planned.`);
    expect(shown(await downtimes())).toEqual([`erp ${end}`, `erp!orders-api ${end}`, `shop ${end}`]);
    expect(shown(await silences())).toEqual([`erp ${end}`]);
    await nagios.setOrdersApi(2);
    await waitUntil(async () => (await firing())?.suppressedBy?.some((why) => why.startsWith("downtime")) === true, {
      withinMs: 15 * SECOND_MS,
    });
    expect(await states("short")).toEqual(["alertmanager ANNOUNCED", "nagios ANNOUNCED"]);
    await waitUntil(isGone, { withinMs: 25 * SECOND_MS });
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(end));
    // What still fires is nobody's secret any more.
    await waitUntil(async () => (await firing())?.suppressedBy === undefined, { withinMs: 10 * SECOND_MS });
    await nagios.setOrdersApi(0);
    await waitUntil(async () => (await states("short")).every((state) => state.endsWith("WITHDRAWN")), { withinMs: 10 * SECOND_MS });
  });

  test("is withdrawn at its early end, and put right when somebody takes it away or makes it longer", async () => {
    const { end } = await plan("ended", { inSeconds: 1, seconds: 600 });
    await waitUntil(isAnnounced, { withinMs: 10 * SECOND_MS });
    const [silence] = await silences();
    await fetch(`${alertmanager.url}/api/v2/silence/${silence?.id}`, { method: "DELETE" });
    const taken = (await downtimes()).find((one) => one.resources[0] === "shop");
    await nagios.command(`DEL_HOST_DOWNTIME;${taken?.id}`);
    await waitUntil(async () => (await silences()).length === 0 && (await downtimes()).length === 2, { withinMs: 10 * SECOND_MS });
    // The look after a change is a quarter of a minute away.
    await waitUntil(isAnnounced, { withinMs: 30 * SECOND_MS });
    expect(shown(await downtimes())).toEqual([`erp ${end}`, `erp!orders-api ${end}`, `shop ${end}`]);
    await api.request("mutation ($input: EndMaintenanceWindowEarlyInput!) { endMaintenanceWindowEarly(input: $input) { key } }", {
      input: { key: "ended", reason: "done" },
    });
    await waitUntil(isGone, { withinMs: 10 * SECOND_MS });
  });

  /** kill -9 of the server at a moment of a request to Nagios, and its next start. */
  async function killedAt(moment: "before" | "after", act: () => Promise<unknown>): Promise<void> {
    const killed = new Promise<void>((resolve, reject) => {
      nagios.bridge.intercept = async (when, request) => {
        if (when !== moment || request.method !== "POST") return;
        nagios.bridge.intercept = undefined;
        await server.kill().then(resolve, reject);
      };
    });
    await act();
    await killed;
    await server.start();
  }

  for (const moment of ["before", "after"] as const) {
    test(`kill -9 ${moment} Nagios has carried out a command leaves neither a forgotten nor a doubled downtime`, async () => {
      const key = `killed-${moment}`;
      let end = "";
      await killedAt(moment, async () => {
        ({ end } = await plan(key, { inSeconds: 5, seconds: 3_600 }));
      });
      await waitUntil(async () => (await states(key)).every((state) => state.endsWith("ANNOUNCED")) && (await isAnnounced()), {
        withinMs: AFTER_KILL_MS,
      });
      await waitUntil(async () => (await downtimes()).every((one) => /^\d+$/u.test(one.id)), { withinMs: 10 * SECOND_MS });
      expect(shown(await downtimes())).toEqual([`erp ${end}`, `erp!orders-api ${end}`, `shop ${end}`]);
      expect(shown(await silences())).toEqual([`erp ${end}`]);
      await killedAt(moment, () => cancel(key));
      await waitUntil(isGone, { withinMs: AFTER_KILL_MS });
      await waitUntil(async () => (await states(key)).every((state) => state.endsWith("WITHDRAWN")), { withinMs: AFTER_KILL_MS });
    });
  }
});
