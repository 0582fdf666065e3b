import {
  endpointSchema,
  formatDuration,
  integrationSchema,
  type HolidayCalendars,
  jobSchema,
  scheduleTextOf,
  systemSchema,
  windowEntryOf,
  type IntegrationEntry,
  type JobEntry,
  type SettledSecret,
  type SettledTeam,
  type SettledWorkspace,
  type WindowEntry,
  type ZoneData,
} from "@quiesce/core";
import { and, asc, eq, inArray, isNull, notInArray } from "drizzle-orm";
import { loadDeclaredCalendars } from "../../calendars/declared-calendars.js";
import { calendarImportEvent } from "../../calendars/table.js";
import type { SealedSecret } from "../../credentials/sealed-secret.js";
import type { Tx } from "../../db/client.js";
import { mailUrl } from "../../notifications/destination.js";
import { team, teamWebhook, webhookSecretAddress } from "../../notifications/table.js";
import { loadApprovalPolicies, loadHolidayCalendars } from "../../windows/planning-store.js";
import { maintenanceWindow } from "../../windows/table.js";
import { loadMonitors } from "./save-monitors.js";
import { loadSampleRetention } from "./save-sample-retention.js";
import {
  endpoint,
  endpointSecret,
  integration,
  integrationSystem,
  job,
  system,
  systemDependency,
  type EndpointRow,
  type IntegrationRow,
  type JobRow,
} from "../table.js";

/** A secret as it is stored. */
export interface StoredSecret extends SettledSecret {
  readonly sealed: SealedSecret;
}

/** Everything of the catalogue and the windows, in normal form; and the ids behind the keys. */
export interface LoadedWorkspace {
  readonly workspace: SettledWorkspace;
  /** By the endpoint and the name of their addresses. */
  readonly secrets: ReadonlyMap<string, ReadonlyMap<string, StoredSecret>>;
}

/** Reads the whole workspace as of now. Call it under the catalogue lock when something will be written. */
export async function loadWorkspace(tx: Tx, zones: ZoneData): Promise<LoadedWorkspace> {
  const systems = await tx.select().from(system).orderBy(asc(system.key));
  const endpoints = await tx.select().from(endpoint).orderBy(asc(endpoint.key));
  const integrations = await tx.select().from(integration).orderBy(asc(integration.key));
  const systemKeys = new Map(systems.map((row) => [row.id, row.key]));
  const endpointKeys = new Map(endpoints.map((row) => [row.id, row.key]));
  const integrationKeys = new Map(integrations.map((row) => [row.id, row.key]));
  const monitors = await loadMonitors(tx);
  const dependsOn = groupBy(await tx.select().from(systemDependency), (row) => row.systemId);
  const endpointSecrets = await loadSecrets(tx, endpointKeys);
  const teams = await loadTeams(tx, endpointKeys);
  const calendars = await loadDeclaredCalendars(tx);
  const via = groupBy(
    (await tx.select().from(integrationSystem)).filter((row) => row.role === "via"),
    (row) => row.integrationId,
  );
  const holidayCalendars = await loadHolidayCalendars(tx);
  const workspace: SettledWorkspace = {
    quiesce: 1,
    systems: systems.map(({ resumeSpacingMs, id, createdAt: _created, updatedAt: _updated, ...row }) =>
      systemSchema.parse({
        ...row,
        resumeSpacing: formatDuration(resumeSpacingMs),
        dependsOn: (dependsOn.get(id) ?? []).map((edge) => ({ system: keyOf(systemKeys, edge.dependsOnId), strength: edge.strength })),
        monitoredBy: monitors.get(id) ?? [],
      }),
    ),
    endpoints: endpoints.map((row) => endpointEntry(row, systemKeys, endpointSecrets.get(row.key))),
    integrations: integrations.map((row) =>
      integrationEntry(
        row,
        endpointKeys,
        (via.get(row.id) ?? []).map((route) => keyOf(systemKeys, route.systemId)),
      ),
    ),
    jobs: (await tx.select().from(job).orderBy(asc(job.key))).map((row) => jobEntry(row, integrationKeys)),
    holidayCalendars,
    calendars: calendars.entries,
    approvals: await loadApprovalPolicies(tx),
    teams: teams.entries,
    sampleRetention: await loadSampleRetention(tx),
    windows: await loadWindows(tx, { zones, calendars: new Map(holidayCalendars.map((one) => [one.key, one.dates])) }),
  };
  return { workspace, secrets: new Map([...endpointSecrets, ...teams.secrets, ...calendars.secrets]) };
}

