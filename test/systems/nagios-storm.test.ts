import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FreshDatabase, freshDatabase } from "../database/fresh-database.js";
import type { ApiClient } from "../integration/api-client.js";
import { type KillableServer, killableServer } from "../server/killable-server.js";
import { type Nagios, NAGIOS, startNagios } from "./nagios.js";
import { suiteRuns } from "./server-process.js";
import { waitUntil } from "./wait-until.js";

const SECOND_MS = 1_000;
/** Checks, looks at the monitor and at the alerts, and half a minute in which an incident waits for its cause. */
const HEARD_MS = 300 * SECOND_MS;
const LONGEST_MS = 900 * SECOND_MS;
const BEHIND = 20;
const WITH_SWITCH = BEHIND + 1;

interface ShownIncident {
  readonly key: string;
  readonly state: string;
  readonly severity: string;
  readonly root: string;
  readonly openedAt: string;
  readonly toldAt: string | null;
  readonly alertCount: number;
  readonly firingCount: number;
  readonly timeline: { readonly nodes: readonly { readonly kind: string; readonly text: string; readonly data: unknown }[] };
}

interface ShownAlert {
  readonly resourceName: string;
  readonly isMuted: boolean;
  readonly reasons: readonly { readonly kind: string; readonly path: string; readonly mutes: boolean }[];
}

