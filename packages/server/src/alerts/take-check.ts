import type { Alert } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { takeAlerts } from "./take-alerts.js";

/** No monitor's fingerprint of the same endpoint is likely to be this. */
const FINGERPRINT = "quiesce:endpoint-away";

/** How bad it is that a system gives no answer, by what it is worth. */
const severityOf = { critical: "critical", high: "major", medium: "minor", low: "warning" } as const satisfies {
  readonly [criticality: string]: Alert["severity"];
};

/**
 * This server's own word about an endpoint, beside those of monitors: its calls fail one after the other, or it answers again. Folded into the alerts
 * in the transaction in which that was noticed.
 */
export async function takeCheck(
  tx: Tx,
  endpoint: { readonly id: number; readonly key: string },
  found: { readonly ok: boolean; readonly reason: string | null; readonly now: number },
): Promise<void> {
  const { ok, reason, now } = found;
  const [system] = await tx.execute<{ key: string; criticality: keyof typeof severityOf; began: number | null }>(sql`
    select s.key, s.criticality, (select a.started_at from alert as a where a.endpoint_id = e.id and a.fingerprint = ${FINGERPRINT} and a.status = 'firing') as began
    from endpoint as e join system as s on s.id = e.system_id where e.id = ${endpoint.id}`);
  if (system === undefined || (ok && system.began === null)) return;
  const alert: Alert = {
    id: FINGERPRINT,
    fingerprint: FINGERPRINT,
    status: ok ? "resolved" : "firing",
    severity: severityOf[system.criticality],
    title: `${endpoint.key} gives no answer`,
    startsAt: new Date(system.began ?? now).toISOString(),
    ...(ok ? { endsAt: new Date(now).toISOString() } : {}),
    resource: { kind: "endpoint", name: endpoint.key },
    labels: { system: system.key, ...(reason === null ? {} : { reason }) },
  };
  await takeAlerts(tx, { endpoint, alerts: [alert], completeAsOf: null, now, origin: "check" });
}
