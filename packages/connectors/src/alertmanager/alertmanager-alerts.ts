import {
  basicAuth,
  bearer,
  ConnectorError,
  z,
  type Alert,
  type AlertPage,
  type Severity,
  type Webhook,
  type WebhookRequest,
} from "@quiesce/sdk";
import type { AlertmanagerConfig, AlertmanagerSecrets } from "./alertmanager-config.js";
import { parseAnswer, send, type AlertmanagerContext } from "./alertmanager-request.js";

const TITLE_CHARACTERS = 300;
/** Alerts of one page; hosts take no endless ones. */
const PAGE_SIZE = 5_000;
/** Values of a severity label that need no configuration. */
const USUAL_SEVERITIES: { readonly [value: string]: Severity } = {
  critical: "critical",
  page: "critical",
  major: "major",
  error: "major",
  minor: "minor",
  warning: "warning",
  info: "info",
  none: "info",
};
const WITHOUT_SEVERITY: Severity = "minor";

const texts = z.record(z.string(), z.string());
const instant = z.iso.datetime({ offset: true });
const alertSchema = z.object({
  fingerprint: z.string().min(1),
  labels: texts,
  annotations: texts.default({}),
  startsAt: instant,
  endsAt: instant.optional(),
  generatorURL: z.string().optional(),
});
const pulledSchema = z.array(
  alertSchema.extend({
    status: z.object({ state: z.string(), silencedBy: z.array(z.string()).default([]), inhibitedBy: z.array(z.string()).default([]) }),
  }),
);
const deliverySchema = z.object({
  version: z.literal("4"),
  alerts: z.array(alertSchema.extend({ status: z.enum(["firing", "resolved"]) })),
});

/** Everything that fires, also what is silenced or inhibited. After its restart Alertmanager knows nothing until Prometheus tells it again. */
export async function* pullAlerts(x: AlertmanagerContext): AsyncGenerator<AlertPage, void, void> {
  const text = await send(x, x.config.url, "/api/v2/alerts?active=true&silenced=true&inhibited=true&unprocessed=true");
  const alerts = parseAnswer(pulledSchema, text, "GET /api/v2/alerts").map(({ status, ...alert }) => {
    const suppressedBy = [...status.silencedBy.map((id) => `silence ${id}`), ...status.inhibitedBy.map((id) => `alert ${id}`)];
    return { ...alertOf(x.config, alert, "firing"), ...(suppressedBy.length === 0 ? {} : { suppressedBy }) };
  });
  for (let first = 0; first === 0 || first < alerts.length; first += PAGE_SIZE) {
    yield { alerts: alerts.slice(first, first + PAGE_SIZE), cursor: null, snapshot: true, more: first + PAGE_SIZE < alerts.length };
  }
}

/** Alertmanager's webhook (version 4). It signs nothing and has no delivery id: a bearer token or Basic credentials say who sends. */
export const alertmanagerWebhook: Webhook<AlertmanagerConfig, AlertmanagerSecrets, readonly Alert[]> = {
  verify(request, secrets, now) {
    const good = [secrets.webhookSecret, secrets.previousWebhookSecret].filter((one) => one !== undefined);
    if (good.length === 0) return { ok: false, why: "the endpoint has no secret webhookSecret" };
    const isBasic = /^basic /iu.test(request.headers["authorization"] ?? "");
    return (isBasic ? basicAuth() : bearer())(request, good, now);
  },
  parse(request, config) {
    const { alerts } = parseAnswer(deliverySchema, bodyText(request), "The webhook");
    return alerts.map(({ status, ...alert }) => alertOf(config, alert, status));
  },
};

function alertOf(config: AlertmanagerConfig, alert: z.output<typeof alertSchema>, status: Alert["status"]): Alert {
  const { labels, annotations, fingerprint } = alert;
  const name = labels["alertname"] ?? fingerprint;
  const said = annotations["summary"] ?? annotations["description"] ?? annotations["message"];
  const named = labels[config.resourceLabel];
  const parents = config.parentLabels.map((one) => labels[one]).filter((value) => value !== undefined && value !== "" && value !== named);
  const url = urlOf(alert.generatorURL);
  return {
    id: fingerprint,
    fingerprint,
    status,
    severity: severityOf(config, labels[config.severityLabel]),
    title: (said === undefined ? name : `${name}: ${said}`).replaceAll(/\s+/gu, " ").slice(0, TITLE_CHARACTERS),
    // The API cuts instants to milliseconds, the webhook does not: both have to be one.
    startsAt: new Date(alert.startsAt).toISOString(),
    // While it fires this is a time to come, or the year 1.
    ...(status === "resolved" && alert.endsAt !== undefined ? { endsAt: new Date(alert.endsAt).toISOString() } : {}),
    resource: {
      kind: named === undefined ? "alert" : config.resourceKind,
      name: named ?? name,
      ...(parents.length === 0 ? {} : { parents: parents as readonly string[] }),
    },
    labels,
    ...(url === undefined ? {} : { url }),
  };
}

function severityOf(config: AlertmanagerConfig, value: string | undefined): Severity {
  if (value === undefined) return WITHOUT_SEVERITY;
  return config.severities[value] ?? USUAL_SEVERITIES[value.toLowerCase()] ?? WITHOUT_SEVERITY;
}

function urlOf(text: string | undefined): string | undefined {
  return text !== undefined && /^https?:/u.test(text) && URL.canParse(text) ? text : undefined;
}

function bodyText(request: WebhookRequest): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(request.body);
  } catch {
    throw new ConnectorError("contract", "The webhook's body is not UTF-8.");
  }
}