async function loadTeams(
  tx: Tx,
  endpointKeys: ReadonlyMap<number, string>,
): Promise<{ readonly entries: readonly SettledTeam[]; readonly secrets: LoadedWorkspace["secrets"] }> {
  const hooks = groupBy(await tx.select().from(teamWebhook).orderBy(asc(teamWebhook.url)), (row) => row.teamId);
  const secrets = new Map<string, ReadonlyMap<string, StoredSecret>>();
  const entries = (await tx.select().from(team).orderBy(asc(team.key))).map(({ id, key, title }): SettledTeam => {
    const rows = hooks.get(id) ?? [];
    const own = rows.flatMap(({ sealed, source, fingerprint, ...hook }) =>
      sealed === null || source === null || fingerprint === null ? [] : [{ ...hook, sealed, source, fingerprint }],
    );
    for (const { url, source, fingerprint, sealed } of own) {
      const address = webhookSecretAddress(key, url);
      secrets.set(address.endpoint, new Map([...(secrets.get(address.endpoint) ?? []), [url, { source, fingerprint, sealed }]]));
    }
    const webhooks = own.map(({ url, events, observe, source, fingerprint }) => ({
      url,
      events,
      observe,
      secret: { source, fingerprint },
    }));
    const mails = rows.flatMap(({ url, endpointId, stream, events, observe }) =>
      endpointId === null || stream === null
        ? []
        : [{ to: url.slice(mailUrl("").length), endpoint: keyOf(endpointKeys, endpointId), stream, events, observe }],
    );
    return {
      key,
      title,
      webhooks: webhooks.toSorted((a, b) => (a.url < b.url ? -1 : 1)),
      mails: mails.toSorted((a, b) => (a.to < b.to ? -1 : 1)),
    };
  });
  return { entries, secrets };
}

async function loadSecrets(
  tx: Tx,
  endpointKeys: ReadonlyMap<number, string>,
): Promise<ReadonlyMap<string, ReadonlyMap<string, StoredSecret>>> {
  const rows = groupBy(await tx.select().from(endpointSecret).orderBy(asc(endpointSecret.name)), (row) => row.endpointId);
  return new Map(
    [...rows].map(([id, list]) => [
      keyOf(endpointKeys, id),
      new Map(list.map((row) => [row.name, { source: row.source, fingerprint: row.fingerprint, sealed: row.sealed }])),
    ]),
  );
}

function endpointEntry(row: EndpointRow, systemKeys: ReadonlyMap<number, string>, secrets: ReadonlyMap<string, StoredSecret> | undefined) {
  const entry = endpointSchema.parse({
    key: row.key,
    name: row.name,
    system: keyOf(systemKeys, row.systemId),
    connector: row.connector,
    config: row.config,
    allowPrivate: row.allowPrivate,
    rotation: row.rotation,
    checkEvery: row.checkEveryMs === null ? null : formatDuration(row.checkEveryMs),
  });
  const settled = [...(secrets ?? [])].map(([name, { source, fingerprint }]) => [name, { source, fingerprint }] as const);
  return { ...entry, secrets: Object.fromEntries(settled) };
}

