import { DomainError, incidentTimes, type IncidentTimes, type TimesTaken } from "@quiesce/core";
import { type SQL, sql } from "drizzle-orm";
import { readNow } from "../command.js";
import { anyRow } from "../db/any-row.js";
import type { Database, Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { checkedPeriod, type Period } from "./kpi-scope.js";

/** Incidents of one answer; of more the newest. */
const mostIncidents = 50_000;
/** Open ones that are listed. */
const mostOpen = 50;

export interface IncidentTimesAnswer {
  readonly period: Period;
  readonly incidents: number;
  readonly acknowledge: TimesTaken;
  readonly resolve: TimesTaken;
  /** Those that are not resolved, the oldest first: the first 50, by their ids. */
  readonly open: readonly number[];
}

/** How long it took to acknowledge and to resolve the incidents that were opened in a period. Merged ones are counted with those that stand for them. Throws QSC_KPI_PERIOD and QSC_KPI_SCOPE. */
export async function readIncidentTimes(
  database: Database,
  of: { readonly period: Period; readonly system: string | null; readonly team: string | null },
): Promise<IncidentTimesAnswer> {
  const now = await readNow(database.db);
  const period = checkedPeriod(of.period, now);
  await requireScope(database.db, of);
  const where: SQL[] = [
    sql`i.opened_at >= ${period.start}::timestamptz and i.opened_at < ${period.end}::timestamptz and i.state <> 'merged'`,
    ...(of.system === null ? [] : [sql`i.system_id = (select s.id from system as s where s.key = ${of.system})`]),
    ...(of.team === null ? [] : [sql`i.owner_team = ${of.team}`]),
  ];
  const rows = await selectRows<IncidentTimes & { readonly id: number }>(
    database.db,
    sql`
    select i.id, i.opened_at as "openedAt", i.acknowledged_at as "acknowledgedAt", case when i.state in ('resolved', 'closed') then i.resolved_at end as "resolvedAt"
    from incident as i where ${sql.join(where, sql` and `)} order by i.opened_at desc, i.id desc limit ${mostIncidents}`,
  );
  const open = rows.filter(({ resolvedAt }) => resolvedAt === null).toReversed();
  return { period, incidents: rows.length, ...incidentTimes(rows, now), open: open.slice(0, mostOpen).map(({ id }) => id) };
}

/** Without it a name that was mistyped would read as a time without incidents. */
async function requireScope(tx: Tx, { system, team }: { readonly system: string | null; readonly team: string | null }): Promise<void> {
  if (system !== null && !(await anyRow(tx, sql`system where key = ${system}`)))
    throw new DomainError("QSC_KPI_SCOPE", `There is no system "${system.slice(0, 100)}" that you may see.`, { field: "system" });
  const isTeam = async (name: string): Promise<boolean> =>
    (await anyRow(tx, sql`team where key = ${name}`)) || (await anyRow(tx, sql`incident where owner_team = ${name}`));
  if (team !== null && !(await isTeam(team)))
    throw new DomainError("QSC_KPI_SCOPE", `There is no team "${team.slice(0, 100)}", and no incident that you may see is with it.`, {
      field: "team",
    });
}
