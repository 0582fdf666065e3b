import { randomBytes } from "node:crypto";
import { packagedZoneData, type StreamEntry } from "@quiesce/core";
import type { Connector } from "@quiesce/sdk";
import pino from "pino";
import { type CommandContext } from "../../packages/server/src/command.js";
import { type ConnectorHost, createConnectorHost } from "../../packages/server/src/connector-host/connector-host.js";
import type { PackageOptions } from "../../packages/server/src/connector-host/connector-registry.js";
import { type KeyRing, masterKeyOf } from "../../packages/server/src/credentials/master-key.js";
import { seal } from "../../packages/server/src/credentials/sealed-secret.js";
import { type Database, openDatabase } from "../../packages/server/src/db/client.js";
import { openPageDatabase } from "../../packages/server/src/pipeline/open-page-database.js";
import { createPipelineExecutor } from "../../packages/server/src/pipeline/pipeline-executor.js";
import { promoteTrial } from "../../packages/server/src/pipeline/trial-commands.js";
import { claimRuns } from "../../packages/server/src/runs/claim.js";
import { runNow } from "../../packages/server/src/runs/commands.js";
import { finishRuns, type RunOutcome } from "../../packages/server/src/runs/finish.js";
import { registerWorker } from "../../packages/server/src/runs/worker-lease.js";
import type { RunToExecute } from "../../packages/server/src/scheduler/run-executor.js";
import { expandWindows } from "../../packages/server/src/windows/expand.js";
import { freshDatabase } from "../database/fresh-database.js";
import { seedCatalogue } from "../database/seed-catalogue.js";

const STATEMENT_TIMEOUT_MS = 30_000;
const retry = { maxAttempts: 3, backoffSeconds: 0, maxBackoffSeconds: 0 };

/** One endpoint of the bench's only integration. */
export interface BenchEndpoint {
  readonly connector: Connector;
  readonly config?: object;
  readonly secrets?: { readonly [name: string]: string };
}

/** A real database with one integration "orders" and one job, run step by step through the real claim, executor and finish. */
export interface PipelineBench {
  readonly url: string;
  readonly database: Database;
  readonly host: ConnectorHost;
  /** What seals the secrets of its endpoints. */
  readonly keys: KeyRing;
  readonly context: CommandContext;
  /** Everything the server has logged, as text. */
  readonly logged: () => string;
  /** Claims the waiting run of the job; a new one is requested if none waits. */
  claim(): Promise<RunToExecute>;
  /** Executes a claimed run without ending it, as a process that dies would leave it. */
  execute(run: RunToExecute, signal?: AbortSignal): Promise<RunOutcome>;
  /** Claims, executes and ends. */
  attempt(signal?: AbortSignal): Promise<RunOutcome>;
  /** Takes a claimed run away, as the reaper does after a lost lease. */
  takeAway(run: RunToExecute): Promise<void>;
  letters(): Promise<
    readonly {
      readonly status: string;
      readonly key: string;
      readonly error: { readonly kind: string; readonly message: string };
      readonly text: string;
    }[]
  >;
  cursor(): Promise<unknown>;
  figures(run: RunToExecute): Promise<unknown>;
  close(): Promise<void>;
}

