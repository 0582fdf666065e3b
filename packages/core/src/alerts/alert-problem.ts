import type { Alert } from "@quiesce/sdk";
import { parseInstantText } from "../time/instant-text.js";

/** How bad an alert can be, worst first: the words of connectors. */
export const alertSeverities = ["critical", "major", "minor", "warning", "info"] as const satisfies readonly Alert["severity"][];

/** How large one alert may be. */
export const alertLimits = {
  /** Of one page, or one delivery of a webhook. */
  alerts: 10_000,
  charactersOfName: 500,
  charactersOfTitle: 2_000,
  labels: 100,
  charactersOfLabel: 4_000,
  parents: 50,
  suppressedBy: 100,
  charactersOfRaw: 16_384,
} as const;

/** What is wrong with what a connector gives as an alert, or undefined. Nothing of it is believed before. */
export function alertProblem(value: unknown): string | undefined {
  if (!isObject(value)) return `found ${shown(value)}, expected an alert`;
  const { id, fingerprint, status, severity, title, startsAt, endsAt, resource, labels, suppressedBy, acknowledgedBy, url, raw } = value;
  if (!isText(id, alertLimits.charactersOfName)) return `id: found ${shown(id)}, expected 1 to ${alertLimits.charactersOfName} characters`;
  if (!isText(fingerprint, alertLimits.charactersOfName))
    return `fingerprint: found ${shown(fingerprint)}, expected 1 to ${alertLimits.charactersOfName} characters`;
  if (status !== "firing" && status !== "resolved") return `status: found ${shown(status)}, expected firing or resolved`;
  if (!(alertSeverities as readonly unknown[]).includes(severity))
    return `severity: found ${shown(severity)}, expected one of ${alertSeverities.join(", ")}`;
  if (!isText(title, alertLimits.charactersOfTitle))
    return `title: found ${shown(title)}, expected 1 to ${alertLimits.charactersOfTitle} characters`;
  if (!isInstant(startsAt)) return `startsAt: found ${shown(startsAt)}, expected ISO 8601 with an offset`;
  if (endsAt !== undefined && !isInstant(endsAt)) return `endsAt: found ${shown(endsAt)}, expected ISO 8601 with an offset`;
  return resourceProblem(resource) ?? moreProblem({ labels, suppressedBy, acknowledgedBy, url, raw });
}

function resourceProblem(resource: unknown): string | undefined {
  if (!isObject(resource)) return `resource: found ${shown(resource)}, expected { kind, name }`;
  const { kind, name, parents } = resource;
  if (!isText(kind, alertLimits.charactersOfName)) return `resource.kind: found ${shown(kind)}, expected a text`;
  if (!isText(name, alertLimits.charactersOfName)) return `resource.name: found ${shown(name)}, expected a text`;
  if (parents === undefined || isTexts(parents, alertLimits.parents)) return undefined;
  return `resource.parents: found ${shown(parents)}, expected at most ${alertLimits.parents} names`;
}

function moreProblem({ labels, suppressedBy, acknowledgedBy, url, raw }: { readonly [name: string]: unknown }): string | undefined {
  if (labels !== undefined) {
    if (!isObject(labels)) return `labels: found ${shown(labels)}, expected an object of texts`;
    const entries = Object.entries(labels);
    if (entries.length > alertLimits.labels) return `labels: found ${entries.length}, expected at most ${alertLimits.labels}`;
    const wrong = entries.find(([, label]) => typeof label !== "string" || label.length > alertLimits.charactersOfLabel);
    if (wrong !== undefined)
      return `labels.${wrong[0].slice(0, 60)}: expected a text of at most ${alertLimits.charactersOfLabel} characters`;
  }
  if (suppressedBy !== undefined && !isTexts(suppressedBy, alertLimits.suppressedBy))
    return `suppressedBy: found ${shown(suppressedBy)}, expected at most ${alertLimits.suppressedBy} texts`;
  if (acknowledgedBy !== undefined && !isText(acknowledgedBy, alertLimits.charactersOfName))
    return `acknowledgedBy: found ${shown(acknowledgedBy)}, expected a text`;
  if (url !== undefined && !(typeof url === "string" && url.length <= alertLimits.charactersOfTitle && /^https?:\/\//.test(url)))
    return `url: found ${shown(url)}, expected an address of http or https`;
  if (raw !== undefined && JSON.stringify(raw).length > alertLimits.charactersOfRaw)
    return `raw: has ${JSON.stringify(raw).length} characters of JSON, expected at most ${alertLimits.charactersOfRaw}`;
  return undefined;
}

/** Times are compared as instants everywhere: one without an offset would mean another one on each machine. */
function isInstant(value: unknown): value is Alert["startsAt"] {
  return (
    typeof value === "string" && /^\d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|[+-]\d{2}:?\d{2})$/.test(value) && !Number.isNaN(parseInstantText(value))
  );
}

function isText(value: unknown, max: number): value is string {
  return typeof value === "string" && value.trim() !== "" && value.length <= max;
}

function isTexts(value: unknown, max: number): boolean {
  return Array.isArray(value) && value.length <= max && value.every((one) => isText(one, alertLimits.charactersOfName));
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "string") return `"${value.slice(0, 60)}"`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "number" || typeof value === "boolean" || value === null) return String(value);
  return `a ${typeof value}`;
}
