import { SEVERITIES, z } from "@quiesce/sdk";

const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/u;
const label = z.string().max(200).regex(LABEL_NAME, "is a label's name, such as instance or system");

const query = z.object({
  kpi: z
    .string()
    .regex(
      /^(?:availability|response_ms|throughput|error_rate|queue_depth|tls_days_left|x_[a-z0-9_]{1,60})$/u,
      "is a KPI's name; own ones begin with x_",
    )
    .transform((name) => name as KpiName)
    .describe("availability, response_ms, throughput, error_rate, queue_depth, tls_days_left, or an own name that begins with x_."),
  query: z.string().min(1).max(4_000).describe("PromQL that gives a number or an instant vector."),
  labels: z.array(label).max(20).default([]).describe("Labels of the samples that are kept."),
});

type KpiName = "availability" | "response_ms" | "throughput" | "error_rate" | "queue_depth" | "tls_days_left" | `x_${string}`;

/** Configuration of an Alertmanager endpoint, and of the Prometheus beside it. */
export const alertmanagerConfig = z.object({
  url: z
    .url({ protocol: /^https?$/u })
    .describe("Where Alertmanager is, with its prefix if it has one: https://alerts.example.com. API v2, so 0.16 or newer."),
  user: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe("For Basic authentication, with the secret `password`. Left out: the secret `token`, if set, as a bearer token."),
  ca: z.string().max(100_000).optional().describe("Certificates to trust instead of the system's, as PEM."),
  resourceLabel: label
    .default("instance")
    .describe(
      "The label that names what an alert is about. A silence for the resource erp is one for this label's value erp; job=erp names another label.",
    ),
  resourceKind: z.string().min(1).max(50).default("target").describe("What such a thing is called: host, service, target."),
  parentLabels: z.array(label).max(10).default([]).describe("Labels with what the resource lies behind or belongs to, nearest first."),
  severityLabel: label.default("severity"),
  severities: z
    .record(z.string().max(100), z.enum(SEVERITIES))
    .default({})
    .describe("What values of that label mean, where they are not critical, page, major, error, minor, warning, info or none."),
  author: z.string().min(1).max(100).default("quiesce").describe("createdBy of silences."),
  prometheus: z
    .object({
      url: z.url({ protocol: /^https?$/u }).describe("Where Prometheus is; asked with the same credentials."),
      queries: z.array(query).min(1).max(50),
    })
    .optional()
    .describe("Figures that each check records as KPIs."),
});

/** Secrets of an Alertmanager endpoint. */
export const alertmanagerSecrets = z.object({
  password: z.string().min(1).optional(),
  token: z.string().min(1).optional(),
  webhookSecret: z
    .string()
    .min(8)
    .optional()
    .describe("What Alertmanager's webhook carries: credentials of http_config.authorization, or user:password of its basic_auth."),
  previousWebhookSecret: z.string().min(8).optional().describe("The one before, while it is being replaced."),
});

export type AlertmanagerConfig = z.output<typeof alertmanagerConfig>;
export type AlertmanagerSecrets = z.output<typeof alertmanagerSecrets>;