describe.runIf(suiteRuns("Nagios", NAGIOS))("two switches at a real Nagios, with twenty hosts behind each", () => {
  let database: FreshDatabase;
  let server: KillableServer;
  let nagios: Nagios;
  let api: ApiClient;

  beforeAll(async () => {
    nagios = await startNagios({
      switches: [
        { name: "north", behind: BEHIND },
        { name: "south", behind: BEHIND },
      ],
    });
    database = await freshDatabase();
    server = await killableServer(database.url);
    await server.start();
    api = await server.api();
    const config = { url: nagios.url, user: nagios.user, statusDelaySeconds: 3 };
    const document = {
      quiesce: 1,
      systems: [
        ...["north", "south"].map((name) => ({ key: `branch-${name}`, monitoredBy: [{ endpoint: "nagios", resources: [name] }] })),
        { key: "monitoring" },
      ],
      endpoints: [{ key: "nagios", system: "monitoring", connector: "nagios", config, secrets: { password: { value: nagios.password } } }],
      integrations: [{ key: "nagios-alerts", source: "nagios" }],
      jobs: [{ key: "nagios-often", integration: "nagios-alerts", schedule: { every: "3s" } }],
    };
    await api.request("mutation ($input: ApplyWorkspaceInput!) { applyWorkspace(input: $input) { dryRun } }", {
      input: { document: JSON.stringify(document) },
    });
  }, LONGEST_MS);
  afterAll(async () => {
    await server?.remove();
    await nagios?.remove();
    await database?.drop();
  });

  /** Asks twice a second: whole timelines have their price. */
  const until = (isSo: () => Promise<boolean>): Promise<void> =>
    waitUntil(
      async () => {
        if (await isSo()) return true;
        await new Promise((resolve) => setTimeout(resolve, SECOND_MS / 2));
        return false;
      },
      { withinMs: HEARD_MS },
    );

  async function incidents(): Promise<readonly ShownIncident[]> {
    const answer = await api.request<{ incidents: { nodes: readonly ShownIncident[] } }>(
      `{ incidents(first: 10) { nodes { key state severity root openedAt toldAt alertCount firingCount timeline(first: 100) { nodes { kind text data } } } } }`,
    );
    return answer.incidents.nodes;
  }
  const incidentOf = async (root: string): Promise<ShownIncident | undefined> => (await incidents()).find((one) => one.root === root);

  /** What fires of a switch and behind it. */
  async function firing(name: string): Promise<readonly ShownAlert[]> {
    const answer = await api.request<{ alerts: { nodes: readonly ShownAlert[] } }>(
      "{ alerts(first: 100, filter: { statuses: [FIRING] }) { nodes { resourceName isMuted reasons { kind path mutes } } } }",
    );
    return answer.alerts.nodes.filter(({ resourceName }) => resourceName.startsWith(name));
  }
  const allMuted = async (name: string): Promise<boolean> => {
    const alerts = await firing(name);
    return alerts.length === WITH_SWITCH && alerts.every(({ isMuted }) => isMuted);
  };
  const hostsOf = (name: string): readonly string[] => [name, ...Array.from({ length: BEHIND }, (_, n) => `${name}-${n + 1}`)].toSorted();

  function mustHaveAllOnTimeline(incident: ShownIncident, name: string): void {
    const fired = incident.timeline.nodes.filter(({ kind }) => kind === "ALERT_FIRED");
    const resources = fired.map(({ data }) => String(Reflect.get(Object(data), "resource")));
    expect(resources.toSorted()).toEqual(hostsOf(name));
  }

  test(
    "one goes down outside of windows: one incident with the switch as its root; one inside: none, and at the window's end what still fires is raised once",
    { timeout: LONGEST_MS },
    async () => {
      const started = Date.now();
      const local = (at: number): string => new Date(at).toISOString().slice(0, 19);
      const series = { start: local(started + 2 * SECOND_MS), end: local(started + 3_600 * SECOND_MS), timeZone: "UTC" };
      await api.request("mutation ($input: MaintenanceWindowInput!) { createMaintenanceWindow(input: $input) { key } }", {
        input: {
          key: "new-switch",
          title: "New switch",
          series,
          scope: { systems: ["branch-south"] },
          owner: "network",
          reason: "new switch",
        },
      });
      await until(async () => Date.now() > Date.parse(`${series.start}Z`));
      await nagios.setSwitch("south", 2);
      await until(() => allMuted("south"));
      const muted = await firing("south");
      expect(muted.map(({ resourceName }) => resourceName).toSorted()).toEqual(hostsOf("south"));
      for (const { resourceName, reasons } of muted) {
        const path =
          reasons.find(({ kind, mutes }) => kind === "window" && mutes)?.path ?? reasons.find(({ kind }) => kind === "WINDOW")?.path;
        expect(path, resourceName).toMatch(/branch-south/u);
      }

      // What is in the window was there first: when the other is an incident, this one would have been one long ago.
      await nagios.setSwitch("north", 2);
      await until(async () => (await incidentOf("branch-north"))?.alertCount === WITH_SWITCH);
      const outside = await incidents();
      expect(outside).toMatchObject([{ root: "branch-north", severity: "CRITICAL", firingCount: WITH_SWITCH }]);
      for (const incident of outside) mustHaveAllOnTimeline(incident, "north");

      await api.request("mutation ($input: EndMaintenanceWindowEarlyInput!) { endMaintenanceWindowEarly(input: $input) { key } }", {
        input: { key: "new-switch", reason: "done" },
      });
      const endedAt = Date.now();
      await until(async () => (await incidentOf("branch-south"))?.alertCount === WITH_SWITCH);
      const raised = await incidentOf("branch-south");
      expect(raised).toMatchObject({ severity: "CRITICAL", firingCount: WITH_SWITCH });
      expect(Date.parse(raised?.openedAt ?? "")).toBeGreaterThanOrEqual(endedAt - SECOND_MS);
      if (raised !== undefined) mustHaveAllOnTimeline(raised, "south");

      for (const name of ["north", "south"]) await nagios.setSwitch(name, 0);
      await until(async () => (await incidents()).every(({ state }) => state === "RESOLVED"));
      expect((await incidents()).map(({ root }) => root).toSorted()).toEqual(["branch-north", "branch-south"]);
      console.log(`Two storms at a real Nagios: ${Math.round((Date.now() - started) / SECOND_MS)} s.`);
    },
  );
});
