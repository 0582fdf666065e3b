import { ConnectorError, z } from "@quiesce/sdk";
import { shapeOf } from "./request-tracker-request.js";

/** RT's words for what it did. Everything else in an answer to a change is a refusal. */
const DONE = [
  /\bchanged from\b/u,
  /\bchanged to\b/u,
  /\bis now\b/u,
  /\badded\b/u,
  /\bset to\b/u,
  /\bdeleted\b/u,
  /\balready (?:the current value|own|set)\b/u,
  /\bThat is the same value\b/u,
  /\bunchanged\b/u,
];
/** Which of our fields a refusal speaks of. */
const FIELDS: readonly (readonly [pattern: RegExp, field: string])[] = [
  [/\bStatus\b/u, "state"],
  [/\buser\b|\bOwner\b|\bown tickets\b/u, "assignee"],
  [/\bQueue\b/u, "group"],
  [/\bPriority\b/u, "severity"],
  [/\bSubject\b/u, "title"],
  [/custom field/iu, "fields"],
];

/**
 * RT answers a change with status 200 and a list of sentences, one a field; what it refused stands among what it did. Throws `invalid` (with the field)
 * or `permission` for the first refusal.
 */
export function requireDone(json: unknown, what: string): void {
  const sentences = shapeOf(z.array(z.string()), json, what);
  const refused = sentences.find((sentence) => !DONE.some((pattern) => pattern.test(sentence)));
  if (refused === undefined) return;
  const said = refused.replace(/^Ticket \d+: /u, "");
  if (/permission denied/iu.test(said)) throw new ConnectorError("permission", `RT refuses ${what}: ${said}`);
  const field = FIELDS.find(([pattern]) => pattern.test(said))?.[1];
  throw new ConnectorError("invalid", `RT refuses ${what}: ${said}`, { ...(field === undefined ? {} : { field }), userMessage: said });
}
