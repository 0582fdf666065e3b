import { mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { DomainError, type ZoneData } from "@quiesce/core";
import type { Connector } from "@quiesce/sdk";
import type { Logger } from "pino";
import { loadProvider } from "./access/oidc/load-provider.js";
import { firstSignInLink, signInAddress } from "./access/sign-in-links.js";
import { ensureFirstToken } from "./access/tokens.js";
import { followAudit } from "./audit/follow-audit.js";
import { clock } from "./clock.js";
import type { Config } from "./config.js";
import { followImports } from "./calendars/follow-imports.js";
import { checkSettings, configVersionsOf, describeHealth } from "./connector-host/check-settings.js";
import { type ConnectorHost, createConnectorHost } from "./connector-host/connector-host.js";
import type { PackageOptions } from "./connector-host/connector-registry.js";
import { followChecks } from "./connector-host/checks/follow-checks.js";
import { followConnectorList } from "./connector-host/follow-connector-list.js";
import { followBreakers } from "./connector-host/traffic/follow-breakers.js";
import { connectorHealth } from "./connector-host/connector-health.js";
import { createReadinessProbe } from "./connector-host/readiness-probe.js";
import { followRotations } from "./credentials/follow-rotations.js";
import { type KeyRing, loadKeyRing } from "./credentials/master-key.js";
import { type Database, openDatabase } from "./db/client.js";
import { migrate } from "./db/migrate.js";
import { createLiveBus } from "./events/live-bus.js";
import { createSequencer } from "./events/sequencer.js";
import { createPersistedDocuments, loadPersistedDocuments, type PersistedDocuments } from "./graphql/persisted-documents.js";
import { createHttpServer } from "./http/create-http-server.js";
import { followKpis } from "./kpis/follow-kpis.js";
import { followObjectives } from "./kpis/follow-objectives.js";
import { createLog } from "./log.js";
import { followOutbox } from "./notifications/follow-outbox.js";
import { openPageDatabase } from "./pipeline/open-page-database.js";
import { createPipelineExecutor } from "./pipeline/pipeline-executor.js";
import { promoteTrial } from "./pipeline/trial-commands.js";
import type { LeaseSettings } from "./runs/worker-lease.js";
import { Scheduler } from "./scheduler/scheduler.js";
import { schedulerHealth } from "./scheduler/scheduler-health.js";
import { followMonitors } from "./windows/announcements/follow-monitors.js";
import { followDeliveries } from "./webhooks/work-through.js";
import { version } from "./version.js";
import { loadZoneData } from "./zone-data/load-zone-data.js";
import { ensureZoneData, followZoneData } from "./zone-data/zone-data-in-force.js";

/** Connections for commands, queries and claims. */
const maxConnections = 20;
const statementTimeoutMs = 30_000;

/**
 * A stop has one budget, shared out here: after the grace of the runs in flight 1.2 seconds. With the default grace of three that leaves
 * the embedded PostgreSQL time to end within the five seconds that are promised. The parts of a stage stop at the same time, and a stage
 * is what the one before it works with; what does not end in its time is left behind.
 */
const stopStages = [
  { name: "work", hasGrace: true, limitMs: 700 },
  { name: "feeds", hasGrace: false, limitMs: 300 },
  { name: "database", hasGrace: false, limitMs: 200 },
] as const;

/** Something that was started, and how it stops within a time. */
interface Part {
  readonly stage: (typeof stopStages)[number]["name"];
  readonly stop: (limitMs: number) => Promise<void>;
}

/** What the parts know of the whole. */
interface Phase {
  /** False until everything has started, and again from the first moment of the stop. */
  isReady: boolean;
}

export interface AppOptions {
  readonly config: Config;
  /** The database to use, whoever started it. */
  readonly databaseUrl: string;
  /** The connectors that come with the server. */
  readonly connectors: readonly Connector[];
  /** How packages of the list are loaded; for tests. */
  readonly packages?: Omit<PackageOptions, "list"> | undefined;
  readonly log?: Logger;
}

/** One server, in this process. */
export interface App {
  /** Where it answers, such as http://127.0.0.1:4000; empty without the role api. */
  readonly url: string;
  /** The first admin token, on a database that never had one; shown this once. */
  readonly firstToken: string | null;
  /** A link that signs a browser in as the local admin, once, on such a database. */
  readonly signInLink: string | null;
  readonly database: Database;
  /** null without the role dispatcher. */
  readonly scheduler: Scheduler | null;
  /** Ends within the grace of runs in flight and 1.2 seconds, whatever hangs. Safe to call twice. */
  stop(): Promise<void>;
}

/** Starts a server on a database: migrates, numbers events, schedules, serves. Tests run the real thing with it. */
export async function createApp(options: AppOptions): Promise<App> {
  const log = options.log ?? createLog(options.config);
  const parts: Part[] = [];
  const phase: Phase = { isReady: false };
  let stopping: Promise<void> | null = null;
  const stop = (): Promise<void> => {
    phase.isReady = false;
    stopping ??= stopParts(parts, { graceMs: options.config.stopGraceSeconds * 1_000, log });
    return stopping;
  };
  try {
    const started = await startParts(options, { log, parts, phase });
    phase.isReady = true;
    return { ...started, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startParts(
  options: AppOptions,
  whole: { readonly log: Logger; readonly parts: Part[]; readonly phase: Phase },
): Promise<Omit<App, "stop">> {
  const { config, databaseUrl } = options;
  const { log, parts, phase } = whole;
  const { applied } = await migrate(databaseUrl, { log: (line) => log.debug(line) });
  if (applied.length > 0) log.info({ migrations: applied.length }, "The database has this version's schema now.");
  const database = openDatabase(databaseUrl, { max: maxConnections, applicationName: "quiesce", statementTimeoutMs });
  parts.push({ stage: "database", stop: (limitMs) => database.sql.end({ timeout: limitMs / 1_000 }) });
  const pages = openPageDatabase(databaseUrl, statementTimeoutMs);
  parts.push({ stage: "database", stop: (limitMs) => pages.sql.end({ timeout: limitMs / 1_000 }) });
  const zones = await ensureZoneData(
    database,
    await loadZoneData({ folder: config.zoneDataDir, systemFolder: config.systemZoneDataDir, log }),
    log,
  );
  parts.push({ stage: "feeds", stop: followZoneData(zones, { log }) });
  const keys = await loadKeys(config);
  const host = createConnectorHost({
    database,
    connectors: options.connectors,
    packages: { ...options.packages, list: config.connectorList },
    keyRing: keys,
    log,
    privateHosts: config.privateHosts,
  });
  parts.push({ stage: "feeds", stop: () => host.close() });
  await host.connectors.reload();
  const sequencer = createSequencer(database, log);
  sequencer.start();
  parts.push({ stage: "feeds", stop: () => sequencer.stop() });
  const bus = createLiveBus(database, log);
  await bus.start();
  parts.push({ stage: "feeds", stop: () => bus.stop() });
  const scheduler = config.roles.includes("dispatcher")
    ? await startScheduler({ config, databaseUrl, database, pages, zones, keys, host, log })
    : null;
  if (scheduler !== null) parts.push({ stage: "work", stop: () => scheduler.stop(config.stopGraceSeconds * 1_000) });
  const afterWrite = (): void => {
    sequencer.poke();
    // What a command changed should show at once, not at the next tick.
    if (phase.isReady) void scheduler?.pass("windows.reconcile");
  };
  if (scheduler !== null) {
    const follow = followImports({ database, zones, keys, privateHosts: config.privateHosts, log }, { afterWrite });
    parts.push({ stage: "work", stop: follow });
    parts.push({
      stage: "work",
      stop: followOutbox(
        { database, keys, notices: host.notices, log, random: Math.random, privateHosts: config.privateHosts },
        { afterWrite },
      ),
    });
  }
  if (scheduler !== null)
    parts.push({ stage: "work", stop: followDeliveries({ database, zones, webhooks: host.webhooks, log }, { afterWrite }) });
  if (scheduler !== null)
    parts.push({ stage: "work", stop: followRotations({ database, zones, keys, calls: host.rotation, log }, { afterWrite }) });
  if (scheduler !== null) parts.push({ stage: "work", stop: followKpis({ database, log }) });
  if (scheduler !== null) parts.push({ stage: "work", stop: followObjectives({ database, zones, log }, { afterWrite }) });
  if (scheduler !== null) parts.push({ stage: "work", stop: followMonitors({ database, calls: host.downtime, log }, { afterWrite }) });
  if (scheduler !== null) {
    const heads = { headFile: config.auditHeadFile, headEveryMs: config.auditHeadMinutes * 60_000 };
    parts.push({ stage: "work", stop: followAudit({ database, keys, log }, { ...heads, afterWrite }) });
  }
  const { path } = config.connectorList;
  parts.push({ stage: "work", stop: followConnectorList({ database, connectors: host.connectors, log }, { path, afterWrite }) });
  if (scheduler !== null) parts.push({ stage: "work", stop: followBreakers({ database, host, log }, { afterWrite }) });
  if (scheduler !== null) parts.push({ stage: "work", stop: followChecks({ database, host, log }, { afterWrite }) });
  const { oidc } = config.signIn;
  const identityProvider = oidc === null ? null : await loadProvider(oidc, { log, privateHosts: config.privateHosts });
  if (identityProvider !== null) parts.push({ stage: "feeds", stop: () => identityProvider.close() });
  const http = createHttpServer({
    database,
    zones,
    bus,
    log,
    version,
    corsOrigins: config.corsOrigins,
    publicUrl: config.signIn.publicUrl,
    sessions: config.signIn.sessions,
    identityProvider,
    trustedProxies: config.trustedProxies,
    graphiql: config.graphiql,
    limits: config.limits,
    documents: await documentsOf(config),
    catalogue: {
      keys,
      checkEndpoint: checkSettings(host.connectors),
      configVersionOf: configVersionsOf(host.connectors),
      notices: host.notices,
      privateHosts: config.privateHosts,
    },
    checkEndpoint: (key) => describeHealth(host, key),
    connectors: host.connectors,
    rotation: host.rotation,
    webhooks: host.webhooks,
    zoneDataFolders: { folder: config.zoneDataDir, systemFolder: config.systemZoneDataDir },
    healthChecks: async () => [...(await schedulerHealth(database)), ...(await connectorHealth(database.db, host.connectors))],
    isReady: () => phase.isReady,
    sampleRetentionDays: config.sampleRetentionDays,
    afterWrite,
  });
  parts.push({ stage: "work", stop: (limitMs) => http.stop(limitMs) });
  const serves = config.roles.includes("api");
  if (serves) await http.start(config.port, config.host).catch((error: unknown) => Promise.reject(listenError(error, config)));
  // Last: a token that is made by a start that then fails would be shown to nobody, and never made again.
  const firstToken = await ensureFirstToken(database);
  const url = serves ? http.url : "";
  const link = firstToken === null || !serves ? null : await firstSignInLink(database);
  const signInLink = link === null ? null : signInAddress(config.signIn.publicUrl ?? url, link.secret);
  return { url, firstToken: firstToken?.secret ?? null, signInLink, database, scheduler };
}

/** Another program on the port is the commonest trouble of a first start: it deserves words. */
function listenError(error: unknown, config: Config): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const where = `port ${config.port} of ${config.host}`;
  if (code === "EADDRINUSE")
    return new DomainError(
      "QSC_CONFIG_PORT",
      `Another program listens on ${where}. Stop it, or choose another port, as in: PORT=4800 npm start`,
      { field: "PORT" },
    );
  if (code === "EACCES")
    return new DomainError("QSC_CONFIG_PORT", `This user may not listen on ${where}. Choose a port above 1023 with PORT.`, {
      field: "PORT",
    });
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND")
    return new DomainError(
      "QSC_CONFIG_PORT",
      `${config.host} is no address of this machine. Correct HOST: 127.0.0.1 for this machine alone, 0.0.0.0 for every network.`,
      { field: "HOST" },
    );
  return error;
}

/** Stage by stage, each within its time; a part that fails or hangs does not keep the others. */
async function stopParts(parts: readonly Part[], options: { readonly graceMs: number; readonly log: Logger }): Promise<void> {
  const { graceMs, log } = options;
  for (const { name, hasGrace, limitMs } of stopStages) {
    const stageLimitMs = limitMs + (hasGrace ? graceMs : 0);
    const beganAtMs = clock.monotonicMs();
    const stopped = parts
      .filter(({ stage }) => stage === name)
      .map((part) =>
        part.stop(stageLimitMs).catch((error: unknown) => log.warn({ err: error }, "A part of the server did not stop cleanly.")),
      );
    if (!(await settlesWithin(Promise.all(stopped), stageLimitMs)))
      log.warn({ stage: name, limitMs: stageLimitMs }, "A part of the server did not stop in its time and is left behind.");
    log.debug({ stage: name, tookMs: Math.round(clock.monotonicMs() - beganAtMs) }, "A stage of the stop is over.");
  }
}

async function settlesWithin(work: Promise<unknown>, limitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function documentsOf({ persistedDocuments: file, persistedDocumentsOnly: only }: Config): Promise<PersistedDocuments> {
  const documents = file === undefined ? new Map<string, string>() : await loadPersistedDocuments(file);
  // Whoever locks the API down must still be able to run the deployment.
  const alsoAllowed = only ? (await import("./cli/operations/all-documents.js")).allDocuments() : [];
  return createPersistedDocuments({ documents, only, alsoAllowed });
}

async function loadKeys(config: Config): Promise<KeyRing> {
  if (config.masterKey === undefined) await mkdir(config.dataDir, { recursive: true });
  return loadKeyRing({ keyFile: join(config.dataDir, "master-key"), value: config.masterKey, others: config.otherMasterKeys });
}

async function startScheduler(parts: {
  readonly config: Config;
  readonly databaseUrl: string;
  readonly database: Database;
  readonly pages: Database;
  readonly zones: ZoneData;
  readonly keys: KeyRing;
  readonly host: ConnectorHost;
  readonly log: Logger;
}): Promise<Scheduler> {
  const { config, database, pages, zones, keys, host, log } = parts;
  const scheduler = new Scheduler({
    ...parts,
    executor: createPipelineExecutor({
      database,
      pages,
      host,
      log,
      traces: config.traceDays > 0,
      promote: (trialId) => promoteTrial({ database, zones, keys }, trialId),
    }),
    probe: createReadinessProbe(host, log),
    workerName: `${hostname()}/${process.pid}`,
    maxConcurrentRuns: config.maxConcurrentRuns,
    lease: leaseOf(config.leaseSeconds),
    retention: { run: config.runRetentionDays, event_log: config.eventRetentionDays, kpi_sample: config.sampleRetentionDays },
    traceDays: config.traceDays,
    random: Math.random,
  });
  await scheduler.start();
  return scheduler;
}

/** A worker gives up a third of the lease before its end and the reaper waits a third longer, so the two never overlap. */
function leaseOf(leaseSeconds: number): LeaseSettings {
  const leaseMs = leaseSeconds * 1_000;
  return { leaseMs, marginMs: Math.round(leaseMs / 3), renewEveryMs: Math.round(leaseMs / 6) };
}
