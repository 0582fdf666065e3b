import { isInstant, linesOf } from "./notice-lines.js";

/** A message as people read it: what a mail says. */
export interface NoticeText {
  /** One line without breaks, at most 200 characters. */
  readonly subject: string;
  readonly text: string;
}

const MAX_SUBJECT = 200;

interface Members {
  readonly [name: string]: unknown;
}

/**
 * The words of a message for people, from the same body that webhooks get (`type`, `timestamp`, `data`). Every kind has words: those of incidents and
 * windows their own, any other its data line by line.
 *
 * @example noticeText({ type: "incident.opened", timestamp: "…", data: { incidents: [...] } }).subject // "Opened: critical, erp is down"
 */
export function noticeText(message: Members): NoticeText {
  const kind = textOf(message["type"]);
  const data = membersOf(message["data"]);
  const incidents = listOf(data["incidents"]);
  const window = membersOf(data["window"]);
  const said =
    incidents.length > 0
      ? incidentWords(kind, { incidents, data })
      : Object.keys(window).length > 0
        ? windowWords(kind, { window, data })
        : { subject: wordsOf(kind), lines: linesOf(data) };
  const when = textOf(message["timestamp"]);
  const text = [...said.lines, "", `Quiesce, ${kind}${when === "" ? "" : `, ${when}`}`].join("\n");
  return { subject: said.subject.replaceAll(/\s+/gu, " ").trim().slice(0, MAX_SUBJECT), text };
}

interface Words {
  readonly subject: string;
  readonly lines: readonly string[];
}

function incidentWords(kind: string, { incidents, data }: { readonly incidents: readonly Members[]; readonly data: Members }): Words {
  const [first = {}] = incidents;
  const count = typeof data["incidentCount"] === "number" ? data["incidentCount"] : incidents.length;
  const verb = capital(wordsOf(kind.slice("incident.".length)));
  const subject =
    count === 1
      ? `${verb}: ${textOf(first["severity"])}, ${textOf(first["title"])}`
      : `${verb}: ${count} incidents, ${textOf(first["title"])} and others`;
  const lines = incidents.flatMap((incident) => [...incidentLines(incident), ""]);
  const more = count > incidents.length ? [`And ${count - incidents.length} more: quiesce incidents list`, ""] : [];
  return { subject, lines: [...lines, ...more, ...linesOf(membersOf(data["event"]))] };
}

function incidentLines(incident: Members): readonly string[] {
  const { key, title, severity, state, root, system, ownerTeam, openedAt, resolvedAt, alerts } = incident;
  const integrations = Array.isArray(incident["integrations"]) ? incident["integrations"].map(textOf) : [];
  return [
    `Incident ${textOf(key)}: ${textOf(title)}`,
    `  ${textOf(severity)}, ${wordsOf(textOf(state))}, since ${textOf(openedAt)}${isInstant(resolvedAt) ? `, over ${textOf(resolvedAt)}` : ""}`,
    `  probable cause: ${textOf(root)}${typeof system === "string" && system !== root ? ` (system ${system})` : ""}; alerts: ${textOf(alerts)}`,
    ...(integrations.length === 0 ? [] : [`  integrations: ${integrations.join(", ")}`]),
    ...(typeof ownerTeam === "string" ? [`  with the team ${ownerTeam}`] : []),
    `  quiesce incidents show ${textOf(key)}`,
  ];
}

function windowWords(kind: string, { window, data }: { readonly window: Members; readonly data: Members }): Words {
  const occurrence = membersOf(data["occurrence"]);
  const times =
    Object.keys(occurrence).length === 0
      ? []
      : [`From ${textOf(occurrence["localStart"])} to ${textOf(occurrence["localEnd"])} (${textOf(occurrence["timeZone"])})`];
  const integrations = Array.isArray(data["integrations"]) ? data["integrations"].map(textOf) : [];
  const verb = wordsOf(kind.slice(kind.indexOf(".") + 1));
  return {
    subject: `${capital(verb)}: window "${textOf(window["title"])}"`,
    lines: [
      `Window "${textOf(window["title"])}" (${textOf(window["key"])}): ${verb}`,
      ...times,
      `Owner ${textOf(window["owner"])}; reason: ${textOf(window["reason"])}`,
      ...(integrations.length === 0 ? [] : [`Integrations (${textOf(data["integrationCount"])}): ${integrations.join(", ")}`]),
      ...linesOf(membersOf(data["event"])),
    ],
  };
}

function membersOf(value: unknown): Members {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function listOf(value: unknown): readonly Members[] {
  return Array.isArray(value) ? value.map(membersOf) : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}

function wordsOf(kind: string): string {
  return kind.replaceAll(/[.-]/gu, " ");
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
