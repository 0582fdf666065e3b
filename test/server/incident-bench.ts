import type { Alert } from "@quiesce/sdk";
import { takeAlerts } from "../../packages/server/src/alerts/take-alerts.js";
import { type CommandContext, inTransaction, readNow } from "../../packages/server/src/command.js";
import type { Database } from "../../packages/server/src/db/client.js";
import { type AlertLook, lookAtAlerts } from "../../packages/server/src/incidents/look-at-alerts.js";
import { createWindow } from "../../packages/server/src/windows/commands.js";
import { type ControlledTime } from "../database/control-time.js";
import { seedCatalogue } from "../database/seed-catalogue.js";
import { type ControlledDispatch, controlledDispatch } from "./controlled-dispatch.js";

const SECOND = 1_000;

/** Monitors that say things, a clock that is moved by hand, and looks. */
export interface IncidentBench {
  readonly database: Database;
  readonly context: CommandContext;
  readonly time: ControlledTime;
  /** A monitor says that something fires, or no longer does, as of now. */
  says(resource: string, more?: Partial<Alert> & { readonly monitor?: string }): Promise<void>;
  /** A monitor gives the complete list of what fires. */
  takeSnapshot(monitor: string, alerts: readonly Alert[]): Promise<void>;
  /** Moves the time on by so many seconds, looking every five. */
  pass(seconds: number): Promise<readonly AlertLook[]>;
  /** A window over systems, from a number of minutes from now, so many long. */
  window(
    key: string,
    options: { readonly systems: readonly string[]; readonly inMinutes: number; readonly minutes: number },
  ): Promise<void>;
  incidents(): Promise<readonly BenchIncident[]>;
  /** Reasons of alerts that hold now, or of ended ones that held last: `resource kind rule path`. */
  reasons(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface BenchIncident {
  readonly id: number;
  readonly state: string;
  readonly severity: string;
  readonly root: string;
  readonly told: boolean;
  readonly ownerTeam: string | null;
  readonly mergedInto: number | null;
  /** Resources of its alerts, in the order in which they were heard. */
  readonly alerts: readonly string[];
}

/**
 * The shop needs the ERP, the ERP its database; the newsletter suffers softly with the shop. `nagios` watches them under their keys, `second` is another
 * monitor. Times are those of `start`.
 */
export async function incidentBench(start: number): Promise<IncidentBench> {
  const dispatch: ControlledDispatch = await controlledDispatch({ name: "incident-test", start });
  const { database, time, context } = dispatch;
  const { sql } = database;
  await seedCatalogue(sql, {
    systems: [
      { key: "db" },
      { key: "erp", dependsOn: [{ system: "db", strength: "hard" }] },
      { key: "shop", dependsOn: [{ system: "erp", strength: "hard" }] },
      { key: "newsletter", dependsOn: [{ system: "shop", strength: "soft" }] },
      { key: "archive" },
      { key: "watch" },
    ],
    integrations: [{ key: "orders", systems: ["shop", "erp"] }],
    jobs: [],
  });
  await sql`update system set owner_team = key || '-team' where key in ('db', 'erp', 'shop')`;
  await sql`insert into endpoint (key, name, system_id, connector) select k, k, s.id, 'nagios' from system as s, unnest(array['nagios', 'second']) as k where s.key = 'watch'`;
  const endpoints = new Map((await sql<{ id: number; key: string }[]>`select id, key from endpoint`).map(({ id, key }) => [key, id]));
  return {
    database,
    context,
    time,
    says: async (resource, { monitor = "nagios", ...more } = {}) => {
      await inTransaction({ database }, async (tx) => {
        const now = await readNow(tx);
        const id = endpoints.get(monitor) ?? 0;
        const alert: Alert = {
          id: `${resource} at ${now}`,
          fingerprint: resource,
          status: "firing",
          severity: "critical",
          title: `${resource} is down`,
          startsAt: new Date(now).toISOString(),
          resource: { kind: "host", name: resource },
          ...more,
        };
        await takeAlerts(tx, { endpoint: { id, key: monitor }, alerts: [alert], completeAsOf: null, now });
      });
    },
    takeSnapshot: async (monitor, alerts) => {
      await inTransaction({ database }, async (tx) => {
        const endpoint = { id: endpoints.get(monitor) ?? 0, key: monitor };
        const now = await readNow(tx);
        // The stepped clock stands still between what was heard and this look.
        await takeAlerts(tx, { endpoint, alerts, completeAsOf: now + 1, now });
      });
    },
    pass: async (seconds) => {
      const looks: AlertLook[] = [];
      for (let passed = 0; passed < seconds; passed += 5) {
        await time.advance(5 * SECOND);
        looks.push(await lookAtAlerts({ database }));
      }
      return looks;
    },
    window: async (key, { systems, inMinutes, minutes }) => {
      const begins = (await time.now()) + inMinutes * 60 * SECOND;
      const local = (at: number): string => new Date(at).toISOString().slice(0, 19);
      const series = { start: local(begins), end: local(begins + minutes * 60 * SECOND), timeZone: "UTC" };
      await createWindow(context, { key, title: key, series, scope: { systems: [...systems] }, owner: "erp-team", reason: "patches" });
    },
    incidents: async () => [
      ...(await sql<BenchIncident[]>`
        select i.id::integer, i.state, i.severity, i.root_node as root, i.told_at is not null as told, i.owner_team as "ownerTeam", i.merged_into::integer as "mergedInto",
          array(select a.resource_name from alert_standing as t join alert as a on a.id = t.alert_id where t.incident_id = i.id order by a.id) as alerts
        from incident as i order by i.id`),
    ],
    reasons: async () =>
      (
        await sql<{ text: string }[]>`
        select a.resource_name || ' ' || r.kind || ' ' || r.rule || ' ' || r.path as text from alert_reason as r join alert as a on a.id = r.alert_id
        where r.ended_at is null order by a.id, r.id`
      ).map(({ text }) => text),
    close: () => dispatch.close(),
  };
}
