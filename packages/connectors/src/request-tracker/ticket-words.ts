import { createHash } from "node:crypto";
import { ConnectorError, SEVERITIES, type JsonObject, type Severity, type Ticket, type TicketState } from "@quiesce/sdk";
import type { RequestTrackerConfig } from "./request-tracker-config.js";

const STATUSES: { readonly [state in TicketState]: string } = {
  open: "new",
  acknowledged: "open",
  in_progress: "open",
  on_hold: "stalled",
  resolved: "resolved",
  closed: "resolved",
};
const STATES: { readonly [status: string]: TicketState } = {
  new: "open",
  open: "in_progress",
  stalled: "on_hold",
  resolved: "resolved",
  rejected: "closed",
  deleted: "closed",
};
const PRIORITIES: { readonly [severity in Severity]: number } = { critical: 100, major: 75, minor: 50, warning: 25, info: 0 };
/** RT 5 shows priorities as words by default. */
const PRIORITY_WORDS: { readonly [word: string]: number } = { low: 0, medium: 50, high: 100 };

const TAG = /^\[quiesce ([0-9a-f]{12})\] ?/u;
/** RT's subject takes 200 characters. */
const SUBJECT_CHARACTERS = 200;

export function statusOf(config: RequestTrackerConfig, state: TicketState): string {
  return config.statuses[state] ?? STATUSES[state];
}

/** Several states may share a status: then the first of them that was configured, or else the usual one, is meant. */
export function stateOf(config: RequestTrackerConfig, status: string): TicketState {
  const said = config.readStatuses[status];
  if (said !== undefined) return said;
  const configured = Object.entries(config.statuses).find(([, value]) => value === status)?.[0];
  const state = (configured as TicketState | undefined) ?? STATES[status];
  if (state !== undefined) return state;
  throw new ConnectorError("config", `RT has the status "${status}", which means nothing here yet. Say in readStatuses what it means.`, {
    field: "readStatuses",
  });
}

export function priorityOf(config: RequestTrackerConfig, severity: Severity): number {
  return config.priorities[severity] ?? PRIORITIES[severity];
}

/** The nearest severity. */
export function severityOf(config: RequestTrackerConfig, priority: string): Severity {
  const value = PRIORITY_WORDS[priority.toLowerCase()] ?? Number(priority);
  const distance = (severity: Severity): number => Math.abs(priorityOf(config, severity) - (Number.isFinite(value) ? value : 0));
  return SEVERITIES.toSorted((a, b) => distance(a) - distance(b))[0] ?? "info";
}

/** A key as a tag of the subject: what TicketSQL finds, whatever is in the key. */
export function tagOf(deduplicationKey: string): string {
  return `[quiesce ${createHash("sha256").update(deduplicationKey).digest("hex").slice(0, 12)}]`;
}

/** The subject for a title; with the tag where that stands for the key. */
export function subjectOf(config: RequestTrackerConfig, title: string, tag: string): string {
  const line = title.replaceAll(/\s+/gu, " ").trim();
  return config.deduplicationField === undefined && tag !== ""
    ? `${tag} ${line}`.slice(0, SUBJECT_CHARACTERS)
    : line.slice(0, SUBJECT_CHARACTERS);
}

export function titleOf(subject: string): string {
  return subject.replace(TAG, "");
}

/** The tag of a subject, empty if it has none. */
export function tagIn(subject: string): string {
  return TAG.exec(subject)?.[0].trim() ?? "";
}

/** The members of a change or a new ticket, but for content and key. */
export function membersOf(config: RequestTrackerConfig, patch: Partial<Ticket>): JsonObject {
  const { state, severity, assignee, group, fields } = patch;
  return {
    ...(state === undefined ? {} : { Status: statusOf(config, state) }),
    ...(severity === undefined ? {} : { Priority: priorityOf(config, severity) }),
    ...(assignee === undefined ? {} : { Owner: assignee === "" ? "Nobody" : assignee }),
    ...(group === undefined ? {} : { Queue: group }),
    ...(fields === undefined || Object.keys(fields).length === 0 ? {} : { CustomFields: fields }),
  };
}
