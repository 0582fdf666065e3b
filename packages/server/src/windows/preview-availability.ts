import {
  type CalendarMonth,
  type CatalogFacts,
  monthsOf,
  type Occurrence,
  plannedAvailability,
  type PlannedAvailability,
  type PlannedDowntime,
  type Reach,
  reachOfScope,
  requireZone,
  windowKindEffects,
  type WindowKind,
  type WindowScope,
  type ZoneData,
} from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { mayHold } from "./approval-sql.js";

/** One system or integration in a month. */
export interface AvailabilityOf extends PlannedAvailability {
  readonly kind: "system" | "integration";
  readonly key: string;
}

/** What a plan leaves of a calendar month on the wall clock of its zone. */
export interface MonthAvailability extends CalendarMonth {
  readonly timeZone: string;
  /** Those with the least time up first; at most 100. */
  readonly listed: readonly AvailabilityOf[];
  readonly systems: number;
  readonly integrations: number;
}

/** An occurrence over a turn of the month touches two. */
const maxMonths = 3;
/** Of systems and of integrations each. */
const maxCompared = 1_000;
const maxListed = 100;

/**
 * What the months that the first occurrence touches would hold for what the plan takes down: planned downtime alone, as nobody knows yet what will fail,
 * and no agreement, as none is declared anywhere. Of windows of others only those count that hold: approved, and not only observing.
 */
export async function previewAvailability(
  tx: Tx,
  input: {
    readonly zones: ZoneData;
    readonly facts: CatalogFacts;
    readonly plan: { readonly key: string; readonly kind: WindowKind; readonly scope: WindowScope; readonly timeZone: string };
    readonly occurrences: readonly Occurrence[];
  },
): Promise<readonly MonthAvailability[]> {
  const { facts, plan, occurrences } = input;
  const [first] = occurrences;
  if (first === undefined || windowKindEffects[plan.kind].holds !== "everything") return [];
  const months = monthsOf(first, requireZone(input.zones, plan.timeZone), maxMonths);
  const others = await plannedByOthers(tx, { facts, months, except: plan.key });
  const own = occurrences.map(({ start, end }): PlannedDowntime => ({ start, end, kind: plan.kind }));
  const reach = reachOfScope(facts, plan.scope, "everything");
  const systems = facts.systems.filter((one) => reach.systems.has(one.id));
  const integrations = facts.integrations.filter((one) => reach.integrations.has(one.id));
  const downOf = (isMet: (other: Reach) => boolean) => others.filter((one) => isMet(one.reach)).flatMap((one) => one.planned);
  const targets = [
    ...systems
      .slice(0, maxCompared)
      .map(({ id, key }) => ({ kind: "system", key, others: downOf((other) => other.systems.has(id)) }) as const),
    ...integrations
      .slice(0, maxCompared)
      .map(({ id, key }) => ({ kind: "integration", key, others: downOf((other) => other.integrations.has(id)) }) as const),
  ];
  return months.map((month) => ({
    ...month,
    timeZone: plan.timeZone,
    listed: targets
      .map(({ kind, key, others: down }) => ({ kind, key, ...plannedAvailability({ month, own, others: down }) }))
      .toSorted(
        (a, b) => a.upMs - b.upMs || Number(a.kind === "integration") - Number(b.kind === "integration") || (a.key < b.key ? -1 : 1),
      )
      .slice(0, maxListed),
    systems: systems.length,
    integrations: integrations.length,
  }));
}

/** What others have planned in these months, also what is over, once for each scope. */
async function plannedByOthers(
  tx: Tx,
  input: { readonly facts: CatalogFacts; readonly months: readonly CalendarMonth[]; readonly except: string },
): Promise<readonly { readonly reach: Reach; readonly planned: readonly PlannedDowntime[] }[]> {
  const { facts, months, except } = input;
  const from = Math.min(...months.map((one) => one.start));
  const until = Math.max(...months.map((one) => one.end));
  const rows = await tx.execute<{ kind: WindowKind; scope: WindowScope; start: number; end: number }>(sql`
    select w.kind, w.scope, o.starts_at as start, o.ends_at as "end" from occurrence as o join maintenance_window as w on w.id = o.window_id
    where w.key <> ${except} and w.mode = 'enforce' and ${mayHold} and o.cancelled_at is null and (w.cancelled_at is null or o.started_at is not null)
      and o.starts_at < ${until}::timestamptz and o.ends_at > ${from}::timestamptz
    order by o.starts_at limit 50000`);
  const byScope = new Map<string, { readonly scope: WindowScope; readonly planned: PlannedDowntime[] }>();
  for (const { kind, scope, start, end } of rows) {
    if (windowKindEffects[kind].holds !== "everything") continue;
    const name = JSON.stringify(scope);
    const known = byScope.get(name) ?? { scope, planned: [] };
    byScope.set(name, known);
    known.planned.push({ start, end, kind });
  }
  return [...byScope.values()].map(({ scope, planned }) => ({ reach: reachOfScope(facts, scope, "everything"), planned }));
}
