import { DomainError } from "@quiesce/core";
import type { LoggedEvent } from "./event-log.js";

/** What a subscriber wants to see; nothing given means everything. */
export interface LiveFilter {
  /** Exact kinds, or all of a noun: `run.started`, `run.*`. */
  readonly kinds?: readonly string[];
  /** `kind:key`, as `window:erp-upgrade`. `integration:<key>` also brings the events of its runs. */
  readonly subjects?: readonly string[];
  /** Subject kinds that this subscriber may not see, whatever it asks for. */
  readonly hidden?: readonly LoggedEvent["subjectKind"][];
}

/** A filter names at most this many kinds and as many subjects. */
const FILTER_LIMIT = 100;

const KIND = /^[a-z-]+\.(?:[a-z-]+|\*)$/;
const SUBJECT = /^[a-z-]+:.+$/s;

/** Compiles a filter into a predicate. Throws QSC_EVENTS_FILTER_INVALID. */
export function compileFilter(filter: LiveFilter): (event: LoggedEvent) => boolean {
  const kinds = checked("kinds", filter.kinds, KIND, "a kind as run.started, or run.*");
  const subjects = checked("subjects", filter.subjects, SUBJECT, "kind:key, as window:erp-upgrade");
  const kindMatches = (event: LoggedEvent) => kinds === null || kinds.has(event.kind) || kinds.has(`${event.kind.split(".", 1)[0]}.*`);
  const subjectMatches = (event: LoggedEvent) =>
    subjects === null ||
    subjects.has(`${event.subjectKind}:${event.subjectKey}`) ||
    (event.integrationKey !== null && subjects.has(`integration:${event.integrationKey}`));
  const hidden = new Set(filter.hidden ?? []);
  return (event) => !hidden.has(event.subjectKind) && kindMatches(event) && subjectMatches(event);
}

function checked(field: string, values: readonly string[] | undefined, pattern: RegExp, expected: string): ReadonlySet<string> | null {
  if (values === undefined) return null;
  if (values.length > FILTER_LIMIT) {
    throw new DomainError("QSC_EVENTS_FILTER_INVALID", `${field} has ${values.length} entries; at most ${FILTER_LIMIT} are allowed.`, {
      field,
    });
  }
  const wrong = values.find((value) => !pattern.test(value));
  if (wrong !== undefined)
    throw new DomainError("QSC_EVENTS_FILTER_INVALID", `${field} contains "${wrong}"; expected ${expected}.`, { field });
  return new Set(values);
}
