import type { IntlShape } from "react-intl";
import { liveStates, severities } from "./filters.js";
import type { IncidentTimelineQuery } from "./incident.generated.js";

export type TimelineItem = NonNullable<IncidentTimelineQuery["incident"]>["timeline"]["nodes"][number];
type Speaking = Pick<IntlShape, "formatMessage">;

const states = [...liveStates, "RESOLVED", "CLOSED", "MERGED"] as const;

/** One sentence about a thing of the timeline in the language of the page; what the page does not know is told in the server's words. */
export function timelineSentence(item: Pick<TimelineItem, "kind" | "text" | "subject" | "data">, intl: Speaking): string {
  const { kind, text, subject } = item;
  const data = fieldsOf(item.data);
  switch (kind) {
    case "ENTRY":
      return entrySentence(subject ?? "", { text, data, intl });
    case "RUN_FAILED":
      return data.text("integration") === null
        ? text
        : intl.formatMessage({ id: "incidents.line.RUN_FAILED" }, { integration: data.text("integration") });
    case "CHANGE":
      return intl.formatMessage({ id: "incidents.line.CHANGE" }, { integration: subject ?? "", version: data.text("version") ?? "" });
    case "ALERT_FIRED":
    case "ALERT_RESOLVED":
    case "WINDOW_BEGAN":
    case "WINDOW_ENDED":
      return intl.formatMessage({ id: `incidents.line.${kind}` }, { text });
  }
}

function entrySentence(
  sort: string,
  { text, data, intl }: { readonly text: string; readonly data: Fields; readonly intl: Speaking },
): string {
  switch (sort) {
    case "opened":
      return intl.formatMessage({ id: "incidents.entry.opened" }, { root: data.text("root") ?? "", count: data.count("alerts") });
    case "grew":
      return intl.formatMessage({ id: "incidents.entry.grew" }, { count: data.count("alerts") });
    case "state": {
      const found = states.find((state) => state === caps(data.text("state")));
      if (found === undefined) return text;
      const state = intl.formatMessage({ id: `incidents.state.${found}` });
      return intl.formatMessage({ id: "incidents.entry.state" }, { state, reason: data.text("reason") ?? "none" });
    }
    case "severity": {
      const found = severities.find((severity) => severity === caps(data.text("severity")));
      return found === undefined
        ? text
        : intl.formatMessage({ id: "incidents.entry.severity" }, { severity: intl.formatMessage({ id: `incidents.severity.${found}` }) });
    }
    case "root":
      return intl.formatMessage({ id: "incidents.entry.root" }, { root: data.text("root") ?? "" });
    case "offered":
      return intl.formatMessage(
        { id: "incidents.entry.offered" },
        { team: data.text("offeredTo") ?? "", reason: data.text("reason") ?? "none" },
      );
    case "accepted":
      return intl.formatMessage({ id: "incidents.entry.accepted" }, { team: data.text("ownerTeam") ?? "" });
    case "declined":
      return intl.formatMessage({ id: "incidents.entry.declined" }, { reason: data.text("reason") ?? "none" });
    case "offer-ended":
      return intl.formatMessage({ id: "incidents.entry.offer-ended" }, { team: data.text("offeredTo") ?? "" });
    case "assigned":
      return intl.formatMessage({ id: "incidents.entry.assigned" }, { who: data.text("assignee") ?? "none" });
    case "merged":
    case "split":
      return intl.formatMessage(
        { id: `incidents.entry.${sort}` },
        { into: data.text("into") ?? "none", from: data.text("from") ?? "none", count: data.count("alerts") },
      );
    case "problem":
      return problemSentence(data, { text, intl });
    case "told": {
      const teams = data.texts("teams");
      return intl.formatMessage({ id: "incidents.entry.told" }, { count: teams.length, teams: teams.join(", ") });
    }
    default:
      return text;
  }
}

/** Quiesce links what comes again and gives no reason; people link, and unlink, with one. */
function problemSentence(data: Fields, { text, intl }: { readonly text: string; readonly intl: Speaking }): string {
  const [problem, was, reason] = [data.text("problem"), data.text("was"), data.text("reason")];
  if (problem !== null && reason === null) return intl.formatMessage({ id: "incidents.entry.problem" }, { problem });
  if (problem !== null) return intl.formatMessage({ id: "incidents.entry.problem-linked" }, { problem, reason });
  return was === null ? text : intl.formatMessage({ id: "incidents.entry.problem-unlinked" }, { problem: was, reason: reason ?? "none" });
}

/** What the server adds to a thing, read with care: it is data, and older servers say less. */
interface Fields {
  text(name: string): string | null;
  texts(name: string): readonly string[];
  count(name: string): number;
}

function fieldsOf(data: unknown): Fields {
  const known: { readonly [name: string]: unknown } = typeof data === "object" && data !== null ? { ...data } : {};
  return {
    text: (name) => {
      const value = known[name];
      return typeof value === "string" ? value : typeof value === "number" ? String(value) : null;
    },
    texts: (name) => {
      const value = known[name];
      return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
    },
    count: (name) => {
      const value = known[name];
      return typeof value === "number" ? value : 0;
    },
  };
}

/** in-progress as the API writes it: IN_PROGRESS. */
function caps(text: string | null): string {
  return (text ?? "").toUpperCase().replaceAll("-", "_");
}
