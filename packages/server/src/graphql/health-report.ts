import { clock } from "../clock.js";
import type { Database } from "../db/client.js";
import { readLagMs } from "../events/event-log.js";
import type { ApiServices, CheckStatus, HealthCheck } from "./request-context.js";

/** How the server is, from what it looked at. */
export interface HealthReport {
  readonly status: CheckStatus;
  readonly version: string;
  readonly checks: readonly HealthCheck[];
  /** Nothing that fails keeps this server from answering requests. */
  readonly serves: boolean;
}

/** A database that answers slower than this is worth a warning. */
const SLOW_DATABASE_MS = 500;
/** Events wait for their numbers at most this long while a sequencer leads. */
const EVENT_LAG_WARN_MS = 5_000;
/** Strangers may ask as often as they like: everybody who asks within this time gets the same report, and the database is asked once. */
const SHARED_FOR_MS = 1_000;

interface SharedReport {
  readonly report: Promise<HealthReport>;
  /** Monotonic; infinite while the report is being made. */
  goodUntilMs: number;
}

const shared = new WeakMap<Database, SharedReport>();

/** Looks at the database and the event log, and asks the rest of the server; at most a second old. */
export function healthReport(services: ApiServices): Promise<HealthReport> {
  const known = shared.get(services.database);
  if (known !== undefined && clock.monotonicMs() < known.goodUntilMs) return known.report;
  const made: SharedReport = { report: makeReport(services), goodUntilMs: Number.POSITIVE_INFINITY };
  shared.set(services.database, made);
  const age = (): void => {
    made.goodUntilMs = clock.monotonicMs() + SHARED_FOR_MS;
  };
  made.report.then(age, age);
  return made.report;
}

async function makeReport(services: ApiServices): Promise<HealthReport> {
  const own = await databaseChecks(services);
  // Without a database the others can only say the same, each after its own wait.
  const reached = own.every(({ status }) => status !== "fail");
  const checks = [...own, ...(reached ? await otherChecks(services) : [])];
  const worst = checks.some(({ status }) => status === "fail") ? "fail" : checks.some(({ status }) => status === "warn") ? "warn" : "pass";
  const serves = checks.every((check) => check.status !== "fail" || check.servesAllTheSame === true);
  return { status: worst, version: services.version, checks, serves };
}

async function otherChecks({ healthChecks, log }: ApiServices): Promise<readonly HealthCheck[]> {
  try {
    return (await healthChecks?.()) ?? [];
  } catch (error) {
    log.warn({ err: error }, "the health check could not look at the scheduling");
    return [{ name: "scheduler", status: "fail", detail: "What is scheduled could not be read; the server's log has the reason." }];
  }
}

async function databaseChecks({ database, log }: ApiServices): Promise<readonly HealthCheck[]> {
  const startedAt = clock.monotonicMs();
  try {
    const lagMs = Math.round(await readLagMs(database.sql));
    const tookMs = Math.round(clock.monotonicMs() - startedAt);
    return [
      { name: "database", status: tookMs > SLOW_DATABASE_MS ? "warn" : "pass", observed: { tookMs } },
      lagMs > EVENT_LAG_WARN_MS
        ? { name: "live-events", status: "warn", detail: "Events wait for their numbers: is a sequencer running?", observed: { lagMs } }
        : { name: "live-events", status: "pass", observed: { lagMs } },
    ];
  } catch (error) {
    log.warn({ err: error }, "the health check could not reach the database");
    return [{ name: "database", status: "fail", detail: "The database does not answer." }];
  }
}
