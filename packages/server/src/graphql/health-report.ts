import { clock } from "../clock.js";
import type { ApiServices, CheckStatus, HealthCheck } from "./request-context.js";

/** How the server is, from what it looked at. */
export interface HealthReport {
  readonly status: CheckStatus;
  readonly version: string;
  readonly checks: readonly HealthCheck[];
}

/** A database that answers slower than this is worth a warning. */
const SLOW_DATABASE_MS = 500;
/** Events wait for their numbers at most this long while a sequencer leads. */
const EVENT_LAG_WARN_MS = 5_000;

/** Looks at the database, the event log and the windows' expansion, and asks the rest of the server. */
export async function healthReport(services: ApiServices): Promise<HealthReport> {
  const checks = [...(await databaseChecks(services)), ...(await (services.healthChecks?.() ?? []))];
  const worst = checks.some(({ status }) => status === "fail") ? "fail" : checks.some(({ status }) => status === "warn") ? "warn" : "pass";
  return { status: worst, version: services.version, checks };
}

async function databaseChecks({ database, log }: ApiServices): Promise<readonly HealthCheck[]> {
  const startedAt = clock.monotonicMs();
  try {
    const [row] = await database.sql<{ stale: boolean; lagMs: number }[]>`
      select c.expanded_until <= app_now() and c.expansion_override_until <= app_now() as stale,
        coalesce((select extract(epoch from app_now() - min(at)) * 1000 from event_inbox), 0)::float8 as "lagMs"
      from control as c`;
    const tookMs = Math.round(clock.monotonicMs() - startedAt);
    const lagMs = Math.round(row?.lagMs ?? 0);
    return [
      { name: "database", status: tookMs > SLOW_DATABASE_MS ? "warn" : "pass", observed: { tookMs } },
      lagMs > EVENT_LAG_WARN_MS
        ? { name: "live-events", status: "warn", detail: "Events wait for their numbers: is a sequencer running?", observed: { lagMs } }
        : { name: "live-events", status: "pass", observed: { lagMs } },
      row?.stale === true
        ? {
            name: "windows",
            status: "fail",
            detail: "Windows are not computed past now, so nothing is dispatched. Is a dispatcher running?",
          }
        : { name: "windows", status: "pass" },
    ];
  } catch (error) {
    log.warn({ err: error }, "the health check could not reach the database");
    return [{ name: "database", status: "fail", detail: "The database does not answer." }];
  }
}
