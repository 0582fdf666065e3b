import type { Connector } from "@quiesce/sdk";
import { alertmanagerConnector } from "./alertmanager/alertmanager-connector.js";
import { fileConnector } from "./file/file-connector.js";
import { httpConnector } from "./http/http-connector.js";
import { mariadbConnector } from "./mariadb/mariadb-connector.js";
import { nagiosConnector } from "./nagios/nagios-connector.js";
import { mqttConnector } from "./mqtt/mqtt-connector.js";
import { natsConnector } from "./nats/nats-connector.js";
import { postgresConnector } from "./postgres/postgres-connector.js";
import { rabbitmqConnector } from "./rabbitmq/rabbitmq-connector.js";
import { redisConnector } from "./redis/redis-connector.js";
import { smtpConnector } from "./smtp/smtp-connector.js";
import { requestTrackerConnector } from "./request-tracker/request-tracker-connector.js";
import { trytonConnector } from "./tryton/tryton-connector.js";
import { webhookConnector } from "./webhook/webhook-connector.js";

export {
  alertmanagerConnector,
  fileConnector,
  httpConnector,
  mariadbConnector,
  nagiosConnector,
  mqttConnector,
  natsConnector,
  postgresConnector,
  rabbitmqConnector,
  redisConnector,
  smtpConnector,
  requestTrackerConnector,
  trytonConnector,
  webhookConnector,
};

/** The connectors that come with Quiesce. */
export const firstPartyConnectors: readonly Connector[] = [
  alertmanagerConnector,
  fileConnector,
  httpConnector,
  mariadbConnector,
  nagiosConnector,
  mqttConnector,
  natsConnector,
  postgresConnector,
  rabbitmqConnector,
  redisConnector,
  smtpConnector,
  requestTrackerConnector,
  trytonConnector,
  webhookConnector,
];
