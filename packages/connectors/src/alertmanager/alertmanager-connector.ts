import { defineConnector, isConnectorError, z, type Health } from "@quiesce/sdk";
import { alertmanagerWebhook, pullAlerts } from "./alertmanager-alerts.js";
import { alertmanagerConfig, alertmanagerSecrets } from "./alertmanager-config.js";
import { parseAnswer, send, type AlertmanagerContext } from "./alertmanager-request.js";
import { announceSilences, listSilences, withdrawSilences } from "./alertmanager-silences.js";
import { prometheusKpis } from "./prometheus-kpis.js";

/**
 * Prometheus's Alertmanager by its API v2: alerts by asking and by its webhook, windows as silences. Silences stop notifications alone, so
 * `suppress: checks` does the same.
 */
export const alertmanagerConnector = defineConnector({
  apiVersion: 1,
  id: "alertmanager",
  version: "0.1.0",
  displayName: "Prometheus Alertmanager",
  stability: "beta",
  config: alertmanagerConfig,
  secrets: alertmanagerSecrets,
  egress: ({ url, prometheus }) => [
    ...new Set([url, ...(prometheus === undefined ? [] : [prometheus.url])].map((one) => new URL(one).origin)),
  ],
  check: checkAlertmanager,
  alerts: { pull: pullAlerts, webhook: alertmanagerWebhook },
  downtime: { announce: announceSilences, withdraw: withdrawSilences, list: listSilences },
});

const statusSchema = z.object({
  cluster: z.object({ status: z.string() }).optional(),
  versionInfo: z.object({ version: z.string() }).optional(),
});

async function checkAlertmanager(x: AlertmanagerContext): Promise<Health> {
  const status = parseAnswer(statusSchema, await send(x, x.config.url, "/api/v2/status"), "GET /api/v2/status");
  const problems = status.cluster?.status === "settling" ? ["Its cluster is still settling."] : [];
  const version = status.versionInfo?.version;
  let kpis: Health["kpis"] = [];
  try {
    kpis = await prometheusKpis(x);
  } catch (error) {
    // Alertmanager itself is up; a query that cannot work is for somebody to mend all the same.
    if (!isConnectorError(error) || (error.kind !== "unavailable" && error.kind !== "timeout")) throw error;
    problems.push(`Prometheus does not answer: ${error.message}`);
  }
  return {
    status: problems.length === 0 ? "up" : "degraded",
    ...(problems.length === 0 ? {} : { message: problems.join(" ") }),
    ...(version === undefined ? {} : { version }),
    ...(kpis.length === 0 ? {} : { kpis }),
  };
}
