import { sql } from "drizzle-orm";
import { auditHealth } from "../audit/audit-health.js";
import { findingsHealth } from "../catalog/endpoint-finding-store.js";
import { credentialHealth } from "../credentials/credential-health.js";
import type { Database } from "../db/client.js";
import { deliveryHealth } from "../notifications/delivery-health.js";
import { overrunHealth } from "../windows/overrun-health.js";
import { type ConservationRound, lastConservation } from "../runs/conservation-round.js";
import { readOpenSince } from "../runs/open-since.js";

/** What the scheduling of the whole deployment shows of itself; the same shape as the API's health checks. */
export interface SchedulerCheck {
  readonly name: string;
  readonly status: "pass" | "warn" | "fail";
  readonly detail?: string;
  readonly observed?: unknown;
  /** A failure that wants a person, who must be able to reach this server: it stays behind the balancer. */
  readonly servesAllTheSame?: true;
}

/**
 * A run that may start since this long and is still queued means that nobody dispatches, or not enough. Held runs are not queued; one that waits
 * for a system's cap or for the run before it is, and counts.
 */
const lateAfterMs = 60_000;

/** Differences of the ledger that the health check names. */
const maxNamed = 5;
/** A round of the ledger's check takes minutes; for so long there was none when something is wrong with it. */
const uncheckedAfterMs = 3_600_000;

interface Facts {
  readonly now: number;
  readonly expandedUntil: number;
  readonly overriddenUntil: number;
  readonly clockStep: { readonly byMs: number; readonly server: string } | null;
  readonly clockSteppedAt: number | null;
  readonly stale: boolean;
  readonly overridden: boolean;
  readonly workers: number;
  readonly running: number;
  readonly held: number;
  readonly oldestLateMs: number | null;
}

/** Looks at the facts that dispatch depends on: the expansion, the workers, the age of what waits. */
export async function schedulerHealth(database: Database): Promise<readonly SchedulerCheck[]> {
  const since = await readOpenSince(database.db);
  const rows = await database.db.execute<Facts & { readonly [column: string]: unknown }>(sql`
    select app_now() as now, c.clock_step as "clockStep", c.clock_stepped_at as "clockSteppedAt", c.expanded_until as "expandedUntil", c.expansion_override_until as "overriddenUntil",
      c.expanded_until <= app_now() as stale, c.expansion_override_until > app_now() as overridden,
      (select count(*)::integer from worker where stopped_at is null and lease_until > app_now()) as workers,
      (select count(*)::integer from run where state = 'running' and due_at >= ${since}::timestamptz) as running,
      (select count(*)::integer from run where state = 'held' and due_at >= ${since}::timestamptz) as held,
      (select (extract(epoch from app_now() - min(ready_at)) * 1000)::float8 from run where state = 'queued' and due_at >= ${since}::timestamptz and ready_at <= app_now()) as "oldestLateMs"
    from control as c`);
  const found = rows[0];
  if (found === undefined)
    return [{ name: "scheduler", status: "fail", detail: "The control row is missing: the database is not migrated." }];
  const conserved = ledgerCheck(await lastConservation(database.db), found.now);
  return [
    clockCheck(found),
    expansionCheck(found),
    workersCheck(found),
    latenessCheck(found),
    await overrunHealth(database.db),
    await deliveryHealth(database.db),
    await findingsHealth(database.db),
    await credentialHealth(database.db),
    await auditHealth(database.db),
    conserved,
  ];
}

function ledgerCheck(round: ConservationRound | null, now: number): SchedulerCheck {
  const name = "ledger.conservation";
  if (round === null) return { name, status: "pass", detail: "Not checked yet; the first check ends within minutes." };
  const { difference, expected, accounted } = round;
  const iso = (instant: number) => new Date(instant).toISOString();
  const observed = { checkedAt: iso(round.checkedAt), from: iso(round.from), to: iso(round.to), expected, accounted, difference };
  if (difference > 0) {
    const named = round.differences.slice(0, maxNamed).map((one) => `${one.job} at ${iso(one.dueAt)} (${one.kind})`);
    return {
      name,
      status: "warn",
      detail: `${difference} due times are not accounted for, among them: ${named.join(", ")}. Look at them with quiesce ledger --job, run what is missing by hand, and report it: it is a fault of Quiesce.`,
      observed,
    };
  }
  if (now - round.checkedAt > uncheckedAfterMs)
    return {
      name,
      status: "warn",
      detail: `The due times were checked last at ${iso(round.checkedAt)}. Is a server with the role dispatcher running?`,
      observed,
    };
  return { name, status: "pass", observed };
}

function clockCheck({ clockStep, clockSteppedAt }: Facts): SchedulerCheck {
  const name = "dispatch.clock";
  if (clockStep === null || clockSteppedAt === null) return { name, status: "pass" };
  const seenAt = new Date(clockSteppedAt).toISOString();
  const seconds = (Math.abs(clockStep.byMs) / 1_000).toFixed(1);
  return {
    name,
    status: "fail",
    detail: `The database's clock jumped ${clockStep.byMs < 0 ? "back" : "forward"} by ${seconds} s (seen at ${seenAt}), so nothing is dispatched. Put the time of the database's machine right, then: quiesce clock acknowledge --reason "…"`,
    observed: { ...clockStep, seenAt },
    servesAllTheSame: true,
  };
}

function expansionCheck({ stale, overridden, expandedUntil, overriddenUntil }: Facts): SchedulerCheck {
  const name = "windows.expansion";
  if (!stale) return { name, status: "pass", observed: { expandedUntil: new Date(expandedUntil).toISOString() } };
  const problem = "Windows are not computed past now";
  if (overridden)
    return {
      name,
      status: "warn",
      detail: `${problem}. Runs start all the same, by an operator's order: new windows do not hold. Start a server with the role dispatcher.`,
      observed: { overriddenUntil: new Date(overriddenUntil).toISOString() },
    };
  return {
    name,
    status: "fail",
    detail: `${problem}, so nothing is dispatched. Start a server with the role dispatcher.`,
    servesAllTheSame: true,
  };
}

function workersCheck({ workers, running, held }: Facts): SchedulerCheck {
  const name = "scheduler.workers";
  if (workers > 0) return { name, status: "pass", observed: { workers, running, held } };
  return {
    name,
    status: "warn",
    detail: "No worker is alive; nothing runs. Start a server with the role dispatcher.",
    observed: { workers: 0 },
  };
}

function latenessCheck({ oldestLateMs }: Facts): SchedulerCheck {
  const name = "scheduler.lateness";
  const lateMs = Math.round(oldestLateMs ?? 0);
  if (lateMs <= lateAfterMs) return { name, status: "pass", observed: { lateMs } };
  return {
    name,
    status: "warn",
    detail: `The oldest due run waits for ${Math.round(lateMs / 1_000)} s. Raise QUIESCE_MAX_CONCURRENT_RUNS, a system's cap, or add a server.`,
    observed: { lateMs },
  };
}
