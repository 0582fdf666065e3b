import { alertSeverities } from "@quiesce/core";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import { pageArgs, pageComplexity } from "../graphql/connection.js";
import { keyOf, numberOf } from "../graphql/key-or-id.js";
import { AlertRef, EndpointRef } from "../graphql/refs.js";
import { defineAlertSubscription } from "./graphql-subscription.js";
import { alertEnds, alertOrigins, alertPage, alertStatuses } from "./queries.js";

const read = { authScopes: { can: "catalogue.read" } } as const;

/** What monitors say is wrong. */
export function defineAlerts(): void {
  defineAlertSubscription();
  const StatusEnum = capsEnum("AlertStatus", "Whether it is still wrong.", alertStatuses);
  const SeverityEnum = capsEnum("AlertSeverity", "How bad it is, as the monitor says.", alertSeverities);
  const EndEnum = capsEnum("AlertEnd", "Who said that it is over.", alertEnds, {
    monitor: "The monitor said so.",
    snapshot: "It was absent from a complete list of what fires.",
    check: "A call of this server to the endpoint was answered again.",
    kpi: "The figure of which this server raised it is well again.",
  });
  const OriginEnum = capsEnum("AlertOrigin", "Who says that something is wrong.", alertOrigins, {
    monitor: "The monitor behind the endpoint.",
    check: "This server: its calls to the endpoint failed, one after the other.",
    kpi: "This server, by its figures: an objective, a threshold or an anomaly.",
  });
  builder.objectType(AlertRef, {
    description: "One thing that was wrong, from a monitor's first word of it to its end. However often it is said, it is one alert.",
    ...read,
    fields: (t) => ({
      key: t.string({ description: "Its number.", resolve: (row) => String(row.id) }),
      endpoint: t.field({
        type: EndpointRef,
        description: "The monitor, or the endpoint that gave no answer.",
        resolve: (row) => String(row.endpointId),
      }),
      origin: t.expose("origin", { type: OriginEnum, description: "Who says so." }),
      isMuted: t.exposeBoolean("isMuted", { description: "Nobody is told of it, for its reasons." }),
      fingerprint: t.exposeString("fingerprint", { description: "The same whenever the same is wrong with the same resource." }),
      remoteId: t.exposeString("remoteId", { description: "The monitor's own name of it." }),
      status: t.expose("status", { type: StatusEnum, description: "Whether it is still wrong." }),
      severity: t.expose("severity", { type: SeverityEnum, description: "How bad it is." }),
      title: t.exposeString("title", { description: "One line for people." }),
      resourceKind: t.exposeString("resourceKind", { description: "What it is about, in the monitor's words: host, service." }),
      resourceName: t.exposeString("resourceName", { description: "Its name at the monitor." }),
      resourceParents: t.exposeStringList("resourceParents", { description: "What it lies behind, nearest first." }),
      labels: t.expose("labels", { type: "JSON", description: "What the monitor adds." }),
      suppressedBy: t.exposeStringList("suppressedBy", {
        description: "Why the monitor itself keeps quiet about it: its downtimes and silences.",
      }),
      acknowledgedBy: t.exposeString("acknowledgedBy", { nullable: true, description: "Who has acknowledged it at the monitor." }),
      url: t.exposeString("url", { nullable: true, description: "Where to look at it." }),
      startedAt: t.expose("startedAt", { type: "DateTime", description: "When it began, as the monitor says." }),
      endedAt: t.expose("endedAt", { type: "DateTime", nullable: true, description: "When it ended; null: it fires." }),
      endedBy: t.expose("endedBy", { type: EndEnum, nullable: true, description: "Who said that it is over." }),
      firstSeenAt: t.expose("firstSeenAt", { type: "DateTime", description: "When it was heard of first." }),
      changedAt: t.expose("changedAt", { type: "DateTime", description: "When something of it changed last." }),
    }),
  });
  const AlertConnection = builder.connectionObject(
    { type: AlertRef, name: "AlertConnection", description: "A page of alerts." },
    { name: "AlertEdge", description: "An alert in a list." },
  );
  const Filter = builder.inputType("AlertFilter", {
    description: "Which alerts; every condition must hold.",
    fields: (t) => ({
      statuses: t.field({ type: [StatusEnum], description: "With one of these." }),
      severities: t.field({ type: [SeverityEnum], description: "With one of these." }),
      endpoint: t.string({ description: "Of this monitor: an endpoint's key or id." }),
      resource: t.string({ description: "About the resource of this name." }),
      incident: t.string({ description: "Of this incident: its number or id." }),
      muted: t.boolean({ description: "Kept quiet, or not." }),
    }),
  });
  builder.queryFields((t) => ({
    alert: t.field({
      type: AlertRef,
      nullable: true,
      ...read,
      description: "One alert, by its number or global id; null when there is none.",
      args: { key: t.arg.string({ required: true, description: "Its number or global id." }) },
      resolve: (_root, { key }) => String(numberOf("Alert", key, "key")),
    }),
    alerts: t.field({
      type: AlertConnection,
      ...read,
      description: "Alerts, the newest first.",
      args: { ...pageArgs, filter: t.arg({ type: Filter, description: "Only these." }) },
      complexity: pageComplexity,
      resolve: async (_root, { filter, ...args }, context) => {
        const endpoint = typeof filter?.endpoint === "string" ? await keyOf(context, "Endpoint", filter.endpoint) : null;
        const incident = typeof filter?.incident === "string" ? numberOf("Incident", filter.incident, "incident") : null;
        return alertPage(context.database, args, { ...filter, endpoint, incident });
      },
    }),
  }));
}
