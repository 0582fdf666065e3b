import { DomainError } from "@quiesce/core";
import { type SQL, sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";

/** Of which integrations: at most one of these; none is all that the caller sees. */
export interface KpiScope {
  readonly integration?: string | null | undefined;
  readonly system?: string | null | undefined;
  readonly team?: string | null | undefined;
  readonly tag?: string | null | undefined;
}

/** An integration that figures are made of. */
export interface MeasuredIntegration {
  readonly id: number;
  readonly key: string;
  readonly name: string;
}

/** More integrations than this want a narrower scope. */
const mostIntegrations = 2_000;

/** The integrations of a scope, by their keys. Throws QSC_KPI_SCOPE for a scope of two kinds, or without an integration that the caller sees. */
export async function integrationsOf(tx: Tx, scope: KpiScope): Promise<readonly MeasuredIntegration[]> {
  const given = Object.entries(scope).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  if (given.length > 1)
    throw new DomainError("QSC_KPI_SCOPE", `A scope names one of ${given.map(([kind]) => kind).join(", ")}, found ${given.length}.`, {
      field: "scope",
    });
  const [kind = "all", name = ""] = given[0] ?? [];
  const rows = await selectRows<MeasuredIntegration>(
    tx,
    sql`select i.id, i.key, i.name from integration as i where ${conditionOf(kind, name)} order by i.key limit ${mostIntegrations + 1}`,
  );
  if (rows.length > mostIntegrations)
    throw new DomainError("QSC_KPI_SCOPE", `The scope has more than ${mostIntegrations} integrations. Ask for one system, team or tag.`, {
      field: "scope",
    });
  if (rows.length === 0 && kind !== "all")
    throw new DomainError("QSC_KPI_SCOPE", `There is no integration of the ${kind} "${name.slice(0, 100)}".`, { field: `scope.${kind}` });
  return rows;
}

function conditionOf(kind: string, name: string): SQL {
  switch (kind) {
    case "integration":
      return sql`i.key = ${name}`;
    case "system":
      return sql`exists (select from integration_system as r join system as s on s.id = r.system_id where r.integration_id = i.id and s.key = ${name})`;
    case "team":
      return sql`i.owner_team = ${name}`;
    case "tag":
      return sql`${name} = any (i.tags)`;
    default:
      return sql`true`;
  }
}

/** A period of time, in epoch milliseconds, half-open. */
export interface Period {
  readonly start: number;
  readonly end: number;
}

const mostDays = 400;
const DAY_MS = 86_400_000;

/** A period that begins before it ends and before now. Throws QSC_KPI_PERIOD. */
export function checkedPeriod(given: Period, now: number): Period {
  const { start, end } = given;
  const said = `from ${new Date(start).toISOString()} to ${new Date(end).toISOString()}`;
  if (end <= start) throw new DomainError("QSC_KPI_PERIOD", `The period ${said} ends before it begins.`, { field: "to" });
  if (end - start > mostDays * DAY_MS)
    throw new DomainError("QSC_KPI_PERIOD", `The period ${said} is longer than ${mostDays} days.`, { field: "from" });
  if (start >= now) throw new DomainError("QSC_KPI_PERIOD", `The period ${said} has not begun.`, { field: "from" });
  return { start, end: Math.min(end, now) };
}