export async function pipelineBench(options: {
  readonly source: BenchEndpoint;
  readonly target: BenchEndpoint;
  readonly stream?: Partial<StreamEntry>;
  readonly pageSize?: number;
  /** Whether it is noted what becomes of each record; yes when left out. */
  readonly traces?: boolean;
  /** Between the two looks of a comparison; 0 when left out. */
  readonly secondLookAfterMs?: number;
  /** Connectors that are loaded as packages are. */
  readonly packages?: PackageOptions;
}): Promise<PipelineBench> {
  const fresh = await freshDatabase();
  const database = openDatabase(fresh.url, { max: 6, applicationName: "pipeline-test" });
  const keyRing: KeyRing = { current: masterKeyOf(randomBytes(32)), previous: [] };
  const lines: string[] = [];
  const log = pino({ level: "trace" }, { write: (line: string) => void lines.push(line) });
  const context: CommandContext = { database, zones: packagedZoneData(), actor: { kind: "token", name: "tester", role: "admin" } };
  const connectors = [...new Set([options.source.connector, options.target.connector])];
  const host = createConnectorHost({ database, connectors, keyRing, log, packages: options.packages });
  await host.connectors.reload();
  await expandWindows(context);
  await seedCatalogue(database.sql, {
    systems: [{ key: "erp" }],
    integrations: [{ key: "orders", systems: ["erp"] }],
    jobs: [{ key: "orders-sync", integration: "orders" }],
  });
  const sourceId = await seedEndpoint(database, keyRing, "source", options.source);
  const targetId = await seedEndpoint(database, keyRing, "target", options.target);
  const stream = {
    stream: "items",
    target: "items",
    mapping: { fields: { id: { from: "id" }, name: { from: "name", default: null } } },
    deletes: "apply",
    ...options.stream,
  };
  await database.sql`update integration set source_endpoint_id = ${sourceId}, target_endpoint_id = ${targetId}, streams = ${JSON.stringify([stream])}::text::jsonb`;
  const workerId = await registerWorker(database, { name: "bench", leaseMs: 3_600_000 });
  const promote = (trialId: number) => promoteTrial({ database, zones: context.zones, keys: keyRing }, trialId);
  const pages = openPageDatabase(fresh.url, STATEMENT_TIMEOUT_MS);
  const executor = createPipelineExecutor({
    database,
    pages,
    host,
    log,
    promote,
    pageSize: options.pageSize ?? 10,
    secondLookAfterMs: options.secondLookAfterMs ?? 0,
    traces: options.traces ?? true,
  });

  const bench: PipelineBench = {
    url: fresh.url,
    database,
    host,
    keys: keyRing,
    context,
    logged: () => lines.join(""),
    async claim() {
      let waiting = await waitingRuns(database);
      if (waiting.length === 0) {
        await runNow(context, { job: "orders-sync", reason: "test" });
        waiting = await waitingRuns(database);
      }
      const { claimed } = await claimRuns(database.sql, { workerId, runs: waiting, limit: 1 });
      const [run] = claimed;
      if (run === undefined) throw new Error("No run could be claimed.");
      return { ...run, workerId, jobKey: "orders-sync", integrationKey: "orders", timeoutMs: 60_000, retry };
    },
    execute: (run, signal = new AbortController().signal) => executor.execute(run, signal),
    async attempt(signal) {
      const run = await bench.claim();
      const outcome = await bench.execute(run, signal);
      await finishRuns(context, {
        workerId,
        runs: [{ runId: run.runId, dueAt: run.dueAt, attempt: run.attempt, outcome, retry, jitter: 0 }],
      });
      return outcome;
    },
    async takeAway(run) {
      await database.sql`update run set state = 'queued', worker_id = null, ready_at = app_now() where id = ${run.runId}`;
      await database.sql`update job set running_run_id = null`;
    },
    letters: async () =>
      database.sql`select status, record_key as key, error, record::text || error::text as text from dead_letter order by id`,
    async cursor() {
      const rows = await database.sql<{ cursor: unknown }[]>`select cursor from stream_state`;
      return rows[0]?.cursor ?? null;
    },
    async figures(run) {
      const rows = await database.sql<{ figures: unknown }[]>`select figures from run where id = ${run.runId}`;
      return rows[0]?.figures ?? null;
    },
    async close() {
      await host.close();
      await Promise.all([database.close(), pages.close()]);
      await fresh.drop();
    },
  };
  return bench;
}

function waitingRuns(database: Database): Promise<readonly { readonly id: string; readonly dueAt: number }[]> {
  return database.sql<{ id: string; dueAt: number }[]>`select id, due_at as "dueAt" from run where state = 'queued'`;
}

async function seedEndpoint(database: Database, keyRing: KeyRing, key: string, endpoint: BenchEndpoint): Promise<number> {
  const rows = await database.sql<{ id: number }[]>`
    insert into endpoint (key, name, system_id, connector, config)
    select ${key}, ${key}, id, ${endpoint.connector.id}, ${JSON.stringify(endpoint.config ?? {})}::text::jsonb from system returning id`;
  const id = rows[0]?.id;
  if (id === undefined) throw new Error("The endpoint was not written.");
  for (const [name, value] of Object.entries(endpoint.secrets ?? {})) {
    const sealed = JSON.stringify(seal(keyRing, { endpoint: key, name, version: 1 }, value));
    await database.sql`insert into endpoint_secret (endpoint_id, name, sealed, source, fingerprint) values (${id}, ${name}, ${sealed}::text::jsonb, 'inline', 'test')`;
  }
  return id;
}
