import { randomBytes } from "node:crypto";
import { packagedZoneData, type WindowInput } from "@quiesce/core";
import { ConnectorError, defineConnector, type Health, z } from "@quiesce/sdk";
import { pino } from "pino";
import { loadMasterKey } from "../../packages/server/src/credentials/master-key.js";
import type { CommandContext } from "../../packages/server/src/command.js";
import { createConnectorHost } from "../../packages/server/src/connector-host/connector-host.js";
import { createReadinessProbe } from "../../packages/server/src/connector-host/readiness-probe.js";
import { openDatabase } from "../../packages/server/src/db/client.js";
import { claimRuns, type ClaimedRun, peekDue } from "../../packages/server/src/runs/claim.js";
import { finishRuns } from "../../packages/server/src/runs/finish.js";
import { materialiseRuns } from "../../packages/server/src/runs/materialise.js";
import { sweepReleased } from "../../packages/server/src/runs/sweep-released.js";
import { registerWorker } from "../../packages/server/src/runs/worker-lease.js";
import { advanceWindows } from "../../packages/server/src/windows/advance.js";
import { checkReadiness } from "../../packages/server/src/windows/check-readiness.js";
import { createWindow } from "../../packages/server/src/windows/commands.js";
import { expandWindows } from "../../packages/server/src/windows/expand.js";
import { controlTime } from "../database/control-time.js";
import { freshDatabase } from "../database/fresh-database.js";
import { seedCatalogue } from "../database/seed-catalogue.js";

export type ResumeBench = Awaited<ReturnType<typeof resumeBench>>;

/** A failure that no retry mends. */
const refused = { kind: "invalid", rule: { retry: false, holdsIntegration: false }, retryAfterMs: null, ambiguous: false } as const;

/** Whole duties of a server over a controlled clock, with systems whose answers to a check the test decides. */
export async function resumeBench(options: { readonly start: number; readonly catalogue: Parameters<typeof seedCatalogue>[1] }) {
  const fresh = await freshDatabase();
  const database = openDatabase(fresh.url, { max: 6, applicationName: "resume-bench" });
  const time = await controlTime(database.sql);
  await time.set(options.start);
  const context: CommandContext = { database, zones: packagedZoneData(), actor: { kind: "token", name: "ada", role: "operator" } };
  await expandWindows(context);
  const worker = await registerWorker(database, { name: "test", leaseMs: 36_000_000 });
  await seedCatalogue(database.sql, options.catalogue);

  /** What the system behind each endpoint says; "up" when nothing is set. */
  const answers = new Map<string, Health | ConnectorError>();
  const asked: string[] = [];
  const settings = { config: z.object({}), secrets: z.object({}) };
  const common = { apiVersion: 1, version: "1.0.0", stability: "beta", ...settings, egress: () => [] } as const;
  const checking = defineConnector({
    ...common,
    id: "checking",
    displayName: "Checking",
    async check(x) {
      asked.push(x.meta.endpointId);
      const answer = answers.get(x.meta.endpointId) ?? { status: "up" };
      if (answer instanceof ConnectorError) throw answer;
      return answer;
    },
  });
  const silent = defineConnector({ ...common, id: "silent", displayName: "Cannot be checked", streams: async () => [] });
  const log = pino({ enabled: false });
  const keyRing = { current: await loadMasterKey({ keyFile: "unused", value: randomBytes(32).toString("base64") }), previous: [] };
  const host = createConnectorHost({ database, connectors: [checking, silent], keyRing, log });
  const probe = createReadinessProbe(host, log);

  /** What a server does by itself, once. */
  const duties = async (): Promise<void> => {
    await materialiseRuns(context);
    await checkReadiness({ database, probe });
    await advanceWindows(context);
    await sweepReleased(context);
    await advanceWindows(context);
    await sweepReleased(context);
  };
  const claim = async () => {
    const { runs } = await peekDue(database.sql, { withinMs: 0, limit: 500, after: null });
    return (await claimRuns(database.sql, { workerId: worker, runs, limit: 500 })).claimed;
  };
  return {
    database,
    context,
    time,
    probe,
    answers,
    asked,
    duties,
    /** The duties and a claim; answers the keys of the jobs that started, in order. */
    async turn(): Promise<readonly ClaimedRun[]> {
      await duties();
      return claim();
    },
    finish: (runs: readonly ClaimedRun[], kind: "succeeded" | "failed" = "succeeded") =>
      finishRuns(context, {
        workerId: worker,
        runs: runs.map((one) => ({
          runId: one.runId,
          dueAt: one.dueAt,
          attempt: one.attempt,
          retry: { maxAttempts: 1, backoffSeconds: 1, maxBackoffSeconds: 1 },
          jitter: 0,
          outcome:
            kind === "succeeded"
              ? { kind, figures: {} }
              : { kind, figures: {}, failure: refused, error: { kind: "invalid", message: "no" } },
        })),
      }),
    async endpoint(key: string, system: string, connector: "checking" | "silent" = "checking"): Promise<void> {
      await database.sql`insert into endpoint (key, name, system_id, connector) select ${key}, ${key}, id, ${connector} from system where key = ${system}`;
    },
    window: (input: Partial<WindowInput> = {}) =>
      createWindow(context, {
        key: "patch",
        title: "ERP patch",
        series: { start: "2026-03-02T10:00", end: "2026-03-02T10:10", timeZone: "UTC" },
        scope: { systems: ["erp"] },
        owner: "erp-team",
        reason: "patch",
        ...input,
      }),
    events: async (kind: string) =>
      (
        await database.sql<
          { payload: { readonly [name: string]: unknown } }[]
        >`select payload from event_inbox where kind = ${kind} order by id`
      ).map((row) => row.payload),
    states: async () =>
      Object.fromEntries(
        (
          await database.sql<
            { state: string; runs: number }[]
          >`select state, count(*)::integer as runs from run where due_at <= app_now() group by state`
        ).map((row) => [row.state, row.runs]),
      ),
    async close(): Promise<void> {
      await host.close();
      await database.close();
      await fresh.drop();
    },
  };
}
