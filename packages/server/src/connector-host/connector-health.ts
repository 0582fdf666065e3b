import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import type { HealthCheck } from "../graphql/request-context.js";
import type { ConnectorRegistry } from "./connector-registry.js";

/** Names that a check gives; there may be more. */
const MAX_NAMED = 5;

/** Whether every connector of the list works on this server, and whether systems answer. Neither keeps anybody from this server. */
export async function connectorHealth(tx: Tx, connectors: ConnectorRegistry): Promise<readonly HealthCheck[]> {
  return [loadedCheck(connectors), await answeringCheck(tx)];
}

function loadedCheck(connectors: ConnectorRegistry): HealthCheck {
  const name = "connectors";
  const all = connectors.listings();
  const failed = all.filter(({ state }) => state === "failed");
  const observed = { loaded: all.length - failed.length, failed: failed.length };
  if (failed.length === 0) return { name, status: "pass", observed };
  const names = failed.slice(0, MAX_NAMED).map((one) => one.name);
  return { name, status: "warn", detail: `Not loaded: ${names.join(", ")}. See why: quiesce connector list`, observed };
}

async function answeringCheck(tx: Tx): Promise<HealthCheck> {
  const name = "endpoints.traffic";
  const [found] = await tx.execute<{ open: number; delayed: number; keys: readonly string[] }>(sql`
    select (count(*) filter (where b.probe_at is not null))::integer as open,
      (count(*) filter (where b.probe_at is null and b.delayed_until > app_now()))::integer as delayed,
      (array(select e.key from endpoint_breaker as o join endpoint as e on e.id = o.endpoint_id where o.probe_at is not null
        order by o.opened_at, e.key limit ${MAX_NAMED})) as keys
    from endpoint_breaker as b`);
  const { open = 0, delayed = 0, keys = [] } = found ?? {};
  if (open === 0) return { name, status: "pass", observed: { open, delayed } };
  const detail = `${open} endpoints give no answer (${keys.join(", ")}): their runs wait. See why: the query endpoints { nodes { key traffic { reason } } }`;
  return { name, status: "warn", detail, observed: { open, delayed } };
}