function integrationEntry(row: IntegrationRow, endpointKeys: ReadonlyMap<number, string>, via: readonly string[]) {
  const { id: _id, bucket: _bucket, createdAt: _created, updatedAt: _updated, sourceEndpointId, targetEndpointId, ...rest } = row;
  return integrationSchema.parse({
    ...rest,
    source: sourceEndpointId === null ? null : keyOf(endpointKeys, sourceEndpointId),
    target: targetEndpointId === null ? null : keyOf(endpointKeys, targetEndpointId),
    via,
  });
}

/** The definition of one integration, in normal form; undefined if there is none. */
export async function loadIntegration(tx: Tx, key: string): Promise<IntegrationEntry | undefined> {
  const [row] = await tx.select().from(integration).where(eq(integration.key, key));
  if (row === undefined) return undefined;
  const ends = [row.sourceEndpointId, row.targetEndpointId].filter((id) => id !== null);
  const endpoints = await tx.select({ id: endpoint.id, key: endpoint.key }).from(endpoint).where(inArray(endpoint.id, ends));
  const via = await tx
    .select({ key: system.key })
    .from(integrationSystem)
    .innerJoin(system, eq(system.id, integrationSystem.systemId))
    .where(and(eq(integrationSystem.integrationId, row.id), eq(integrationSystem.role, "via")));
  return integrationEntry(
    row,
    new Map(endpoints.map((one) => [one.id, one.key])),
    via.map((one) => one.key),
  );
}

function seconds(value: number): string {
  return formatDuration(value * 1_000);
}

function jobEntry(row: JobRow, integrationKeys: ReadonlyMap<number, string>): JobEntry {
  return jobSchema.parse({
    key: row.key,
    name: row.name,
    integration: keyOf(integrationKeys, row.integrationId),
    schedule: row.schedule === null ? null : scheduleTextOf(row.schedule),
    enabled: row.enabled,
    catchUp: row.catchUp,
    catchUpMaxAge: row.catchUpMaxAgeSeconds === null ? null : seconds(row.catchUpMaxAgeSeconds),
    timeout: seconds(row.timeoutSeconds),
    retry: {
      attempts: row.retry.maxAttempts,
      backoff: seconds(row.retry.backoffSeconds),
      maxBackoff: seconds(row.retry.maxBackoffSeconds),
    },
    continuous: row.continuous,
    push: row.push,
    reconcile: row.reconcile,
  });
}

/** A cancelled window is history, one of an imported calendar follows that calendar: neither is exported nor compared. */
async function loadWindows(tx: Tx, facts: { readonly zones: ZoneData; readonly calendars: HolidayCalendars }): Promise<WindowEntry[]> {
  const imported = tx.select({ id: calendarImportEvent.windowId }).from(calendarImportEvent);
  const rows = await tx
    .select()
    .from(maintenanceWindow)
    .where(and(isNull(maintenanceWindow.cancelledAt), notInArray(maintenanceWindow.id, imported)))
    .orderBy(asc(maintenanceWindow.key));
  return rows.map((row) =>
    windowEntryOf(
      {
        key: row.key,
        title: row.title,
        kind: row.kind,
        mode: row.mode,
        series: row.series,
        scope: row.scope,
        drain: row.drain,
        resume: row.resume,
        owner: row.owner,
        reason: row.reason,
      },
      facts,
    ),
  );
}

function keyOf(keys: ReadonlyMap<number, string>, id: number): string {
  const key = keys.get(id);
  // Foreign keys make this impossible within one snapshot; without the catalogue lock another command may commit between two statements.
  if (key === undefined) throw new Error(`The catalogue has no row ${id} that another row refers to; it was changed while it was read.`);
  return key;
}

function groupBy<T>(rows: readonly T[], by: (row: T) => number): ReadonlyMap<number, readonly T[]> {
  const groups = new Map<number, T[]>();
  for (const row of rows) {
    const group = groups.get(by(row));
    if (group === undefined) groups.set(by(row), [row]);
    else group.push(row);
  }
  return groups;
}
