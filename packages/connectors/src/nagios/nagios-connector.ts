import { ConnectorError, defineConnector, z, type Health } from "@quiesce/sdk";
import { acknowledgeAlert, pullAlerts } from "./nagios-alerts.js";
import { listCatalog } from "./nagios-catalog.js";
import { nagiosConfig, nagiosSecrets } from "./nagios-config.js";
import { announceDowntime, listAnnounced, withdrawDowntime } from "./nagios-downtime.js";
import { ask, askStatus, type NagiosContext } from "./nagios-query.js";

/**
 * Nagios Core 4 by its JSON CGIs, and by cmd.cgi or its command FIFO. Hosts are named `erp`, services `erp!orders-api`. A host's downtime silences its
 * services too. Nagios has downtimes for notifications only: `suppress: checks` does the same.
 */
export const nagiosConnector = defineConnector({
  apiVersion: 1,
  id: "nagios",
  version: "0.1.0",
  displayName: "Nagios Core",
  stability: "beta",
  config: nagiosConfig,
  secrets: nagiosSecrets,
  egress: (config) => [new URL(config.url).origin],
  check: checkNagios,
  alerts: { pull: pullAlerts, acknowledge: acknowledgeAlert },
  downtime: { announce: announceDowntime, withdraw: withdrawDowntime, list: listAnnounced },
  catalog: listCatalog,
});

const programSchema = z.object({
  version: z.string().optional(),
  enable_notifications: z.boolean().default(true),
  execute_service_checks: z.boolean().default(true),
});

async function checkNagios(x: NagiosContext): Promise<Health> {
  const { data } = await askStatus(x, { query: "programstatus" });
  const program = programSchema.safeParse(data["programstatus"]);
  if (!program.success) throw new ConnectorError("contract", "Nagios's programstatus is not of the agreed shape.");
  // Without rights there is no error, only empty lists; a Nagios without hosts does not start.
  const { data: objects } = await ask(x, "objectjson", { query: "hostlist", count: "1" });
  const hosts = z.array(z.string()).safeParse(objects["hostlist"] ?? []);
  if (hosts.success && hosts.data.length === 0) {
    throw new ConnectorError(
      "permission",
      `Nagios shows no host to ${x.config.user}. Set authorized_for_all_hosts and authorized_for_all_services in cgi.cfg.`,
    );
  }
  const { version, enable_notifications: notifies, execute_service_checks: checks } = program.data;
  const message = [...(checks ? [] : ["Nagios executes no checks."]), ...(notifies ? [] : ["Its notifications are switched off."])].join(
    " ",
  );
  return {
    status: message === "" ? "up" : "degraded",
    ...(message === "" ? {} : { message }),
    ...(version === undefined ? {} : { version }),
    identity: { principal: x.config.user },
  };
}
